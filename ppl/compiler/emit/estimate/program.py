"""Objectives of the language as ``ObjectiveProgram``s."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ppl.compiler.emit.code import Code, bind_parameters
from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.estimate import parameters
from ppl.compiler.emit.estimate.axes import Axis, Labelled, NotLocal
from ppl.compiler.emit.estimate.choose import Chosen
from ppl.compiler.emit.estimate.keys import Keys
from ppl.compiler.emit.estimate.measures import Emitted, Python
from ppl.compiler.emit.estimate.strategies import STRATEGIES, SharedAxes, Strategy
from ppl.compiler.emit.estimate.terms import Terms, collapsed
from ppl.compiler.emit.estimate.walk import Estimator, Walk
from ppl.compiler.emit.frame import Frame
from ppl.compiler.emit.target import EmittedTarget
from ppl.compiler.ir.nodes import Draw, Model, Program, SimDraw
from ppl.compiler.ir.types import Guide as GuideType
from ppl.compiler.ir.types import IndexType, Scalar, Type, element, shape
from ppl.compiler.ir.types import Target as TargetType
from ppl.compiler.ir.walk import walk as nodes_of
from ppl.compiler.passes.elementwise import element_by_element
from ppl.compiler.passes.fuse import fuse
from ppl.compiler.passes.schedule import run_passes
from ppl.core.objective import DrawStrategy, GuideProgram, ObjectiveProgram, Params
from ppl.core.target import Trace


@dataclass(frozen=True, eq=False)
class Pieces:
    """The static part of an objective: compared by identity, so one ``jit`` compiles it once."""

    objective: Code
    guide: Code | None
    target: Code
    chosen: Any
    samples: int
    leave_one_out: bool
    minibatch: tuple[tuple[str, int, int], ...]  # axis, rows used, rows in all
    alternatives: tuple[int, ...] = ()  # lengths of the shared axes
    keys: int | None = None  # how many an estimate takes


class EmittedObjective(ObjectiveProgram):
    """Array leaves: the model's arguments and data, the guide's, the objective's own, and those of extern functions.

    ``params`` has the entries ``guide`` and ``model``."""

    pieces: Pieces = eqx.field(static=True)
    strategies: tuple[DrawStrategy, ...] = eqx.field(static=True)
    target: EmittedTarget
    python_guide: GuideProgram | None
    arguments: dict[str, Any]
    guide_arguments: dict[str, Any]

    def initial(self, key: PRNGKeyArray) -> Params:
        found: dict[str, Any] = {}
        code = self.pieces.guide
        if self.python_guide is not None:
            found["guide"] = self.python_guide.initial(key)
        elif code is not None:
            found["guide"] = parameters.initial(code.model, self._frame(code, self.guide_arguments))
        found["model"] = parameters.initial(self.pieces.target.model, self._frame(self.pieces.target, self.target.args))
        return found

    def surrogate(self, params: Params, key: PRNGKeyArray) -> Float[Array, ""]:
        keys = Keys(key, self.pieces.keys)
        return self._surrogate(params, self._estimator(keys, self.pieces.chosen, self._replicates()))

    def _replicates(self) -> Axis | None:
        return Axis(self.pieces.samples) if self.pieces.samples > 1 else None

    def _surrogate(self, params: Params, estimator: Estimator) -> Float[Array, ""]:
        result = self._evaluated(estimator, params)
        value = collapsed(Terms(result.parts, result.kept) if isinstance(result, Terms) else result)
        return jnp.mean(value.value) if value.axes else value.value

    def constrain(self, params: Params) -> dict[str, Array]:
        found: dict[str, Array] = {}
        models = {"model": self.pieces.target.model}
        if self.pieces.guide is not None:
            models["guide"] = self.pieces.guide.model
        for owner, model in models.items():
            for name, value in parameters.constrained(model, params[owner]).items():
                found[f"{owner}.{name}" if name in found else name] = value
        return found

    def sample(self, params: Params, key: PRNGKeyArray) -> Trace:
        plain = STRATEGIES["plain"]
        estimator = Estimator(Keys(key), lambda _model, _draw: plain, SharedAxes(self.pieces.alternatives))
        walk = Walk(estimator, self.pieces.objective, self._frame(self.pieces.objective, self.arguments), (), made=[])
        trace, _ = self._guide(params).sim(walk, self.pieces.objective.model.span)
        return {n: v.value for n, v in trace.sites.items()}

    def _evaluated(self, estimator: Estimator, params: Params) -> Labelled | Terms:
        code = self.pieces.objective
        plates = () if estimator.replicates is None else (estimator.replicates,)
        walk = Walk(estimator, code, self._frame(code, self.arguments), plates)
        for p in code.model.params:
            if isinstance(p.var.type, GuideType):
                walk.values[p.var.id] = self._guide(params)
            elif isinstance(p.var.type, TargetType):
                walk.values[p.var.id] = self._target(params)
        (result,) = walk.block(code.model.body)
        return result

    def _guide(self, params: Params) -> Emitted | Python:
        if self.python_guide is not None:
            return Python(self.python_guide, params["guide"])
        code = self.pieces.guide
        if code is None:
            raise EmissionError("this objective has no guide", self.pieces.objective.model.span)
        values = parameters.constrained(code.model, params["guide"])
        return Emitted(code, self.target.externs, self.guide_arguments, {}, values)

    def _target(self, params: Params) -> Emitted:
        code = self.pieces.target
        values = parameters.constrained(code.model, params.get("model", {}))
        data = self.target.plan.given(self.target.data, {}, {}, code.layout)
        return Emitted(code, self.target.externs, self.target.args, self.target.constants, values, data)

    def _frame(self, code: Code, arguments: Mapping[str, Any]) -> Frame:
        frame = Frame(code.global_frame(self.target.externs if code is not self.pieces.objective else {}))
        plain = tuple(p for p in code.model.params if not isinstance(p.var.type, (GuideType, TargetType)))
        bind_parameters(frame, plain, dict(arguments))
        return frame

    def _estimator(self, keys: Keys, strategy: Any, replicates: Axis | None) -> Estimator:
        minibatch = {
            name: Axis(used, scale=whole / used, rows=_rows(keys, used, whole))
            for name, used, whole in self.pieces.minibatch
        }
        shared = SharedAxes(self.pieces.alternatives)
        return Estimator(keys, strategy, shared, replicates, self.pieces.leave_one_out, minibatch)


def _rows(keys: Keys, used: int, whole: int) -> Array:
    return jax.random.choice(keys.take().value, whole, (used,), replace=False)


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

    ``program`` is that of the guide and of the objective (the target's, if not given), ``library`` that of the objective
    where it comes from another file. ``arguments``: the other parameters of the objective, and those parameters of the
    guide that are not parameters or data of the model. ``strategies`` overrides the strategy of draws, by site.
    ``samples`` replicates of the whole estimate are averaged, and with ``leave_one_out`` each is the baseline of the
    others. ``minibatch``: for the plates along an axis of this name, how many random iterations stand for all.

    EmissionError where a draw's strategy cannot be used, with the statement that prevents it."""
    given = dict(arguments or {})
    code = target.plan.code
    source = program if program is not None else code.program
    guide_code = None if guide is None or isinstance(guide, GuideProgram) else _guide_code(source, guide, target, given)
    guide_arguments = _known(guide_code, {**target.args, **target.data, **given}) if guide_code is not None else {}
    own = {p.name: given[p.name] for p in objective.params if p.name in given}
    objective_code = _code(library or source, objective, _sizes(objective, own, {}), ())
    guided = guide_code.model if guide_code is not None else None
    target_code = _elementwise(code)
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
    keys = 0

    def surrogate(key: PRNGKeyArray) -> Array:
        nonlocal keys
        estimator = made._estimator(Keys(key), chosen, made._replicates())
        value = made._surrogate(made.initial(key), estimator)
        demand[:], keys = estimator.shared.demand, estimator.keys.taken
        return value

    while True:
        try:
            jax.eval_shape(surrogate, jax.eval_shape(lambda: jax.random.key(0)))
            return tuple(demand), keys
        except NotLocal as error:
            if not chosen.demote(error.choice.site):
                raise _too_many(error) from None


