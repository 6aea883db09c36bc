"""Applied models, and inference inside programs: infer, expect, given, marginal, sim, density, logprob."""

from __future__ import annotations

from dataclasses import replace

from ppl.compiler.check.arguments import bind
from ppl.compiler.check.context import Context
from ppl.compiler.check.module import ModuleScope, Signature
from ppl.compiler.check.suggest import nearest
from ppl.compiler.check.unify import Instance, describe, match, promote, substitute, substitute_support
from ppl.compiler.check.values import UNKNOWN, DistFacts, Value, joined_level, unknown
from ppl.compiler.diagnostics.diagnostic import Edit, Help
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.nodes import Level
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import ANYTHING, REALS, UNIT_INTERVAL
from ppl.compiler.ir.types import BOOL, REAL, UNIT, Type, array, element, shape
from ppl.compiler.syntax import ast

METHODS = (
    "enumerate",
    "importance",
    "smc",
    "rmsmc",
    "nuts",
    "hmc",
    "mh",
    "laplace",
    "map",
    "vi",
    "normalise",
    "pmmh",
    "smc2",
    "auto",
)


def apply_model(
    cx: Context, scope: ModuleScope, signature: Signature, e: ast.Call, instance: Instance, args: dict[str, Value]
) -> Value:
    """``m(args)``: a distribution over what the model returns; a guide applied is a Guide."""
    from ppl.compiler.check.calls import own_checks, solved_sizes

    if any(v.unknown for v in args.values()):
        return unknown(e.span)
    open_sizes = cx.open_sizes and any(s is None for s in instance.sizes.values())
    sizes = (
        tuple((n, s) for n, s in instance.sizes.items() if s is not None)
        if open_sizes
        else solved_sizes(cx, signature, instance, e)
    )
    if sizes is None:
        return unknown(e.span)
    model = scope.parts.models.get(signature.name)
    if model is not None:
        own_checks(cx, model.size_checks, dict(sizes), e)
    result = substitute(signature.result if signature.result is not None else UNIT, dict(sizes))
    support = substitute_support(signature.result_support, dict(sizes))
    kind: Type = ty.Dist(result)
    if signature.kind == "guide":
        target = model.guide_for if model is not None and model.guide_for else signature.name
        kind = ty.Guide(ty.Trace(target))
    level = joined_level(*args.values())
    reference = ir.ModelRef(
        signature.name, ty.Function(tuple(p.type for p in signature.params), kind), span=e.function.span
    )
    op = ir.ApplyModel(reference, tuple((n, v.atom) for n, v in args.items()), sizes)
    discrete = all(s.discrete for s in model.sites) if model is not None and model.sites else None
    facts = DistFacts(event=None, discrete=discrete, model=signature.name, sizes=sizes)
    return Value(
        cx.let(op, kind, support, level, e.span, signature.name.rsplit(".", 1)[-1]),
        kind,
        support,
        level,
        e.span,
        dist=facts,
    )


