"""Proper weighting: E Ẑ f = ∫ γ f, on the measure and never on a ratio or on log Ẑ, which are biased for sound code."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ppl.inference.representations import Enumerated, Particles, Representation, Sampled, WeightedValue
from ppl.inference.validation.blocks import in_blocks
from ppl.inference.validation.certificate import Check
from ppl.inference.validation.checks.verdict import extreme, of_means
from ppl.inference.validation.fixed_n import MeanTest, test_means, test_weights
from ppl.inference.validation.sequential import staged
from ppl.inference.validation.signatures import refuse, shape_of, shown

_LEAST_EFFECTIVE = 50


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

    def realise(key: Any) -> Any:
        return weighed(program, run(key)[0]) if isinstance(program, Representation) else run(key)

    def one(key: Any) -> Any:
        return estimates(realise(key), measure)

    _require(realise, measure, case)
    compiled = jax.jit(jax.vmap(one))
    expected = np.concatenate([[1.0], np.ravel(measure.expected)])
    names = ["Z"] + [f"Z f{i}" for i in range(len(expected) - 1)]

    effective = [np.inf]

    def batch(s: int, m: int) -> MeanTest:
        draws = in_blocks(compiled, s, m, n).astype(float)
        with np.errstate(over="ignore", invalid="ignore"):
            effective[0] = float(draws[:, 0].sum() ** 2 / max(np.sum(draws[:, 0] ** 2), 1e-300))
        return test_weights(draws, expected) if (draws >= 0).all() else test_means(draws, expected)

    result = staged(batch, seed, n, alpha, deadline=deadline)
    t = result.test
    if result.outcome == "passed" and not effective[0] >= _LEAST_EFFECTIVE:
        why = {"why": f"the weights of {t.n} replicates are worth {effective[0]:.1f}: no mean of them can be compared"}
        return Check(claim, measure.oracle, "", "undecided", alpha, result.total, why, None, case, seed)
    k = len(expected)
    family = f"Z and Z f, {k - 1} functions"
    return of_means(result, claim, measure.oracle, family, extreme(result, names), case, n, alpha, k)


def weighed(program: Representation, realised: Any) -> Any:
    """A realisation as weighted values: one of weight 1 for a sample, all states of what is enumerated."""
    if isinstance(program, Sampled):
        return WeightedValue(realised, jnp.zeros(()))
    if isinstance(program, Enumerated):
        values, log_weights = realised
        return Particles(values, log_weights, jnp.log(log_weights.shape[0]))
    return realised


def _require(run: Callable[[Any], Any], measure: KnownMeasure, name: str) -> None:
    """A realisation is a population or a weighted value, and the test functions can be applied to its values."""
    what, helps = "an estimator", "an estimator is a function of a key that returns Particles or a WeightedValue"
    found = shape_of(name, what, helps, run, jax.random.key(0))
    if not isinstance(found, Particles | WeightedValue):
        raise refuse(name, what, f"it returned {shown(found)}", helps)
    functions = jax.vmap(measure.functions) if isinstance(found, Particles) else measure.functions
    values = found.values if isinstance(found, Particles) else found.value
    helps = f"the values must be what the functions of the measure `{measure.name}` take"
    given = shape_of(name, f"an estimator of `{measure.name}`", helps, functions, values)
    count = int(np.prod(given.shape[1:] if isinstance(found, Particles) else given.shape))
    if count != np.size(measure.expected):
        raise refuse(
            name, what, f"of its values there are {count} test functions, and {np.size(measure.expected)} means", helps
        )
