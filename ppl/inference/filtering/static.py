"""A model with static parameters as a path of posteriors, one observation more at a time."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from ppl.core.errors import MethodError
from ppl.core.sequential import TracedSequentialTarget
from ppl.core.target import Target
from ppl.inference.filtering.parameters import Parameters
from ppl.inference.representations import Sequential, TracedValue, Weighted, WeightedValue
from ppl.inference.representations.shape import TRACED


class StaticTarget(TracedSequentialTarget):
    """Traces are the parameters θ in R^k; γₜ(θ) = p(θ) p(y₁, …, yₜ | θ). The model must draw nothing else.

    ``terms`` goes over all T observations, so that a density costs O(T) at each step."""

    parameters: Any
    length: int

    def start(self, key: PRNGKeyArray) -> tuple[dict[str, Array], Float[Array, ""]]:
        theta = self.parameters.prior(key)
        return theta, self._begun(theta)[1]

    def advance(self, key: PRNGKeyArray, state: Any, step: Int[Array, ""]) -> tuple[Any, Any, Float[Array, ""]]:
        return state, {}, self.terms(state)[step]

    def log_density_at(self, trace: Any, step: Int[Array, ""]) -> Float[Array, ""]:
        passed = jnp.where(jnp.arange(self.length) < step, self.terms(trace), 0.0)
        value = self.parameters.log_prior(trace) + self._begun(trace)[1] + jnp.sum(passed)
        return jnp.where(jnp.isnan(value), -jnp.inf, value)

    def terms(self, theta: Any) -> Float[Array, " t"]:
        """log p(yₜ | θ, y₁, …, yₜ₋₁) for every t."""
        target = self.parameters.model(theta)
        return jax.lax.scan(lambda s, t: target.observe(s, t), self._begun(theta)[0], jnp.arange(self.length))[1]

    def _begun(self, theta: Any) -> tuple[Any, Float[Array, ""]]:
        """The state before the first observation: θ is all the randomness in it, and the key is not used."""
        return self.parameters.model(theta).start(jax.random.key(0))


def static(target: Target, method: str) -> StaticTarget:
    """MethodError where the model draws anything behind its first observation."""
    names = target.suspend().parameters
    states = [v.name for v in target.latents if v.name not in names]
    if states:
        raise MethodError(
            f"{method} is for parameters that do not change, but `{'`, `'.join(states)}` "
            + ("is" if len(states) == 1 else "are")
            + " drawn along with the observations",
            helps=("use --method 'pgibbs(20)' or 'smc2(200, inner=50)'", "for states alone: --method 'smc(1000)'"),
        )
    found = Parameters(target, method)
    return StaticTarget(parameters=found, length=found.sequential.length)


def suspend_static(target: StaticTarget) -> Sequential:
    """``suspend_traced`` that gets the density behind an observation by adding its term, not anew."""

    def start(key: Any) -> WeightedValue:
        theta, log_weight = target.start(key)
        return WeightedValue(TracedValue(theta, target.log_density_at(theta, jnp.asarray(0))), log_weight)

    def extend(key: Any, state: TracedValue, step: Int[Array, ""]) -> tuple[Any, Any, Float[Array, ""]]:
        theta, record, log_weight = target.advance(key, state.trace, step)
        return TracedValue(theta, state.log_density + log_weight), record, log_weight

    return Sequential(Weighted(start, TRACED), extend, target.length, target.log_density_at)