def _too_many(error: NotLocal) -> EmissionError:
    site = error.choice.site
    return EmissionError(
        f"enumerating `{site}` here needs every combination of its values in all iterations",
        error.span,
        notes=("each iteration has its own values: K of them in N iterations are K^N combinations",),
        helps=(f"draw `{site}` via reinforce",),
    )


def _code(program: Program, model: Model, sizes: Mapping[str, int], wanted: tuple[str, ...]) -> Code:
    passed = run_passes(program, model.name).program
    return _elementwise(Code(passed, passed.model(model.name), dict(sizes)))


def _elementwise(code: Code) -> Code:
    """Arrays of discrete variables are drawn and scored element by element, so that each is local."""
    wanted = {s.name for s in code.model.sites if s.discrete}
    model = fuse(element_by_element(code.model, wanted), wanted)[0]
    return code if model is code.model else Code(code.program, model, code.sizes)


def _guide_code(program: Program, guide: Model, target: EmittedTarget, given: Mapping[str, Any]) -> Code:
    known = {**target.args, **target.data, **given}
    return _code(program, guide, _sizes(guide, known, target.plan.code.sizes), ())


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
    from ppl.compiler.ir.nodes import Plate

    for node in nodes_of(code.model.body):
        if isinstance(node, Plate) and node.axis == axis:
            return node.upper.evaluate(code.sizes) - node.lower.evaluate(code.sizes)
    raise EmissionError(f"no plate of the model runs along `{axis}`", code.model.span)


__all__ = ["Draw", "EmittedObjective", "SimDraw", "objective"]
