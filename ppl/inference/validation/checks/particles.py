"""Resampling schemes, transformations of populations, and conditional SMC."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ppl.core.random import categorical
from ppl.inference.algorithms.conditional import conditional_smc
from ppl.inference.algorithms.smc import smc
from ppl.inference.representations import Particles, Population, suspend
from ppl.inference.resampling import Scheme
from ppl.inference.transformations import Transformation
from ppl.inference.validation.certificate import Check
from ppl.inference.validation.checks.weighted import check_weighted
from ppl.inference.validation.fixed_n import MeanTest, detectable, test_means
from ppl.inference.validation.reference_models import Hmm, hmm2, last_state, weighted_values
from ppl.inference.validation.sequential import staged

WEIGHTS = ((0.1, 0.2, 0.3, 0.4), (0.7, 0.0, 0.29, 0.01), (1.0, 1.0, 1.0, 1.0))


def check_scheme(
    scheme: Scheme, name: str = "scheme", seed: int = 0, alpha: float = 1e-9, n: int = 20_000, sizes: tuple[int, ...] = (3, 4, 7)
) -> tuple[Check, ...]:
    """Ancestors in range, E[offspringᵢ] = m wᵢ/Σw for several weights and m, and SMC with the scheme properly weighted on
    a two-state chain, at every threshold."""
    checks = []
    for weights, m in itertools.product(WEIGHTS, sizes):
        log_weights = jnp.log(jnp.array(weights))
        expected = m * np.array(weights) / np.sum(weights)

        def offspring(key: Any, log_weights: Any = log_weights, m: int = m) -> Any:
            ancestors = scheme(key, log_weights, m)
            inside = jnp.all((ancestors >= 0) & (ancestors < 4)) & (ancestors.shape == (m,))
            counts = jnp.zeros(4).at[jnp.clip(ancestors, 0, 3)].add(1.0)
            return jnp.where(inside, counts, jnp.nan)

        compiled = jax.jit(jax.vmap(offspring))

        def batch(s: int, k: int, compiled: Any = compiled, expected: Any = expected) -> MeanTest:
            return test_means(np.asarray(compiled(jax.random.split(jax.random.key(s), k))), expected)

        result = staged(batch, seed, n, alpha)
        t = result.test
        checks.append(
            Check("E[offspring] = n w", "closed form", "offspring of each particle", "refuted" if result.refuted else "passed",
                  alpha, result.total, {"particle": t.which, "mean": t.mean, "should be": t.expected, "z": t.z},
                  detectable(n, alpha, 4), f"{name}, weights {weights}, {m} slots", result.stage_seed)  # fmt: skip
        )
    for particles, ess in itertools.product((2, 3), (0.5, 0.9, 1.1)):
        model = hmm2()
        checks.append(check_weighted(smc(particles, scheme, ess)(suspend(model)), last_state(model), seed, alpha, n,
                                     case=f"{name}, SMC of {particles} particles, T = 4, ess = {ess}"))  # fmt: skip
    return tuple(checks)


def check_transformation(
    transformation: Transformation, seed: int = 0, alpha: float = 1e-9, n: int = 20_000
) -> tuple[Check, ...]:
    """A transformation of shape Population → Population or → Weighted keeps the measure of a weighted population in mean."""
    values, log_weights, log_normaliser, measure = weighted_values()
    start = Population(lambda key: Particles(values, log_weights, jnp.asarray(log_normaliser)))
    one = check_weighted(transformation(start), measure, seed, alpha, n, case=f"{transformation.name}, four weighted values")

    def drawn(key: Any) -> Particles:
        """Particles that differ from run to run, so that a shared key or a stale copy shows."""
        first, second = jax.random.split(key)
        kept = categorical(first, log_weights, (4,))
        tilt = jax.random.exponential(second, (4,))
        return Particles(values[kept], jnp.log(tilt), jnp.asarray(measure.log_evidence))

    two = check_weighted(transformation(Population(drawn)), measure, seed + 1, alpha, n, case=f"{transformation.name}, random weights")
    return one, two


def check_conditional(
    sweep: Callable[[Any, Hmm, int, Any], Any] | None = None,
    model: Hmm | None = None,
    particles: int = 2,
    seed: int = 0,
    alpha: float = 1e-9,
    n: int = 20_000,
    name: str = "conditional_smc",
) -> Check:
    """``sweep(key, model, particles, path) -> path`` leaves the law of paths invariant: start from it exactly (all paths enumerated), one
    sweep, all atoms."""
    model = model or hmm2()
    sweep = sweep or (lambda key, target, k, path: conditional_smc(key, target, k, path)[0])
    paths = model.paths()
    table = jnp.array(list(paths))
    probabilities = np.array(list(paths.values()))
    probabilities /= probabilities.sum()

    def one(key: Any) -> Any:
        first, second = jax.random.split(key)
        path = table[categorical(first, jnp.log(jnp.asarray(probabilities)))]
        after = sweep(second, model, particles, path)
        return jnp.all(after == table, axis=1)

    compiled = jax.jit(jax.vmap(one))

    def batch(s: int, m: int) -> MeanTest:
        return test_means(np.asarray(compiled(jax.random.split(jax.random.key(s), m)), float), probabilities)

    result = staged(batch, seed, n, alpha)
    t = result.test
    return Check("leaves the target invariant", "enumerated paths", f"{len(paths)} atoms", "refuted" if result.refuted else "passed",
                 alpha, result.total, {"path": str(list(paths)[t.which]), "mean": t.mean, "should be": t.expected, "z": t.z},
                 detectable(n, alpha, len(paths)), f"{name}, {particles} particles, one sweep", result.stage_seed)  # fmt: skip
