"""From a target, an objective and a guide to an ``ObjectiveProgram``: passes, sizes, arguments, strategies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray

from ppl.compiler.emit.code import Code
from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.estimate.axes import NotLocal
from ppl.compiler.emit.estimate.choose import Chosen, draws
from ppl.compiler.emit.estimate.emitted import EmittedObjective, Pieces
from ppl.compiler.emit.estimate.keys import Keys
from ppl.compiler.emit.estimate.strategies import Longer, SharedAxes, Strategy
from ppl.compiler.emit.target import EmittedTarget
from ppl.compiler.ir.nodes import Model, Plate, Program
from ppl.compiler.ir.types import IndexType, Scalar, Type, element, shape
from ppl.compiler.ir.walk import walk as nodes_of
from ppl.compiler.passes.base import replace_model
from ppl.compiler.passes.elementwise import element_by_element
from ppl.compiler.passes.fuse import fuse
from ppl.compiler.passes.schedule import run_passes
from ppl.compiler.passes.weighted_draws import WeightedDrawError, draw_by_weight
from ppl.core.objective import GuideProgram


def objective(
    target: EmittedTarget,
    objective: Model,
    guide: Model | GuideProgram | None,
    arguments: Mapping[str, Any] | None = None,
    *,
    program: Program | None = None,
    library: Program | None = None,
    strategies: Mapping[str, Strategy] | None = None,
    samples: int = 1,
    leave_one_out: bool = False,
    minibatch: Mapping[str, int] | None = None,
) -> EmittedObjective:
    """The objective of ``target`` and ``guide``.

    ``program`` is that of the guide and of the objective (the target's, if not given), ``library`` that of the
    objective where it comes from another file. ``arguments``: the other parameters of the objective, and those
    parameters of the guide that are not parameters or data of the model. ``strategies`` overrides the strategy of
    draws, by site.
    ``samples`` replicates of the whole estimate are averaged, and with ``leave_one_out`` each is the baseline of the
    others. ``minibatch``: for the plates along an axis of this name, how many random iterations stand for all.

    EmissionError where a draw's strategy cannot be used, with the statement that prevents it."""
    given = dict(arguments or {})
    code = target.plan.code
    source = program if program is not None else code.program
    own_guide = None if isinstance(guide, GuideProgram) else guide
    singly = _singly(own_guide, strategies or {})
    guide_code = None if own_guide is None else _guide_code(source, own_guide, target, given, singly)
    guide_arguments = _known(guide_code, {**target.args, **target.data, **given}) if guide_code is not None else {}
    own = {p.name: given[p.name] for p in objective.params if p.name in given}
    objective_code = _code(library or source, objective, _sizes(objective, own, {}), singly)
    guided = guide_code.model if guide_code is not None else None
    target_code = _elementwise(code, singly)
    chosen = Chosen(
        source,
        [objective_code.model, *([guided] if guided is not None else [])],
        target_code.model,
        guide_code.sizes if guide_code is not None else objective_code.sizes,
        strategies or {},
    )
    batches = tuple((n, used, _rows_in_all(n, code)) for n, used in (minibatch or {}).items())
    made = EmittedObjective(
        pieces=Pieces(objective_code, guide_code, target_code, chosen, samples, leave_one_out, batches),
        strategies=(),
        target=target,
        python_guide=guide if isinstance(guide, GuideProgram) else None,
        arguments=_arguments(objective_code, own),
        guide_arguments=guide_arguments,
    )
    lengths, keys = _settle(made, chosen)
    return replace(made, strategies=chosen.report(), pieces=replace(made.pieces, alternatives=lengths, keys=keys))


def _arguments(code: Code, own: Mapping[str, Any]) -> dict[str, Any]:
    return {p.name: _value(p.var.type, own[p.name]) for p in code.model.params if p.name in own and not p.is_size}


def _settle(made: EmittedObjective, chosen: Chosen) -> tuple[tuple[int, ...], int]:
    """Traces the estimator once; a variable that was to be enumerated and cannot be is drawn in another way. Gives the
    lengths of the shared axes, and the number of keys."""
    demand: list[int] = []
    lengths: dict[int, int] = {}
    keys = 0

    def surrogate(key: PRNGKeyArray) -> Array:
        nonlocal keys
        estimator = made._estimator(Keys(key), chosen, made._replicates())
        estimator.shared = SharedAxes(tuple(lengths.get(n, 0) for n in range(1 + max(lengths, default=-1))))
        value = made._surrogate(made.initial(key), estimator)
        demand[:], keys = estimator.shared.demand, estimator.keys.taken
        return value

    while True:
        try:
            jax.eval_shape(surrogate, jax.eval_shape(lambda: jax.random.key(0)))
            return tuple(demand), keys
        except Longer as error:
            lengths[error.number] = error.length
        except NotLocal as error:
            lengths.clear()
            if not chosen.demote(error.choice.site):
                raise _too_many(error) from None


def _too_many(error: NotLocal) -> EmissionError:
    site = error.choice.site
    if error.together:
        return EmissionError(
            f"one term depends on {error.together} enumerated draws at once, among them `{site}`",
            error.span,
            notes=("it has a value for each combination of theirs; terms that depend on few draws stay small",),
            helps=(f"draw `{site}` via reinforce",),
        )
    return EmissionError(
        f"the alternatives of `{site}` are read here in every combination of those in all iterations",
        error.span,
        notes=("each iteration has its own values: K of them in N iterations are K^N combinations",),
        helps=(f"draw `{site}` via reinforce",),
    )


def _code(program: Program, model: Model, sizes: Mapping[str, int], singly: frozenset[str]) -> Code:
    try:
        program = replace_model(program, draw_by_weight(model))
    except WeightedDrawError as error:
        raise EmissionError(error.message, error.span, helps=(error.edit,)) from None
    passed = run_passes(program, model.name).program
    return _elementwise(Code(passed, passed.model(model.name), dict(sizes)), singly)


def _elementwise(code: Code, singly: frozenset[str]) -> Code:
    """Arrays of discrete variables, and of those in ``singly``, are drawn and scored element by element, so that each
    element is local."""
    wanted = {s.name for s in code.model.sites if s.discrete} | singly
    model = fuse(element_by_element(code.model, wanted), wanted)[0]
    return code if model is code.model else Code(code.program, model, code.sizes)


def _singly(guide: Model | None, strategies: Mapping[str, Strategy]) -> frozenset[str]:
    """The variables whose strategy charges each element with its own cost."""
    found = {site for site, strategy in strategies.items() if strategy.name != "reparam"}
    for draw in draws(guide) if guide is not None else ():
        if draw.strategy is not None and draw.strategy.name in ("reinforce", "mvd"):
            found.add(draw.site)
    return frozenset(found)


def _guide_code(
    program: Program, guide: Model, target: EmittedTarget, given: Mapping[str, Any], singly: frozenset[str]
) -> Code:
    known = {**target.args, **target.data, **given}
    return _code(program, guide, _sizes(guide, known, target.plan.code.sizes), singly)


def _sizes(model: Model, given: Mapping[str, Any], outer: Mapping[str, int]) -> dict[str, int]:
    """The values of a model's size variables: of the target by name, then from sizes and arrays that are given."""
    found = {n: outer[n] for n in model.sizes if n in outer}
    for p in model.params:
        if p.is_size and p.name in given:
            found[p.var.id] = int(given[p.name])
        elif p.is_size and p.name in outer:
            found[p.var.id] = outer[p.name]
        elif p.name in given:
            lengths = zip(shape(p.var.type), jnp.shape(given[p.name]), strict=False)
            found |= {str(n): length for n, length in lengths if str(n) in model.sizes and str(n) not in found}
    return found


def _known(code: Code, values: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for p in code.model.params:
        if p.is_size:
            continue
        if p.name in values:
            found[p.name] = _value(p.var.type, values[p.name])
        elif p.default is None:
            raise EmissionError(f"the guide `{code.model.name}` needs a value for `{p.name}`", p.var.span)
    return found


def _value(t: Type, x: Any) -> Any:
    """Numbers, and arrays of numbers however they are given, as arrays."""
    if isinstance(element(t), (Scalar, IndexType)):
        return jnp.asarray(x)
    return jax.tree.map(lambda leaf: jnp.asarray(leaf) if hasattr(leaf, "shape") else leaf, x)


def _rows_in_all(axis: str, code: Code) -> int:
    for node in nodes_of(code.model.body):
        if isinstance(node, Plate) and node.axis == axis:
            return node.upper.evaluate(code.sizes) - node.lower.evaluate(code.sizes)
    raise EmissionError(f"no plate of the model runs along `{axis}`", code.model.span)


__all__ = ["EmittedObjective", "objective"]
