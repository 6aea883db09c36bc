"""Draws: the target, the distribution at the declared type, the random variable that comes into being."""

from __future__ import annotations

from dataclasses import replace

from ppl.compiler.check.context import Context, suggestion
from ppl.compiler.check.declared_draws import at_declared_type
from ppl.compiler.check.definitions import define, element_name, simulate
from ppl.compiler.check.frames import Box, Site, SitePiece
from ppl.compiler.check.indexing import atom_of
from ppl.compiler.check.pieces import add_piece
from ppl.compiler.check.registration import broken, register
from ppl.compiler.check.strategies import strategy
from ppl.compiler.check.targets import target
from ppl.compiler.check.unify import describe, substitute, substitute_support
from ppl.compiler.check.values import DistFacts, Value, unknown
from ppl.compiler.diagnostics.diagnostic import Help
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.nodes import Level, Role
from ppl.compiler.ir.types import REAL, element
from ppl.compiler.syntax import ast


def draw(cx: Context, stmt: ast.Draw) -> None:
    from ppl.compiler.check.expressions import check

    if not allowed(cx, stmt):
        check(cx, stmt.dist)
        broken(cx, stmt)
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
    dist = _conditioned(cx, check(cx, stmt.dist))
    where = target(cx, stmt.target)
    if dist.unknown or where is None:
        broken(cx, stmt)
        return
    if not isinstance(dist.type, ty.Dist):
        _not_a_distribution(cx, stmt, dist)
        broken(cx, stmt)
        return
    drawn = at_declared_type(cx, stmt, dist)
    if drawn is None:
        broken(cx, stmt)
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
    var = cx.var(element_name(name, box, cx), value_type, support, level, stmt.span)
    affine = tuple(lo for lo, _ in box)
    indices = tuple(atom_of(cx, p, stmt.span) for p in affine)
    via = strategy(cx, stmt.via, facts, discrete) if stmt.via is not None else None
    cx.emit(ir.Draw(var, name, dist.atom, Role(stmt.role), indices, affine, via, missing, span=stmt.span))
    add_piece(cx, site, SitePiece(box, (), var, stmt.target.span), cx.frames[-1])
    if facts.model is not None:
        _fields(cx, stmt, site, box, var, facts)


def _conditioned(cx: Context, dist: Value) -> Value:
    """A conditioned model behind ``~`` is run: its sizes must be known."""
    facts = dist.dist
    model = None if facts is None or facts.model is None else cx.module.parts.models.get(facts.model)
    if not isinstance(dist.type, ty.Target) or facts is None or facts.returns is None or model is None:
        return dist
    unsolved = [n for n in model.sizes if n not in dict(facts.sizes)]
    if unsolved:
        text = f"the size `{unsolved[0]}` of `{model.name}` can't be found from the arguments and what is given"
        help_ = Help(f"give the sizes: `{model.name}[{', '.join(model.sizes)}](…)` with their values")
        label = f"`{unsolved[0]}` is not determined"
        cx.error("E213", text, dist.span, label, ((model.span, "declared here"),), helps=(help_,))
        return unknown(dist.span)
    type_, support = facts.returns
    return replace(dist, type=type_, support=support)


def _level(stmt: ast.Draw, facts: DistFacts, discrete: bool, missing: bool) -> Level:
    if stmt.role == "data" and not missing:
        return Level.DATA
    return Level.DISCRETE if discrete else Level.CONTINUOUS


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


def _fields(cx: Context, stmt: ast.Draw, site: Site, box: Box, var: ir.Var, facts: DistFacts) -> None:
    """The variables of a submodel, read as ``x.theta``."""
    model, sizes = facts.model or "", dict(facts.sizes)
    found = cx.module.parts.models.get(model)
    for s in _model_sites(cx, model) if found is not None else ():
        if facts.keeps is not None and s.name.split(".")[0] not in facts.keeps:
            continue
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
