"""Invariance of a kernel from exact starts, reversibility, mobility, and the exact rank test."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from ppl.inference.kernels.base import Kernel
from ppl.inference.representations import TracedValue
from ppl.inference.validation.certificate import Check
from ppl.inference.validation.families import Family, flat
from ppl.inference.validation.fixed_n import MeanTest, detectable, test_means
from ppl.inference.validation.sequential import staged


class ExactTarget(NamedTuple):
    """A target from which one can draw exactly. ``sample(key)`` a trace from γ/∫γ; ``log_density(trace)`` = log γ."""

    name: str
    sample: Callable[[Any], Any]
    log_density: Callable[[Any], Any]


def check_kernel(
    kernel: Kernel,
    target: ExactTarget,
    seed: int = 0,
    alpha: float = 1e-9,
    n: int = 20_000,
    steps: int = 5,
    least_movement: float = 0.01,
    budget: float | None = None,
) -> tuple[Check, ...]:
    """From θ₀ ~ π exactly: E f(θ₁) = E f(θ₀), and after ``steps`` transitions too, for the whole family f; where the kernel
    says that it is reversible, E h(θ₀, θ₁) = E h(θ₁, θ₀); the exact rank test; P(θ₁ ≠ θ₀) ≥ ``least_movement``."""
    deadline = None if budget is None else time.monotonic() + budget
    run = _runner(kernel, target, steps)
    pilot_start, pilot_end, _ = run(seed, 2_000)
    family = Family(pilot_start)
    checks = []

    def invariance(which: int) -> Callable[[int, int], MeanTest]:
        def batch(s: int, m: int) -> MeanTest:
            first, one, many = run(s, m)
            end = one if which == 1 else many
            return test_means(family(end) - family(first), np.zeros(len(family.names)))

        return batch

    def reversibility(s: int, m: int) -> MeanTest:
        first, one, _ = run(s, m)
        return test_means(_antisymmetric(family, first, one), np.zeros(1))

    tests = [("one step", invariance(1)), (f"{steps} steps", invariance(2))]
    for case, batch in tests:
        checks.append(_check(kernel, "leaves the target invariant", case, batch, family.names, seed, n, alpha, deadline))
    if kernel.reversible:
        names = [f"exchange {i}" for i in range(_antisymmetric(family, pilot_start, pilot_end).shape[1])]
        checks.append(_check(kernel, "reversible", "one step", reversibility, names, seed, n, alpha, deadline))
    moved = float(np.mean(np.any(pilot_start != pilot_end, axis=1)))
    checks.append(
        Check(
            "moves", "exact start", "P(theta1 != theta0)",
            "passed" if moved >= least_movement else "refuted", 0.0, len(pilot_start),
            {"moved": moved, "least": least_movement}, None, "one step", seed,
        )  # fmt: skip
    )
    return tuple(checks)


def _check(
    kernel: Kernel, claim: str, case: str, batch: Any, names: list[str], seed: int, n: int, alpha: float, deadline: Any
) -> Check:
    result = staged(batch, seed, n, alpha, deadline=deadline)
    t = result.test
    outcome = "refuted" if result.refuted else "passed" if result.decided else "undecided"
    statistic = {"function": names[t.which], "z": t.z, "mean": t.mean, "p": t.p_value}
    delta = detectable(n, alpha, len(names))
    return Check(claim, "exact start", f"{len(names)} bounded functions", outcome, alpha, result.total, statistic, delta,
                 f"{kernel.name}, {case}", result.stage_seed)  # fmt: skip


def _runner(kernel: Kernel, target: ExactTarget, steps: int) -> Callable[[int, int], tuple[np.ndarray, ...]]:
    def one(key: Any) -> Any:
        begin, *keys = jax.random.split(key, steps + 1)
        trace = target.sample(begin)
        state = TracedValue(trace, jnp.asarray(target.log_density(trace)))
        first, _ = kernel.step(keys[0], state, target.log_density)

        def more(s: TracedValue, k: Any) -> Any:
            return kernel.step(k, s, target.log_density)[0], None

        last, _ = jax.lax.scan(more, first, jnp.stack(keys[1:]))
        return trace, first.trace, last.trace

    compiled = jax.jit(jax.vmap(one))
    block = 20_000

    def run(seed: int, n: int) -> tuple[np.ndarray, ...]:
        """(n, d) arrays: the start, after one step, after ``steps``. In blocks of one size: one compilation."""
        keys = jax.random.split(jax.random.key(seed), max(n, 1))
        parts = []
        size = min(block, n)
        for start in range(0, n, size):
            chunk = keys[start : start + size]
            short = size - chunk.shape[0]
            chunk = jnp.concatenate([chunk, keys[:short]]) if short else chunk
            parts.append([flat(part)[: size - short] for part in compiled(chunk)])
        return tuple(np.concatenate(p) for p in zip(*parts, strict=True))

    return run


def _antisymmetric(family: Family, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """h(θ₀, θ₁) − h(θ₁, θ₀) for h = f(θ₀) g(θ₁) over neighbouring pairs of functions of the family."""
    f0, f1 = family(before), family(after)
    shift = max(1, f0.shape[1] // 3)
    return f0 * np.roll(f1, shift, axis=1) - f1 * np.roll(f0, shift, axis=1)


def check_rank(
    kernel: Kernel,
    target: ExactTarget,
    seed: int = 0,
    alpha: float = 1e-9,
    n: int = 4_000,
    length: int = 8,
    reverse: Kernel | None = None,
) -> Check:
    """The exact rank test (Gandy and Scott 2020, algorithm 2): M uniform on 1..L, θ_M ~ π, the kernel run forward L − M and its reversal
    M − 1 steps from it; ties broken at random, the rank of θ_M among all L is uniform. For every L and n, with no
    error of approximation. ``reverse``: the time reversal of a kernel that is not reversible."""
    back = reverse or kernel
    if reverse is None and not kernel.reversible:
        raise ValueError(f"{kernel.name} is not reversible: the rank test needs its reversal (`reverse=`)")

    def one(key: Any) -> Any:
        begin, place, forward_key, back_key, tie = jax.random.split(key, 5)
        m = jax.random.randint(place, (), 0, length)
        trace = target.sample(begin)
        state = TracedValue(trace, jnp.asarray(target.log_density(trace)))

        def path(k: Any, using: Kernel) -> Any:
            def more(s: TracedValue, kk: Any) -> Any:
                s, _ = using.step(kk, s, target.log_density)
                return s, s.trace

            return jax.lax.scan(more, state, jax.random.split(k, length - 1))[1]

        ahead, behind = path(forward_key, kernel), path(back_key, back)
        steps = jnp.arange(length - 1)
        used_ahead, used_behind = steps < length - 1 - m, steps < m
        coins = jax.random.uniform(tie, (2 * length - 1,))  # places among equals: a uniform one for each state

        def rank(x: Any, a: Any, b: Any) -> Any:
            x, a, b = jnp.ravel(x), a.reshape(length - 1, -1), b.reshape(length - 1, -1)

            def below(other: Any, used: Any, coin: Any) -> Any:
                less = (other < x) | ((other == x) & (coin[:, None] < coins[-1]))
                return jnp.sum(less & used[:, None], axis=0)

            return below(a, used_ahead, coins[: length - 1]) + below(b, used_behind, coins[length - 1 : -1])

        ranks = jax.tree.map(rank, trace, ahead, behind)
        return jnp.concatenate(jax.tree.leaves(ranks))

    compiled = jax.jit(jax.vmap(one))

    def batch(s: int, size: int) -> MeanTest:
        ranks = np.asarray(compiled(jax.random.split(jax.random.key(s), size)))
        counts = np.stack([np.bincount(r, minlength=length) for r in ranks.T])
        p = stats.chisquare(counts, axis=1).pvalue
        worst = int(np.argmin(p))
        return MeanTest(min(1.0, float(p[worst]) * len(p)), worst, float("nan"), float(np.mean(ranks[:, worst])),
                        (length - 1) / 2, size)  # fmt: skip

    result = staged(batch, seed, n, alpha)
    statistic = {"coordinate": result.test.which, "mean rank": result.test.mean, "p": result.test.p_value}
    return Check("ranks uniform", "exact start", f"L = {length}", "refuted" if result.refuted else "passed", alpha,
                 result.total, statistic, None, kernel.name, result.stage_seed)  # fmt: skip


