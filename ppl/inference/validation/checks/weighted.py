"""Proper weighting: E Ẑ f = ∫ γ f, on the measure and never on a ratio or on log Ẑ, which are biased for sound code."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ppl.inference.representations import Particles, Representation, WeightedValue
from ppl.inference.validation.certificate import Check
from ppl.inference.validation.fixed_n import MeanTest, detectable, test_means
from ppl.inference.validation.sequential import staged


class KnownMeasure(NamedTuple):
    """``log_evidence`` = log ∫ γ; ``functions(value)`` a vector of test functions; ``expected`` = ∫ γ f / ∫ γ for
    each."""

    name: str
    log_evidence: float
    functions: Callable[[Any], Any]
    expected: np.ndarray
    oracle: str = "closed form"


def estimates(realised: Any, measure: KnownMeasure) -> jax.Array:
    """(Ẑ, Ẑ f₁, …) / Z of one realisation of a population or a weighted value."""
    if isinstance(realised, WeightedValue):
        weight = jnp.exp(realised.log_weight - measure.log_evidence)
        return weight * jnp.concatenate([jnp.ones(1), jnp.ravel(measure.functions(realised.value))])
    particles: Particles = realised
    scale = jnp.exp(particles.log_normaliser + particles.log_weights - measure.log_evidence)
    values = jax.vmap(lambda v: jnp.ravel(measure.functions(v)))(particles.values)
    values = jnp.where(scale[:, None] > 0, values, 0.0)
    return jnp.concatenate([jnp.mean(scale)[None], jnp.mean(scale[:, None] * values, axis=0)])


def check_weighted(
    program: Representation | Callable[[Any], Any],
    measure: KnownMeasure,
    seed: int = 0,
    alpha: float = 1e-9,
    n: int = 20_000,
    budget: float | None = None,
    case: str = "",
    claim: str = "properly weighted",
) -> Check:
    """``n`` replicates of ``program`` (a representation, or a function from a key to its realisation)."""
    deadline = None if budget is None else time.monotonic() + budget
    run = program.run if isinstance(program, Representation) else program

    def one(key: Any) -> Any:
        realised = run(key)
        return estimates(realised[0] if isinstance(program, Representation) else realised, measure)

    compiled = jax.jit(jax.vmap(one))
    expected = np.concatenate([[1.0], np.ravel(measure.expected)])
    names = ["Z"] + [f"Z f{i}" for i in range(len(expected) - 1)]

    def batch(s: int, m: int) -> MeanTest:
        keys = jax.random.split(jax.random.key(s), m)
        size = min(20_000, n, m)
        draws = np.concatenate([np.asarray(compiled(keys[i : i + size])) for i in range(0, m - m % size, size)])
        return test_means(draws, expected)

    result = staged(batch, seed, n, alpha, deadline=deadline)
    t = result.test
    outcome = "refuted" if result.refuted else "passed" if result.decided else "undecided"
    statistic = {"function": names[t.which], "mean / Z": t.mean, "should be": t.expected, "z": t.z, "p": t.p_value}
    return Check(
        claim,
        measure.oracle,
        f"Z and Z f, {len(expected) - 1} functions",
        outcome,
        alpha,
        result.total,
        statistic,
        detectable(n, alpha, len(expected)),
        case,
        result.stage_seed,
    )