def given(cx: Context, e: ast.Given) -> Value:
    from ppl.compiler.check.expressions import check

    before, cx.open_sizes = cx.open_sizes, True
    target = check(cx, e.model)
    cx.open_sizes = before
    model = cx.module.parts.models.get(target.dist.model) if target.dist is not None and target.dist.model else None
    if not target.unknown and not isinstance(target.type, (ty.Dist, ty.Target)):
        cx.error(
            "E201",
            f"`given` conditions an applied model, not {describe(target.type)}",
            target.span,
            f"this is {describe(target.type)}",
        )
    fields: list[tuple[str, ir.Atom]] = []
    level = target.level
    known = dict(target.dist.sizes) if target.dist is not None else {}
    instance = Instance({n: known.get(n) for n in model.sizes} if model is not None else {})
    for f in e.fields:
        expr = f.value if f.value is not None else ast.Name(f.name, span=f.span)
        site = next((s for s in model.sites if s.name == f.name), None) if model is not None else None
        if model is not None and site is None:
            near = nearest(f.name, [s.name for s in model.sites])
            helps = (Help(f"did you mean `{near}`?", (Edit(f.span, near),)),) if near else ()
            cx.error(
                "E104",
                f"the model `{model.name}` has no random variable `{f.name}`",
                f.span,
                "no such variable",
                helps=helps,
            )
            check(cx, expr)
            continue
        value = check(cx, expr) if site is None or model is None else _given_value(cx, model, site, expr, instance)
        fields.append((f.name, value.atom))
        level = max(level, value.level)
    if target.unknown:
        return unknown(e.span)
    kind: Type = (
        ty.Target(ty.Trace(target.dist.model)) if target.dist is not None and target.dist.model else target.type
    )
    sizes = tuple((n, s) for n, s in instance.sizes.items() if s is not None)
    var = cx.let(ir.GivenOp(target.atom, tuple(fields), sizes), kind, ANYTHING, level, e.span)
    facts = _conditioned(target, model, tuple(n for n, _ in fields), sizes)
    return Value(var, kind, ANYTHING, level, e.span, dist=facts)


def _conditioned(
    target: Value, model: ir.Model | None, given: tuple[str, ...], sizes: tuple[tuple[str, Size], ...]
) -> DistFacts | None:
    """What is known of it: the variables that are left, and what it returns."""
    facts = target.dist
    if facts is None or model is None:
        return facts
    returns = facts.returns
    if isinstance(target.type, ty.Dist):
        returns = substitute(target.type, dict(sizes)), substitute_support(target.support, dict(sizes))
    left = facts.keeps if facts.keeps is not None else frozenset(s.name for s in model.sites)
    return replace(facts, sizes=sizes, returns=returns, keeps=left - set(given))


def _given_value(cx: Context, model: ir.Model, site: ir.SiteInfo, expr: ast.Expr, instance: Instance) -> Value:
    from ppl.compiler.check.expressions import check, mismatch

    value = check(cx, expr)
    if not match(cx, site.type, value.type, instance, f"`{site.name}`"):
        mismatch(cx, value, site.type, f"the value of `{site.name}`", "E201", ((site.span, "drawn here"),))
        return unknown(expr.span)
    return replace(value, atom=promote(cx, value, array(element(site.type), *shape(value.type))))


# --- infer and expect -------------------------------------------------------------------------------------------------


def infer(cx: Context, e: ast.Infer) -> Value:
    from ppl.compiler.check.statements import returning_body

    inner = cx.child("infer")
    with inner.block() as statements:
        inner.frames[-1].block = statements
        value = returning_body(inner, e.body, None)
    from ppl.compiler.check.declarations import close_sites

    close_sites(inner)
    m = method(cx, e.method)
    if value.unknown:
        return unknown(e.span)
    type_ = ty.Dist(value.type)
    op = ir.InferOp(ir.Block(tuple(statements), (value.atom,)), m)
    level = _block_level(statements, value)
    discrete = element(value.type) != REAL
    return Value(
        cx.let(op, type_, value.support, level, e.span),
        type_,
        value.support,
        level,
        e.span,
        dist=DistFacts("infer", discrete=discrete),
    )


def _block_level(statements: list[ir.Stmt], value: Value) -> Level:
    from ppl.compiler.check.closures import captured_level

    return captured_level(statements, value.atom, [])


