"""Log densities of what is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from ppl.compiler.emit.errors import CompilerDefect
from ppl.compiler.emit.estimate.axes import Deps, Labelled, lift, merged
from ppl.compiler.emit.evaluate import Evaluator
from ppl.compiler.emit.frame import Frame
from ppl.compiler.emit.interpretation import DENSITY, Interpretation, log_density
from ppl.compiler.emit.traverse import Memo, draws_in
from ppl.compiler.ir.nodes import Assemble, Draw, Factor, Observe, Require, Stmt, Var
from ppl.compiler.ir.walk import definitions
from ppl.compiler.ir.walk import walk as nodes_of
from ppl.core.undefined import is_undefined

if TYPE_CHECKING:
    from ppl.compiler.emit.estimate.walk import Walk

_draws = Memo(draws_in)


def given_draw(walk: Walk, draw: Draw) -> None:
    """A draw whose value is known: its log density is a part."""
    given = walk.given[draw.var.id]
    known = given.value
    if known.missing is None and known.value is not None:
        walk.values[draw.var.id] = Labelled(known.value, given.axes, given.deps, given.dims)
    else:
        walk.values[draw.var.id] = lift(lambda g: g.value, given)
    dist = walk.array(draw.dist, draw.span)
    walk.add(lift(lambda d, g: _weight(draw, d, g), dist, given, span=draw.span))


def _weight(draw: Draw, dist: Any, given: Any) -> Any:
    return jnp.asarray(DENSITY.draw(draw, dist, given, lambda: None).weight, float)


def condition(walk: Walk, statement: Observe | Factor | Require) -> None:
    match statement:
        case Observe(value=value, dist=dist):
            d, x = walk.array(dist, statement.span), walk.array(value, statement.span)
            walk.add(lift(lambda d, x: jnp.sum(log_density("observe", d, x)), d, x, span=statement.span))
        case Factor(value=value):
            walk.add(walk.array(value, statement.span))
        case Require(condition=holds):
            walk.add(lift(lambda c: jnp.where(c, 0.0, -jnp.inf), walk.array(holds, statement.span)))


def evaluated(walk: Walk, statement: Stmt) -> None:
    """A whole statement, loops and branches included, by the ordinary evaluator of densities: one part."""
    found, results, _ = by_evaluator(walk, statement, DENSITY)
    for var, value in zip(results, found.value[0], strict=True):
        walk.values[var.id] = Labelled(value, found.axes, found.deps)
    walk.add(Labelled(found.value[1], found.axes, found.deps))


def by_evaluator(walk: Walk, statement: Stmt, interpretation: Interpretation) -> tuple[Labelled, tuple[Var, ...], Deps]:
    """The values of the variables that a statement defines, the log density, and its terms; with those variables, and
    what they depend on other than the draws that are given."""
    draws = [d.var.id for d in _draws(statement) if d.var.id in walk.given]
    sites = [n.site for n in nodes_of(statement) if isinstance(n, Assemble) and n.site in walk.whole]
    known = [walk.given[n] for n in draws] + [walk.whole[s] for s in sites]
    results = definitions(statement)

    def run(frame: Frame, *values: Any) -> Any:
        inner = Frame(
            frame,
            given=dict(zip(draws, values, strict=False)),
            whole=dict(zip(sites, values[len(draws) :], strict=True)),
        )
        inner.ranges.update(frame.ranges)
        Evaluator(interpretation).execute(statement, inner)
        weight, records, outputs = inner.effects()
        terms = [r.value for r in records.values()] + list(outputs.values())
        return tuple(inner.read(r) for r in results), jnp.asarray(0.0 if weight is None else weight, float), terms

    found = walk.lifted(statement, run, statement.span, tuple(known))
    if is_undefined(found.value[1]):
        raise CompilerDefect("a density depends on variables that nothing gives")
    others = merged([*(walk.uses(statement)), *(walk.whole[s].deps for s in sites)])
    return found, results, others
