"""Unbiasedness of gradient estimators against the exact gradient."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.flatten_util import ravel_pytree

from ppl.inference.validation.certificate import Check
from ppl.inference.validation.fixed_n import MeanTest, detectable, test_means
from ppl.inference.validation.sequential import staged


def check_gradient(
    estimator: Callable[[Any, Any], Any],
    parameters: Any,
    exact: Any,
    seed: int = 0,
    alpha: float = 1e-9,
    n: int = 20_000,
    budget: float | None = None,
    case: str = "",
    oracle: str = "exact gradient",
    claim: str = "unbiased gradient",
) -> Check:
    """``estimator(key, parameters)`` against ``exact``, both PyTrees of the parameters' structure; coordinate by
    coordinate.

    An estimator whose draws all agree (enumeration, quadrature) is compared at 1e-9. The certificate carries its
    standard deviation. Also serves for the value of an objective: a scalar estimator and a scalar ``exact``."""
    deadline = None if budget is None else time.monotonic() + budget
    expected = np.asarray(ravel_pytree(exact)[0], float)
    compiled = jax.jit(jax.vmap(lambda key: ravel_pytree(estimator(key, parameters))[0]))
    spread = [np.nan]

    def batch(s: int, m: int) -> MeanTest:
        draws = np.asarray(compiled(jax.random.split(jax.random.key(s), m)), float)
        spread[0] = float(np.max(draws.std(0)))
        return test_means(draws, expected)

    result = staged(batch, seed, n, alpha, deadline=deadline)
    t = result.test
    outcome = "refuted" if result.refuted else "passed" if result.decided else "undecided"
    statistic = {"coordinate": t.which, "mean": t.mean, "should be": t.expected, "z": t.z, "sd": spread[0]}
    return Check(
        claim,
        oracle,
        f"{len(expected)} coordinates",
        outcome,
        alpha,
        result.total,
        statistic,
        detectable(n, alpha, len(expected)),
        case,
        result.stage_seed,
    )
