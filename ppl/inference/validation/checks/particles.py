"""Resampling schemes and conditional SMC."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from ppl.core.errors import PplError
from ppl.core.random import categorical
from ppl.inference.algorithms.conditional import conditional_smc
from ppl.inference.algorithms.smc import smc
from ppl.inference.representations import suspend
from ppl.inference.resampling import Scheme
from ppl.inference.validation.blocks import in_blocks
from ppl.inference.validation.certificate import Check
from ppl.inference.validation.checks.verdict import extreme, not_all_alike, of_means
from ppl.inference.validation.checks.weighted import estimates
from ppl.inference.validation.enumeration import expectation
from ppl.inference.validation.fixed_n import MeanTest, test_means
from ppl.inference.validation.reference_models import Hmm, hmm2, last_state
from ppl.inference.validation.sequential import staged
from ppl.inference.validation.signatures import refuse, shape_of, shown

_ESS = (0.5, 0.9, 1.1)
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
    _require(scheme, name)
    checks = []
    for m in sizes:
        checks.append(_offspring(scheme, name, m, seed, alpha, n))
        if checks[-1].outcome == "refuted":
            return tuple(checks)  # the smallest case; what comes after it can tell nothing new
    exact = _enumerated_offspring(scheme, name, seed)
    checks += [exact] if exact is not None else []
    checks.append(_diverse(scheme, name, seed))
    if any(c.outcome == "refuted" for c in checks):
        return tuple(checks)
    return *checks, *(_in_smc(scheme, name, particles, seed, alpha, n) for particles in (2, 3))


def _require(scheme: Scheme, name: str) -> None:
    what, helps = "a resampling scheme", "a scheme is a function (key, log_weights, n) that returns n integer indices"
    given = jax.eval_shape(lambda: (jax.random.key(0), jnp.zeros(4)))
    found = shape_of(name, what, helps, lambda key, w: scheme(key, w, 3), *given)
    if getattr(found, "shape", None) != (3,) or found.dtype.kind not in "iu":
        raise refuse(name, what, f"for 4 particles and n = 3 it returned {shown(found)}", helps)


def _in_smc(scheme: Scheme, name: str, particles: int, seed: int, alpha: float, n: int) -> Check:
    """All thresholds side by side: one compilation."""
    model = hmm2()
    measure = last_state(model)

    def one(key: Any, ess: Any) -> Any:
        return estimates(smc(particles, scheme, ess)(suspend(model)).run(key)[0], measure)

    compiled = jax.jit(jax.vmap(lambda key: jax.vmap(one)(jax.random.split(key, len(_ESS)), jnp.asarray(_ESS)).ravel()))
    expected = np.tile(np.concatenate([[1.0], measure.expected]), len(_ESS))
    names = [f"{f} at ess = {ess}" for ess in _ESS for f in ("Z", "Z 1(z = 0)", "Z 1(z = 1)")]
    result = staged(lambda s, m: test_means(in_blocks(compiled, s, m, n), expected), seed, n, alpha)
    case, family = f"{name}, SMC of {particles} particles, T = 4", f"Z and Z f, thresholds {_ESS}"
    worst = extreme(result, names)
    return of_means(result, "properly weighted", measure.oracle, family, worst, case, n, alpha, len(expected))


def _diverse(scheme: Scheme, name: str, seed: int, n: int = 200) -> Check:
    """Seven slots over four equal weights: one ancestor for all of them, in most runs, only where they share a draw.
    That leaves every expectation as it should be, and a population of one particle."""
    ancestors = jax.vmap(lambda key: scheme(key, jnp.zeros(4), 7))(jax.random.split(jax.random.key(seed), n))
    return not_all_alike("ancestors are not all alike", ancestors, name, seed)


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
        return test_means(in_blocks(compiled, s, k, n), expected)

    result = staged(batch, seed, n, alpha)
    t = result.test
    worst = {"particle": t.which % 4, "mean": t.mean, "should be": t.expected, "z": t.z}
    case, family = f"{name}, weights {WEIGHTS[t.which // 4]}, {m} slots", "offspring of each particle"
    return of_means(result, "E[offspring] = n w", "closed form", family, worst, case, n, alpha, len(expected))


def _slots(scheme: Scheme, log_weights: Array, m: int, source: Any) -> Any:
    return scheme(source, log_weights, m)


def _enumerated_offspring(scheme: Scheme, name: str, seed: int, m: int = 3) -> Check | None:
    """The same with every random choice enumerated; None for a scheme that makes them elsewhere than in
    ``ppl.core.random``."""
    try:
        off, worst = 0.0, WEIGHTS[0]
        for weights in WEIGHTS:
            draw = partial(_slots, scheme, jnp.log(jnp.array(weights)), m)
            counts = expectation(draw, lambda a: np.bincount(np.asarray(a), minlength=4), 500)
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

    given = jax.eval_shape(lambda: (jax.random.key(0), table[0]))

    def one(key: Any) -> Any:
        first, second = jax.random.split(key)
        path = table[categorical(first, jnp.log(jnp.asarray(probabilities)))]
        after = sweep(second, model, particles, path)
        return jnp.all(after == table, axis=1)

    helps = "a sweep is a function (key, target, n, path) that returns a path like the one it was given"
    after = shape_of(name, "a conditional SMC sweep", helps, lambda k, p: sweep(k, model, particles, p), *given)
    if getattr(after, "shape", None) != table.shape[1:]:
        found = f"for a path {shown(given[1])} it returned {shown(after)}"
        raise refuse(name, "a conditional SMC sweep", found, helps)
    compiled = jax.jit(jax.vmap(one))

    def batch(s: int, m: int) -> MeanTest:
        return test_means(in_blocks(compiled, s, m, n).astype(float), probabilities)

    result = staged(batch, seed, n, alpha)
    t = result.test
    worst = {"path": str(list(paths)[t.which]), "mean": t.mean, "should be": t.expected, "z": t.z}
    claim, family = "leaves the target invariant", f"{len(paths)} atoms"
    case = f"{name}, {particles} particles, one sweep"
    return of_means(result, claim, "enumerated paths", family, worst, case, n, alpha, len(paths))
