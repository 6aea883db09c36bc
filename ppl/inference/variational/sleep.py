"""The sleep phase: a guide fitted to draws of the model itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
from jax.lax import stop_gradient
from jaxtyping import Array, Float, PRNGKeyArray

from ppl.core.objective import DrawStrategy, ObjectiveProgram
from ppl.core.target import Target, Trace

_REASON = "the model is drawn from, and held fixed"


class SleepObjective(ObjectiveProgram):
    """E log q(z | y) over (z, y) of the model: sleep-φ (Hinton, Dayan, Frey, Neal 1995; Bornschein and Bengio 2015),
    minus the mean of KL(p(z | y) ‖ q(z | y)) up
    to a constant. No density of the model is needed. It trains guides that read their data, for all data at once.

    ``joint`` is the model without data. ``guide(params, data)``: the guide as a target whose data arguments are
    ``data``, or, for None, those of the run."""

    joint: Target
    bound: Target
    first: Any
    guide: Callable[[Target, Any, Trace | None], Target] = eqx.field(static=True)
    named: Callable[[Target, Any], dict[str, Array]] = eqx.field(static=True)
    strategies: tuple[DrawStrategy, ...] = eqx.field(static=True)

    def __init__(self, joint: Target, bound: Target, first: Any, guide: Any, named: Any):
        self.joint, self.bound, self.first, self.guide, self.named = joint, bound, first, guide, named
        self.strategies = tuple(DrawStrategy(v.name, "reinforce", _REASON, "unbiased") for v in bound.latents)

    def initial(self, key: PRNGKeyArray) -> Any:
        return self.first

    def surrogate(self, params: Any, key: PRNGKeyArray) -> Float[Array, ""]:
        drawn = jax.tree.map(stop_gradient, self.joint.simulate(key)._replace(value=None, outputs={}))
        guide = self.guide(self.bound, params, drawn.data)
        return guide.log_density({v.name: drawn.trace[v.name] for v in guide.latents})

    def constrain(self, params: Any) -> dict[str, Array]:
        return self.named(self.bound, params)

    def sample(self, params: Any, key: PRNGKeyArray) -> Trace:
        return self.guide(self.bound, params, None).generate(key, {}).trace
