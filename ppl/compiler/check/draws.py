"""Draws: the target, the distribution at the declared type, the random variable that comes into being."""

from __future__ import annotations

from dataclasses import replace

from ppl.compiler.check import support_rules as rules
from ppl.compiler.check.context import Context, suggestion
from ppl.compiler.check.declared_draws import at_declared_type
from ppl.compiler.check.frames import Box, Frame, Site, SitePiece, point
from ppl.compiler.check.indexing import atom_of, subscripts_of
from ppl.compiler.check.pieces import add_piece, readable
from ppl.compiler.check.strategies import strategy
from ppl.compiler.check.unify import describe, fits, substitute, substitute_support
from ppl.compiler.check.values import DistFacts, Value
from ppl.compiler.diagnostics.diagnostic import Edit, Help
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.nodes import Level, Role
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import ANYTHING, Support
from ppl.compiler.ir.types import REAL, Type, element
from ppl.compiler.syntax import ast


def draw(cx: Context, stmt: ast.Draw) -> None:
    from ppl.compiler.check.expressions import check

    if not allowed(cx, stmt):
        check(cx, stmt.dist)
        _broken(cx, stmt)
        return
    if (
        isinstance(stmt.dist, ast.Call)
        and isinstance(stmt.dist.function, ast.Name)
        and cx.peek(stmt.dist.function.id) is None
    ):
        if stmt.dist.function.id == "sim":
            simulate(cx, stmt)
            return
        if stmt.dist.function.id == "density" and stmt.role == "latent":
            value = check(cx, stmt.dist)
            define(cx, stmt.target, value, "let", stmt.span, stmt.doc)
            return
    dist = check(cx, stmt.dist)
    where = target(cx, stmt.target)
    if dist.unknown or where is None:
        _broken(cx, stmt)
        return
    if not isinstance(dist.type, ty.Dist):
        _not_a_distribution(cx, stmt, dist)
        _broken(cx, stmt)
        return
    drawn = at_declared_type(cx, stmt, dist)
    if drawn is None:
        _broken(cx, stmt)
        return
    dist, value_type, support, missing = drawn
    facts = dist.dist or DistFacts()
    discrete = facts.discrete if facts.discrete is not None else element(value_type) != REAL
    _check_measure(cx, stmt, facts, dist)
    name, box = where
    kind = "latent" if stmt.role == "latent" else stmt.role
    site = register(cx, stmt, name, box, kind, value_type, support, discrete, missing, facts)
    if site is None:
        return
    level = _level(stmt, facts, discrete, missing)
    var = cx.var(_hint(name, box, cx), value_type, support, level, stmt.span)
    affine = tuple(lo for lo, _ in box)
    indices = tuple(atom_of(cx, p, stmt.span) for p in affine)
    via = strategy(cx, stmt.via, facts, discrete) if stmt.via is not None else None
    cx.emit(ir.Draw(var, name, dist.atom, Role(stmt.role), indices, affine, via, missing, span=stmt.span))
    add_piece(cx, site, SitePiece(box, (), var, stmt.target.span), cx.frames[-1])
    if facts.model is not None:
        _fields(cx, stmt, site, box, var, facts.model, dict(facts.sizes))


def _hint(name: str, box: Box, cx: Context) -> str:
    if not box:
        return name
    indices = [
        f.index_name for f in cx.frames if f.index is not None and any(f.index.id in lo.variables for lo, _ in box)
    ]
    return (
        "_".join([name, *(indices or [str(lo) for lo, _ in box])])
        .replace(" ", "")
        .replace("-", "m")
        .replace("+", "p")
        .replace("*", "")
    )


def _level(stmt: ast.Draw, facts: DistFacts, discrete: bool, missing: bool) -> Level:
    if stmt.role == "data" and not missing:
        return Level.DATA
    return Level.DISCRETE if discrete else Level.CONTINUOUS


# --- where draws may stand -----------------------------------------------------------------------------------------


def allowed(cx: Context, stmt: ast.Draw) -> bool:
    if not cx.may_draw:
        where = {
            "fn": "a function is deterministic",
            "lambda": "a lambda is deterministic",
            "logpdf": "a log density is deterministic",
            "objective": "an objective draws inside `expect` only",
            "const": "a constant is deterministic",
        }.get(cx.kind, "")
        helps = (
            (Help("draw inside `expect { … }`"),)
            if cx.kind == "objective"
            else (Help("make it a `model`, and run it with `~`"),)
        )
        cx.error(
            "E312",
            "a random variable is drawn where nothing may be drawn",
            stmt.span,
            where or "not allowed here",
            helps=helps,
        )
        return False
    if stmt.role == "data" and cx.kind != "model":
        cx.error(
            "E312",
            f"`data` stands in models only, not in {_article(cx.kind)}",
            stmt.span,
            "not allowed here",
            helps=(Help("`observe e ~ D` conditions on a value"),),
        )
        return False
    if stmt.role == "aux" and cx.kind != "guide":
        cx.error(
            "E312",
            f"`aux` stands in guides only, not in {_article(cx.kind)}",
            stmt.span,
            "not allowed here",
            helps=(Help("in a model every latent is drawn without `aux`"),),
        )
        return False
    return True


