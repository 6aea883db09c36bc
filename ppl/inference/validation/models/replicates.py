"""Replicates of a properly weighted method against an oracle, or against weighted draws of the prior."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ppl.core.target import Target
from ppl.inference.representations import Particles, WeightedValue
from ppl.inference.validation.certificate import Check
from ppl.inference.validation.checks.weighted import KnownMeasure, estimates
from ppl.inference.validation.fixed_n import MeanTest, detectable, test_means
from ppl.inference.validation.models.effort import Effort
from ppl.inference.validation.models.oracle import Oracle, moments, vector

Run = Callable[[Any], Any]  # key → Particles or WeightedValue
_LEAST_EFFECTIVE = 100
_LEAST_SHARE = 0.05  # of the replicates, where two estimates are compared: both must be well behaved
_PRIOR_DRAWS = 32  # averaged into one weight


def prior_draw(target: Target, key: Any) -> WeightedValue:
    """A draw of the prior with its likelihood for weight: E[e^w f(z)] = ∫ γ f."""
    run = target.generate(key, {})
    return WeightedValue({v.name: run.trace[v.name] for v in target.latents}, run.log_weight)


def check_replicates(run: Run, oracle: Oracle, effort: Effort, case: str, claim: str = "properly weighted") -> Check:
    """E Ẑ f = Z π(f). Undecided where the weights of the replicates are so uneven that a mean of them says nothing."""
    measure = KnownMeasure("posterior", oracle.log_evidence, oracle.functions, oracle.expected, oracle.name)
    compiled = jax.jit(jax.vmap(lambda key: estimates(run(key), measure)))
    return _compared(compiled, np.concatenate([[1.0], oracle.expected]), oracle.name, effort, case, claim, 0.0)


def check_against_prior(
    run: Run, target: Target, effort: Effort, case: str, names: tuple[str, ...] | None = None
) -> Check:
    """E (Ẑ f − Ẑ' f) = 0 with Ẑ' the mean weight of draws of the prior: for targets without an oracle."""
    draws = jax.jit(jax.vmap(lambda key: prior_draw(target, key)))(effort.keys(effort.seed ^ 0x33))
    read = vector(target, names)
    log_weights = np.asarray(draws.log_weight, float)
    top = float(np.max(log_weights))
    weights = np.exp(log_weights - top)
    functions = moments(read, np.asarray(jax.vmap(read)(draws.value), float), weights / weights.sum())
    k = jax.eval_shape(functions, jax.tree.map(lambda a: a[0], draws.value)).shape[0]
    measure = KnownMeasure("posterior", top + float(np.log(weights.mean())), functions, np.zeros(k))

    def pair(key: Any) -> Any:
        own, other = jax.random.split(key)
        terms = jax.vmap(lambda i: estimates(prior_draw(target, i), measure))(jax.random.split(other, _PRIOR_DRAWS))
        return jnp.stack([estimates(run(own), measure), jnp.mean(terms, 0)])

    compiled = jax.jit(jax.vmap(pair))
    expected = np.zeros(k + 1)
    return _compared(compiled, expected, "draws of the prior", effort, case, "properly weighted", _LEAST_SHARE)


def _compared(
    compiled: Callable[[Any], Any],
    expected: np.ndarray,
    oracle: str,
    effort: Effort,
    case: str,
    claim: str,
    least_share: float,
) -> Check:
    """``compiled(keys)``: statistics (n, k) whose first is Ẑ/Z, or (n, 2, k) of two estimators that are compared."""
    pilot = np.asarray(compiled(effort.keys(effort.seed ^ 0x77)), float)
    masses = pilot[..., 0].reshape(len(pilot), -1)
    effective = float(np.min(masses.sum(0) ** 2 / np.maximum(np.sum(masses**2, 0), 1e-300)))
    if not effective >= max(_LEAST_EFFECTIVE, least_share * len(pilot)):
        why = {
            "why": f"the weights of {len(pilot)} replicates are worth {effective:.1f}: no mean of them can be compared"
        }
        return Check(claim, oracle, "", "undecided", effort.alpha, len(pilot), why, None, case, effort.seed)

    def statistics(keys: Any) -> np.ndarray:
        found = np.asarray(compiled(keys), float)
        return found if found.ndim == 2 else found[:, 0] - found[:, 1]

    result = effort.staged(lambda seed, n: test_means(effort.gather(statistics, seed, n), expected))
    t: MeanTest = result.test
    return Check(
        claim,
        oracle,
        f"Z and Z f, {len(expected) - 1} functions",
        result.outcome,
        effort.alpha,
        result.total,
        {
            "function": "Z" if t.which == 0 else f"Z f{t.which - 1}",
            "mean / Z": t.mean,
            "should be": t.expected,
            "z": t.z,
        },
        detectable(t.n, effort.alpha, len(expected)),
        case,
        result.stage_seed,
    )


def as_population(row: dict[str, Any]) -> Particles:
    """The record of a program that runs a particle method in one iteration."""
    log_weights = row["log_weight"]
    shift = jax.scipy.special.logsumexp(log_weights) - jnp.log(log_weights.shape[0])
    alive = jnp.isfinite(shift)
    return Particles(
        row["trace"], log_weights, jnp.where(alive, row["log_evidence"] - jnp.where(alive, shift, 0.0), -jnp.inf)
    )
