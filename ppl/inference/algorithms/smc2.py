"""SMC²: SMC over parameters whose likelihoods are populations of an inner SMC (Chopin, Jacob and Papaspiliopoulos
2013)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ppl.core.random import Source, split
from ppl.core.sequential import SequentialTarget
from ppl.inference.algorithms.smc import resample_move
from ppl.inference.claims import Claim
from ppl.inference.kernels.base import Kernel, KernelInfo, LogDensity
from ppl.inference.kernels.metropolis import Propose, decide
from ppl.inference.kernels.pseudo_marginal import Estimated
from ppl.inference.representations import Sequential, Suspended, TracedValue, Weighted, WeightedValue, suspend
from ppl.inference.representations.shape import TRACED
from ppl.inference.resampling import Scheme, systematic
from ppl.inference.transformations import Transformation, advance, hoist, resample, spawn

Model = Callable[[Any], SequentialTarget]


def nested(model: Model, prior: Callable[[Source], Any], log_prior: LogDensity, inner: int, length: int) -> Sequential:
    """The θ-program: a particle is θ with a suspended inner SMC; advancing it advances its whole population by one
    observation, and the weight is the increment of that population's evidence. Properly weighted for p(θ) p(y₁..ₜ |
    θ)."""
    step = inner_step(inner)

    def start(key: Source) -> WeightedValue:
        first, second = split(key)
        theta = prior(first)
        suspended, _ = hoist(spawn(inner))(suspend(model(theta))).run(second)
        return WeightedValue(TracedValue(Estimated(theta, suspended), log_prior(theta)), jnp.zeros(()))

    def extend(key: Source, state: TracedValue, t: Int[Array, ""]) -> tuple[Any, Any, Float[Array, ""]]:
        theta, suspended = state.trace
        later, _ = step.act(key, suspended, suspend(model(theta)))
        log_weight = later.current.log_evidence - suspended.current.log_evidence
        return TracedValue(Estimated(theta, later), state.log_density + log_weight), theta, log_weight

    return Sequential(Weighted(start, TRACED), extend, length)


def inner_step(n: int) -> Transformation:
    return advance @ hoist(resample(systematic, 0.5))


@dataclass(frozen=True, eq=False)
class Rejuvenate(Kernel):
    """PMMH on θ with the inner SMC run afresh up to the observation that the particle has reached."""

    model: Model
    inner: int
    log_prior: LogDensity
    propose: Propose
    name: str = "pmmh"
    claim: Claim = Claim.INVARIANT
    reversible: bool = True
    needs_density: bool = False

    def step(
        self, key: Source, state: TracedValue, log_density: LogDensity | None = None
    ) -> tuple[TracedValue, KernelInfo]:
        move, begin, run, choose = split(key, 4)
        theta, correction = self.propose(move, state.trace.theta)
        program = suspend(self.model(theta))
        suspended, _ = hoist(spawn(self.inner))(program).run(begin)
        step = inner_step(self.inner)
        reached = state.trace.value.step

        def body(t: Any, s: Suspended) -> Suspended:
            return step.act(jax.random.fold_in(run, t), s, program)[0]

        suspended = jax.lax.fori_loop(0, reached, body, suspended)
        log_density_new = self.log_prior(theta) + suspended.current.log_evidence
        return decide(choose, state, TracedValue(Estimated(theta, suspended), log_density_new), correction)


def smc2(
    n: int, model: Model, inner: int, log_prior: LogDensity, propose: Propose,
    moves: int = 1, scheme: Scheme = systematic, ess: float = 0.5,
) -> Transformation:  # fmt: skip
    """resample–move over ``nested``, with PMMH for the moves: n particles θ, ``inner`` particles each."""
    return resample_move(n, Rejuvenate(model, inner, log_prior, propose), moves, scheme, ess)