def _article(kind: str) -> str:
    return {
        "infer": "`infer`",
        "expect": "`expect`",
        "sample": "the sampler of a distribution",
        "objective": "an objective",
    }.get(kind, f"a {kind}")


def _not_a_distribution(cx: Context, stmt: ast.Draw, dist: Value) -> None:
    helps: tuple[Help, ...] = ()
    if isinstance(dist.type, ty.Guide):
        helps = (Help("`(z, lq) ~ sim(q)` draws a trace of a guide"),)
    elif isinstance(dist.type, ty.Function) and isinstance(dist.type.result, ty.Dist):
        helps = (Help("apply the model to its arguments"),)
    elif stmt.role == "latent" and isinstance(stmt.target, ast.Name):
        text = cx.text(dist.span)
        helps = (
            suggestion("a computed value is named by `let`", stmt.span, f"let {cx.text(stmt.target.span)} = {text}"),
        )
    cx.error(
        "E201",
        f"behind `~` stands a distribution, not {describe(dist.type)}",
        dist.span,
        f"this is {describe(dist.type)}",
        helps=helps,
    )


# --- targets -------------------------------------------------------------------------------------------------------


def target(cx: Context, e: ast.Expr) -> tuple[str, Box] | None:
    """The name and the box (one point an axis) that a statement defines; None after an error."""
    if isinstance(e, ast.Name):
        return (e.id, ()) if _every_loop_indexed(cx, e.id, (), e) else None
    if isinstance(e, ast.Index) and isinstance(e.base, ast.Name):
        subscripts = subscripts_of(cx, e.subscripts)
        if subscripts is None:
            return None
        points: list[Size] = []
        for s, written in zip(subscripts, e.subscripts, strict=True):
            if s.point is None or not _unit(cx, s.point):
                cx.error(
                    "E315",
                    f"`{cx.text(written.span)}` can't stand as the index of what is defined",
                    written.span,
                    "not a loop index plus a constant",
                    notes=("only then it is known that each element is defined exactly once",),
                    helps=(Help("`x[t]`, `x[t + 1]` and `x[0]` can"),),
                )
                return None
            points.append(s.point)
        if not _distinct(cx, points, e) or not _every_loop_indexed(cx, e.base.id, tuple(points), e):
            return None
        return e.base.id, tuple(point(p) for p in points)
    cx.error(
        "E204",
        "one variable is drawn at a time",
        e.span,
        "a tuple",
        helps=(Help("draw `x ~ D`, then `let (a, b) = x`"),),
    )
    return None


def _unit(cx: Context, p: Size) -> bool:
    """At most one loop index, with the factor 1."""
    indices = [v for v in p.variables if cx.is_loop_index(v)]
    if not indices:
        return True
    rest = p - Size.var(indices[0])
    return len(indices) == 1 and not any(cx.is_loop_index(v) for v in rest.variables)


def _distinct(cx: Context, points: list[Size], e: ast.Index) -> bool:
    used = [v for p in points for v in p.variables if cx.is_loop_index(v)]
    if len(used) == len(set(used)):
        return True
    cx.error(
        "E303",
        "only a diagonal is defined: one loop index stands on two axes",
        e.span,
        "the other elements are missing",
    )
    return False


def _every_loop_indexed(cx: Context, name: str, points: tuple[Size, ...], e: ast.Expr) -> bool:
    """Each open loop of this body must choose an element: otherwise its iterations define the same one again."""
    used = {v for p in points for v in p.variables}
    for f in cx.own_frames:
        if f.index is not None and f.index.id not in used:
            new = f"{name}[{', '.join([f.index_name, *(readable(cx, p) for p in points)])}]"
            cx.error(
                "E302",
                f"every iteration defines `{cx.text(e.span) or name}` again",
                e.span,
                f"no index `{f.index_name}`",
                ((_head(cx, f), f"the iterations of `{f.index_name}`"),),
                ("each random variable is defined exactly once",),
                (Help(f"write `{new}`", (Edit(e.span, new),)),),
            )
            return False
    return True