def expect(cx: Context, e: ast.Expect) -> Value:
    from ppl.compiler.check.declarations import close_sites
    from ppl.compiler.check.expressions import in_block
    from ppl.compiler.check.statements import returning_body

    inner = cx.child("expect")
    with inner.block() as statements:
        inner.frames[-1].block = statements
        value = returning_body(inner, e.body, None)
    close_sites(inner)
    if value.unknown:
        return unknown(e.span)
    if element(value.type) not in (REAL, ty.INT):
        cx.error(
            "E201",
            f"an expectation is over numbers, not {describe(value.type)}",
            value.span,
            f"this is {describe(value.type)}",
            helps=(Help("a probability is the expectation of `where(c, 1, 0)`"),) if value.type == BOOL else (),
        )
        return unknown(e.span)
    type_ = array(REAL, *shape(value.type))
    atom = in_block(cx, statements, value, type_)
    op = ir.ExpectOp(ir.Block(tuple(statements), (atom,)))
    level = max(_block_level(statements, value), Level.DATA)
    return Value(cx.let(op, type_, REALS, level, e.span), type_, REALS, level, e.span)


def method(cx: Context, e: ast.Expr | None) -> ir.Method | None:
    """``importance(100)``; None where nothing was said."""
    from ppl.compiler.check.expressions import check

    if e is None:
        return None
    name, args = (e.function, e.args) if isinstance(e, ast.Call) else (e, ())
    if not isinstance(name, ast.Name) or name.id not in METHODS:
        text = cx.text(name.span)
        near = nearest(text, METHODS)
        helps = (
            (Help(f"did you mean `{near}`?", (Edit(name.span, near),)),)
            if near
            else (Help(f"methods are {', '.join(f'`{m}`' for m in METHODS)}"),)
        )
        cx.error("E101", f"there is no inference method `{text}`", name.span, "unknown method", helps=helps)
        return None
    positional, keywords = [], []
    for a in args:
        value = check_option(cx, a.value, check)
        if a.name is None:
            positional.append(value)
        else:
            keywords.append((a.name, value))
    return ir.Method(name.id, tuple(positional), tuple(keywords), span=e.span)


def check_option(cx: Context, e: ast.Expr, check) -> ir.Atom:
    """An option of a method: a value, or a bare word such as ``systematic``."""
    if isinstance(e, ast.Name) and cx.lookup(e.id) is None and cx.site(e.id) is None and e.id not in cx.generics.sizes:
        return ir.Lit(e.id, ty.STRING, span=e.span)
    return check(cx, e).atom


# --- special forms ----------------------------------------------------------------------------------------------------


def special(cx: Context, e: ast.Call, name: str) -> Value:
    if name == "sim":
        cx.error("E312", "`sim` draws: it stands behind `~`", e.span, "", helps=(Help("write `(z, lq) ~ sim(q)`"),))
        return unknown(e.span)
    if name == "density":
        return density(cx, e)
    if name == "marginal":
        return _marginal(cx, e)
    return _log_prob(cx, e, name)


def density(cx: Context, e: ast.Call) -> Value:
    from ppl.compiler.check.calls import as_target
    from ppl.compiler.check.expressions import check, mismatch

    bound = bind(cx, "density(p, z)", [("p", False), ("z", False)], e.args, e.span, e.function.span)
    if bound is None:
        return unknown(e.span)
    p, z = as_target(check(cx, bound["p"]), ty.Target(UNKNOWN)), check(cx, bound["z"])
    if p.unknown or z.unknown:
        return unknown(e.span)
    if not isinstance(p.type, (ty.Target, ty.Guide)):
        cx.error(
            "E201",
            f"`density` is of a target or guide, not of {describe(p.type)}",
            p.span,
            f"this is {describe(p.type)}",
            helps=(Help("the log density of a distribution is `logprob(d, x)`"),)
            if isinstance(p.type, ty.Dist)
            else (),
        )
        return unknown(e.span)
    if not match(cx, p.type.trace, z.type, Instance()):
        mismatch(cx, z, p.type.trace, "the trace", "E201", ((p.span, f"this is {describe(p.type)}"),))
        return unknown(e.span)
    level = max(joined_level(p, z), Level.CONTINUOUS)
    return Value(cx.let(ir.Density(p.atom, z.atom), REAL, REALS, level, e.span), REAL, REALS, level, e.span)


