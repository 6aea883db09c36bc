"""Resampling schemes and conditional SMC."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ppl.core.errors import PplError
from ppl.core.random import categorical
from ppl.inference.algorithms.conditional import conditional_smc
from ppl.inference.algorithms.smc import smc
from ppl.inference.representations import suspend
from ppl.inference.resampling import Scheme
from ppl.inference.validation.certificate import Check
from ppl.inference.validation.checks.weighted import check_weighted
from ppl.inference.validation.enumeration import expectation
from ppl.inference.validation.fixed_n import MeanTest, detectable, test_means
from ppl.inference.validation.reference_models import Hmm, hmm2, last_state
from ppl.inference.validation.sequential import staged

WEIGHTS = ((0.1, 0.2, 0.3, 0.4), (0.7, 0.0, 0.29, 0.01), (1.0, 1.0, 1.0, 1.0))


def check_scheme(
    scheme: Scheme,
    name: str = "scheme",
    seed: int = 0,
    alpha: float = 1e-9,
    n: int = 20_000,
    sizes: tuple[int, ...] = (3, 4, 7),
) -> tuple[Check, ...]:
    """Ancestors in range, E[offspringᵢ] = m wᵢ/Σw for several weights and m, and SMC with the scheme properly
    weighted on a two-state chain, at every threshold."""
    checks = [_offspring(scheme, name, m, seed, alpha, n) for m in sizes]
    exact = _enumerated_offspring(scheme, name, seed)
    checks += [exact] if exact is not None else []
    for particles, ess in itertools.product((2, 3), (0.5, 0.9, 1.1)):
        model = hmm2()
        checks.append(
            check_weighted(
                smc(particles, scheme, ess)(suspend(model)),
                last_state(model),
                seed,
                alpha,
                n,
                case=f"{name}, SMC of {particles} particles, T = 4, ess = {ess}",
            )
        )
    return tuple(checks)


def _offspring(scheme: Scheme, name: str, m: int, seed: int, alpha: float, n: int) -> Check:
    """All of ``WEIGHTS`` at once: one compilation."""
    table = jnp.log(jnp.array(WEIGHTS))
    normalised = np.array(WEIGHTS) / np.sum(WEIGHTS, axis=1, keepdims=True)
    expected = (m * normalised).ravel()

    def offspring(key: Any, log_weights: Any) -> Any:
        ancestors = scheme(key, log_weights, m)
        inside = jnp.all((ancestors >= 0) & (ancestors < 4)) & (ancestors.shape == (m,))
        counts = jnp.zeros(4).at[jnp.clip(ancestors, 0, 3)].add(1.0)
        return jnp.where(inside, counts, jnp.nan)

    compiled = jax.jit(jax.vmap(lambda key: jax.vmap(offspring)(jax.random.split(key, len(WEIGHTS)), table).ravel()))

    def batch(s: int, k: int) -> MeanTest:
        return test_means(np.asarray(compiled(jax.random.split(jax.random.key(s), k))), expected)

    result = staged(batch, seed, n, alpha)
    t = result.test
    return Check(
        "E[offspring] = n w",
        "closed form",
        "offspring of each particle",
        "refuted" if result.refuted else "passed",
        alpha,
        result.total,
        {"particle": t.which % 4, "mean": t.mean, "should be": t.expected, "z": t.z},
        detectable(n, alpha, len(expected)),
        f"{name}, weights {WEIGHTS[t.which // 4]}, {m} slots",
        result.stage_seed,
    )


def _enumerated_offspring(scheme: Scheme, name: str, seed: int, m: int = 3) -> Check | None:
    """The same with every random choice enumerated; None for a scheme that makes them elsewhere than in
    ``ppl.core.random``."""
    try:
        off, worst = 0.0, WEIGHTS[0]
        for weights in WEIGHTS:
            log_weights = jnp.log(jnp.array(weights))
            counts = expectation(
                lambda source, w=log_weights: scheme(source, w, m),
                lambda a: np.bincount(np.asarray(a), minlength=4),
                500,
            )
            error = (
                float(np.max(np.abs(counts - m * np.array(weights) / np.sum(weights)))) if len(counts) == 4 else np.inf
            )
            off, worst = max((off, worst), (error, weights))
    except (TypeError, AttributeError, ValueError, NotImplementedError, PplError):
        return None
    tolerance = 1e-12 if jnp.zeros(()).dtype == np.float64 else 1e-5
    return Check(
        "E[offspring] = n w",
        "enumeration",
        "offspring of each particle",
        "passed" if off <= tolerance else "refuted",
        0.0,
        0,
        {"largest error": off, "limit": tolerance},
        None,
        f"{name}, weights {worst}, {m} slots",
        seed,
    )


def check_conditional(
    sweep: Callable[[Any, Hmm, int, Any], Any] | None = None,
    model: Hmm | None = None,
    particles: int = 2,
    seed: int = 0,
    alpha: float = 1e-9,
    n: int = 20_000,
    name: str = "conditional_smc",
) -> Check:
    """``sweep(key, model, particles, path) -> path`` leaves the law of paths invariant: start from it exactly (all
    paths enumerated), one sweep, all atoms."""
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
    return Check(
        "leaves the target invariant",
        "enumerated paths",
        f"{len(paths)} atoms",
        "refuted" if result.refuted else "passed",
        alpha,
        result.total,
        {"path": str(list(paths)[t.which]), "mean": t.mean, "should be": t.expected, "z": t.z},
        detectable(n, alpha, len(paths)),
        f"{name}, {particles} particles, one sweep",
        result.stage_seed,
    )
