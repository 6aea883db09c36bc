"""Objectives of the language as ``ObjectiveProgram``s."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ppl.compiler.emit.code import Code, bind_parameters
from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.estimate import parameters
from ppl.compiler.emit.estimate.axes import Axis, Labelled
from ppl.compiler.emit.estimate.keys import Keys
from ppl.compiler.emit.estimate.measures import Emitted, Python
from ppl.compiler.emit.estimate.strategies import STRATEGIES, SharedAxes
from ppl.compiler.emit.estimate.terms import Terms, collapsed
from ppl.compiler.emit.estimate.walk import Estimator, Walk
from ppl.compiler.emit.frame import Frame
from ppl.compiler.emit.target import EmittedTarget
from ppl.compiler.ir.types import Guide as GuideType
from ppl.compiler.ir.types import Target as TargetType
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