def _head(cx: Context, f: Frame) -> Span:
    """The first line of a loop."""
    text = cx.text(f.span)
    return Span(f.span.file, f.span.start, f.span.start + len(text.split("{")[0].rstrip())) if text else f.span


# --- sites ---------------------------------------------------------------------------------------------------------


def register(
    cx: Context,
    stmt: ast.Stmt,
    name: str,
    box: Box,
    kind: str,
    type_: Type,
    support: Support,
    discrete: bool,
    missing: bool,
    facts: DistFacts | None,
) -> Site | None:
    """The site of the name: new, or extended by another element. None after an error."""
    span = stmt.target.span if hasattr(stmt, "target") else stmt.span
    site = cx.sites.get(name)
    if site is None:
        local = cx.peek(name)
        outer = cx.parent.site(name) if cx.parent is not None else None
        if local is not None or (outer is not None and outer.kind != "let"):
            earlier = local.span if local is not None else outer.span
            cx.error(
                "E102",
                f"the name `{name}` is already defined",
                span,
                "defined again here",
                ((earlier, "first defined here"),),
            )
            return None
        site = Site(
            name,
            kind,
            type_,
            support,
            discrete,
            len(box),
            span,
            missing,
            stmt.doc,
            facts.model if facts else None,
            dist=facts,
        )
        cx.sites[name] = site
        return site
    if site.broken:
        return None
    if site.kind != kind:
        cx.error(
            "E301",
            f"`{name}` is defined as {site.kind} and as {kind}",
            span,
            f"{kind} here",
            ((site.span, f"{site.kind} here"),),
        )
        return None
    if site.rank != len(box):
        cx.error(
            "E309",
            f"`{name}` is defined with {len(box)} and with {site.rank} indices",
            span,
            f"{len(box)} here",
            ((site.span, f"{site.rank} here"),),
        )
        return None
    if site.rank == 0 and any(name in f.partial for f in cx.own_frames):
        earlier = next(f.partial[name] for f in cx.own_frames if name in f.partial)
        cx.error(
            "E301",
            f"the random variable `{name}` is drawn twice on one path",
            span,
            "again here",
            ((earlier, "first here, on one path"),),
        )
        return None
    if (
        not fits(cx, site.element, type_, span, f"`{name}`")[0]
        and not fits(cx, type_, site.element, span, f"`{name}`")[0]
    ):
        cx.error(
            "E309",
            f"`{name}` has different types: {type_} and {site.element}",
            span,
            f"this is {describe(type_)}",
            ((site.span, f"this is {describe(site.element)}"),),
        )
        return None
    if facts is not None and site.dist is not None and facts.name != site.dist.name:
        _mixed_paths(cx, site, facts, span)
    site.support = rules.join(site.support, support)
    site.missing = site.missing or missing
    site.discrete = site.discrete and discrete
    if element(site.element) != element(type_) and element(type_) == REAL:
        site.element = type_
    site.dist = None
    return site


def _mixed_paths(cx: Context, site: Site, facts: DistFacts, span: Span) -> None:
    """Indian GPA: an atom on one path and a density on another."""
    if site.dist is not None and ((site.dist.atom and facts.density) or (site.dist.density and facts.atom)):
        cx.error(
            "E313",
            f"`{site.name}` has an atom on one path and a density on another",
            span,
            "mixed measure",
            ((site.span, "the other path"),),
            (
                "the probability of a point and the density of a continuum can't be compared: a weight that mixes "
                "them is wrong",
            ),
        )


def _check_measure(cx: Context, stmt: ast.Draw, facts: DistFacts, dist: Value) -> None:
    if facts.atom and facts.density and facts.name != "mixture":
        cx.error(
            "E313",
            "the distribution has an atom on one path and a density on another",
            dist.span,
            "mixed measure",
            notes=(
                "the probability of a point and the density of a continuum can't be compared: a weight that mixes "
                "them is wrong",
            ),
        )
    elif facts.atom and stmt.role == "data":
        at = facts.argument("x")
        if at is not None and at.level == Level.CONTINUOUS:
            cx.error(
                "E313",
                "data are asked to equal a continuous random variable",
                at.span,
                "continuous",
                ((stmt.target.span, "observed here"),),
                ("the event has probability 0",),
                (Help("observe it with noise: `Normal(…, s)`"),),
            )
    if facts.improper and (stmt.role == "data" or cx.kind in ("guide", "sample")):
        cx.error(
            "E314",
            "`Flat` is improper and can't be drawn from",
            dist.span,
            "never drawn from",
            helps=(Help("`Flat` may stand as the prior of a latent of a model"),),
        )


