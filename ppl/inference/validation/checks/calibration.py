"""Simulation-based calibration: ranks of prior draws among the posterior draws of their own data."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from ppl.inference.validation.certificate import Check
from ppl.inference.validation.fixed_n import MeanTest
from ppl.inference.validation.sequential import staged


class Joint(NamedTuple):
    """A model as its joint law. ``simulate(key) -> (θ, y)``; ``log_likelihood(θ, y)`` = log p(y | θ)."""

    name: str
    simulate: Callable[[Any], tuple[Any, Any]]
    log_likelihood: Callable[[Any, Any], Any]


def check_calibration(
    posterior: Callable[[Any, Any], Any],
    joint: Joint,
    seed: int = 0,
    alpha: float = 1e-9,
    n: int = 1_000,
    budget: float | None = None,
    case: str = "",
) -> Check:
    """``posterior(key, y)`` gives L nearly independent draws of θ (a PyTree with a leading axis). The rank of the true
    θ among them is uniform on 0..L for every coordinate, and so is the rank of its log likelihood: without such a
    quantity that looks at the data a method that returns the prior passes (Talts et al. 2018; Modrák et al. 2023).

    The ECDF of the n ranks is compared with a simultaneous band, P(sup |Fₙ − F| > ε) ≤ 2 exp(−2nε²). Weak and dear: an
    error of a tenth in a standard deviation needs thousands of data sets, so for whole methods only."""
    deadline = None if budget is None else time.monotonic() + budget
    names: list[str] = []

    def one(key: Any) -> Any:
        first, second, tie = jax.random.split(key, 3)
        theta, y = joint.simulate(first)
        draws = posterior(second, y)

        def quantities(t: Any) -> Any:
            return jnp.append(ravel_pytree(t)[0], joint.log_likelihood(t, y))

        others = jax.vmap(quantities)(draws)
        return rank(quantities(theta), others, tie), jnp.asarray(others.shape[0])

    compiled = jax.jit(jax.vmap(one))

    def batch(s: int, m: int) -> MeanTest:
        ranks, size = (np.asarray(v) for v in compiled(jax.random.split(jax.random.key(s), m)))
        names[:] = [f"coordinate {i}" for i in range(ranks.shape[1] - 1)] + ["log likelihood"]
        return ranks_uniform(ranks, int(size[0]))

    result = staged(batch, seed, n, alpha, deadline=deadline)
    t = result.test
    outcome = result.outcome
    band = float(np.sqrt(np.log(2 * len(names) / alpha) / (2 * n)))
    return Check(
        "ranks of the true values uniform",
        "joint law",
        "ECDF with simultaneous band",
        outcome,
        alpha,
        result.total,
        {"quantity": names[t.which], "largest gap": t.z, "band": band, "mean rank": t.mean, "should be": t.expected},
        None,
        case,
        result.stage_seed,
    )


def rank(true: Any, others: Any, tie: Any) -> Any:
    """How many of ``others`` (leading axis) lie below ``true``, coordinate by coordinate; ties are broken at random."""
    coins = jax.random.uniform(tie, others.shape) < jax.random.uniform(jax.random.fold_in(tie, 1), true.shape)
    return jnp.sum((others < true) | ((others == true) & coins), axis=0)


def ranks_uniform(ranks: np.ndarray, length: int) -> MeanTest:
    """(n, k) ranks against the uniform law on 0..``length``, by the largest gap of their ECDFs."""
    n = len(ranks)
    uniform = np.arange(1, length + 2) / (length + 1)
    ecdf = np.stack([np.cumsum(np.bincount(r, minlength=length + 1)) / n for r in ranks.T])
    gap = np.abs(ecdf - uniform).max(1)
    worst = int(np.argmax(gap))
    p = min(1.0, 2 * float(np.exp(-2 * n * gap[worst] ** 2)) * len(gap))
    return MeanTest(p, worst, float(gap[worst]), float(ranks[:, worst].mean()), length / 2, n)