def _log_prob(cx: Context, e: ast.Call, name: str) -> Value:
    from ppl.compiler.check.expressions import check, conform

    bound = bind(cx, f"{name}(d, x)", [("d", False), ("x", False)], e.args, e.span, e.function.span)
    if bound is None:
        return unknown(e.span)
    d, x = check(cx, bound["d"]), check(cx, bound["x"])
    if d.unknown or x.unknown:
        return unknown(e.span)
    if not isinstance(d.type, ty.Dist):
        cx.error(
            "E201",
            f"`{name}` is of a distribution, not of {describe(d.type)}",
            d.span,
            f"this is {describe(d.type)}",
            helps=(Help("the distribution comes first: `logprob(d, x)`"),),
        )
        return unknown(e.span)
    if shape(x.type) and not shape(d.type.value):
        wanted: Type = array(element(d.type.value), *shape(x.type))
    else:
        wanted = d.type.value
    x = conform(cx, x, wanted, "the value")
    event = d.dist.event if d.dist is not None and d.dist.event is not None else len(shape(d.type.value))
    batch = shape(wanted)[: len(shape(wanted)) - event]
    type_ = array(REAL, *batch)
    support = UNIT_INTERVAL if name == "cdf" else REALS
    level = joined_level(d, x)
    op = ir.LogProb(d.atom, x.atom, "cdf" if name == "cdf" else "logprob")
    return Value(cx.let(op, type_, support, level, e.span), type_, support, level, e.span)


def _marginal(cx: Context, e: ast.Call) -> Value:
    from ppl.compiler.check.expressions import check

    parts: dict[str, ast.Expr] = {}
    for name, a in zip(("target", "keep", "by"), [a for a in e.args if a.name is None], strict=False):
        parts[name] = a.value
    for a in e.args:
        if a.name is not None and a.name not in ("keep", "by"):
            cx.error(
                "E203",
                f"there is no parameter `{a.name}`",
                a.span,
                "unknown keyword",
                notes=("the signature is `marginal(m(…), keep = (…), by = method)`",),
            )
        elif a.name is not None:
            parts[a.name] = a.value
    if "target" not in parts or "keep" not in parts:
        cx.error(
            "E203",
            "`marginal` needs a model and the variables to keep",
            e.span,
            "",
            notes=("the signature is `marginal(m(…), keep = (…), by = method)`",),
        )
        return unknown(e.span)
    target = check(cx, parts["target"])
    kept = parts["keep"].elements if isinstance(parts["keep"], ast.TupleLit) else (parts["keep"],)
    model = cx.module.parts.models.get(target.dist.model) if target.dist is not None and target.dist.model else None
    names: list[str] = []
    for k in kept:
        text = cx.text(k.span)
        if not isinstance(k, (ast.Name, ast.Attribute)):
            cx.error("E104", "`keep` names random variables of the model", k.span, "not a name")
        elif (
            model is not None
            and model.sites
            and not any(s.name == text or s.name.startswith(text + ".") for s in model.sites)
        ):
            near = nearest(text, [s.name for s in model.sites])
            helps = (Help(f"did you mean `{near}`?", (Edit(k.span, near),)),) if near else ()
            cx.error(
                "E104",
                f"the model `{model.name}` has no random variable `{text}`",
                k.span,
                "no such variable",
                helps=helps,
            )
        names.append(text)
    m = method(cx, parts.get("by"))
    if target.unknown:
        return unknown(e.span)
    if not isinstance(target.type, (ty.Dist, ty.Target, ty.Guide)):
        cx.error(
            "E201",
            f"`marginal` is of an applied model or guide, not of {describe(target.type)}",
            target.span,
            f"this is {describe(target.type)}",
        )
        return unknown(e.span)
    var = cx.let(ir.Marginal(target.atom, tuple(names), m), target.type, target.support, target.level, e.span)
    facts = target.dist if target.dist is None else replace(target.dist, keeps=frozenset(names))
    return Value(var, target.type, target.support, target.level, e.span, dist=facts)