def _broken(cx: Context, stmt: ast.Draw) -> None:
    """After an error the names are known, with unknown values, so that their uses report nothing."""
    from ppl.compiler.check.forecast import targets
    from ppl.compiler.check.values import UNKNOWN

    for name, subs, span in targets(stmt.target):
        site = cx.sites.get(name)
        if site is None:
            site = Site(name, stmt.role, UNKNOWN, ANYTHING, False, len(subs), span)
            cx.sites[name] = site
        site.broken = True


def _fields(cx: Context, stmt: ast.Draw, site: Site, box: Box, var: ir.Var, model: str, sizes: dict[str, Size]) -> None:
    """The variables of a submodel, read as ``x.theta``."""
    found = cx.module.parts.models.get(model)
    for s in _model_sites(cx, model) if found is not None else ():
        name = f"{site.name}.{s.name}"
        type_, support = substitute(s.type, sizes), substitute_support(s.support, sizes)
        level = Level.DATA if s.role == Role.DATA else Level.DISCRETE if s.discrete else Level.CONTINUOUS
        field = cx.let(ir.GetField(var, s.name), type_, support, level, stmt.span, f"{var.id}_{s.name}")
        inner = cx.sites.get(name)
        if inner is None:
            inner = Site(name, "field", type_, support, s.discrete, site.rank, s.span, role=s.role.value)
            cx.sites[name] = inner
        add_piece(cx, inner, SitePiece(box, (), field, stmt.target.span), cx.frames[-1])


def _model_sites(cx: Context, model: str) -> list[ir.SiteInfo]:
    """Own variables and those of its own submodels."""
    return [s for s in cx.module.parts.contexts[model].all_sites] if model in cx.module.parts.contexts else []


# --- simulation and arrays of values ---------------------------------------------------------------------------------


def simulate(cx: Context, stmt: ast.Draw) -> None:
    """``(z, lq) ~ sim(q)``: a trace with its log density."""
    from ppl.compiler.check.expressions import check

    call = stmt.dist
    assert isinstance(call, ast.Call)
    if cx.kind != "expect":
        cx.error("E312", "`sim` stands inside `expect` only", call.span, "not allowed here")
    if len(call.args) != 1 or not isinstance(stmt.target, ast.TupleLit) or len(stmt.target.elements) != 2:
        cx.error(
            "E203", "`sim` draws a trace with its log density", stmt.span, "", helps=(Help("write `(z, lq) ~ sim(q)`"),)
        )
        _broken(cx, stmt)
        return
    q = check(cx, call.args[0].value)
    if q.unknown:
        _broken(cx, stmt)
        return
    if isinstance(q.type, ty.Dist) and q.dist is not None and q.dist.model is not None:
        q = replace(q, type=ty.Guide(ty.Trace(q.dist.model)))
    if not isinstance(q.type, ty.Guide):
        cx.error(
            "E201", f"`sim` draws from a guide, not from {describe(q.type)}", q.span, f"this is {describe(q.type)}"
        )
        _broken(cx, stmt)
        return
    trace = cx.var("z", q.type.trace, ANYTHING, Level.CONTINUOUS, stmt.span)
    log_density = cx.var("lq", REAL, ANYTHING, Level.CONTINUOUS, stmt.span)
    cx.emit(ir.SimDraw(trace, log_density, q.atom, span=stmt.span))
    for t, var in zip(stmt.target.elements, (trace, log_density), strict=True):
        define(cx, t, Value(var, var.type, ANYTHING, Level.CONTINUOUS, t.span), "let", t.span, None)


def define(
    cx: Context, e: ast.Expr, value: Value, kind: str, span: Span, doc: str | None, missing: bool = False
) -> None:
    """``let x = …`` or ``let x[i] = …``: a name, or an element of an array."""
    if isinstance(e, ast.Name):
        cx.bind(e.id, value.at(e.span), e.span)
        return
    where = target(cx, e)
    if where is None or value.unknown:
        _broken(cx, ast.Draw(kind, e, None, e, None, span=span))
        return
    name, box = where
    stmt = ast.Let(e, None, e, span=span, doc=doc)
    site = register(cx, stmt, name, box, kind, value.type, value.support, element(value.type) != REAL, missing, None)
    if site is None:
        return
    atom = value.atom
    if not isinstance(atom, ir.Var) or cx.depth.get(atom.id, 0) < len(cx.frames):
        atom = cx.let(ir.Prim("copy", (atom,)), value.type, value.support, value.level, span, _hint(name, box, cx))
    add_piece(cx, site, SitePiece(box, (), atom, e.span), cx.frames[-1])
