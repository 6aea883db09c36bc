"""Invariance of a kernel from exact starts, reversibility, mobility, and the exact rank test."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from ppl.core.errors import UsageError
from ppl.inference.validation.blocks import in_blocks
from ppl.inference.validation.certificate import Check
from ppl.inference.validation.chains import Chain, ExactTarget, as_chain
from ppl.inference.validation.families import Atoms, Family, flat
from ppl.inference.validation.fixed_n import MeanTest, detectable, test_means
from ppl.inference.validation.sequential import staged


def check_kernel(
    kernel: Any,
    target: ExactTarget,
    seed: int = 0,
    alpha: float = 1e-9,
    n: int = 20_000,
    steps: int = 5,
    least_movement: float = 0.01,
    budget: float | None = None,
) -> tuple[Check, ...]:
    """From θ₀ ~ π exactly: E f(θ₁) = E f(θ₀), and after ``steps`` transitions too, for the whole family f; where the
    kernel says that it is reversible, E h(θ₀, θ₁) = E h(θ₁, θ₀); P(θ₁ ≠ θ₀) ≥ ``least_movement``. ``kernel``: see
    ``as_chain``."""
    deadline = None if budget is None else time.monotonic() + budget
    chain = as_chain(kernel, target)
    run = runner(chain, steps, target.functions, min(n, 20_000))
    pilot_start, pilot_end, _ = run(seed, 2_000)
    moved = float(np.mean(np.any(pilot_start != pilot_end, axis=1)))
    family: Any = Family(pilot_start) if target.functions is None else Atoms(pilot_start.shape[1])
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
        checks.append(_check(chain, "leaves the target invariant", case, batch, family.names, seed, n, alpha, deadline))
    if chain.reversible:
        names = [f"exchange {i}" for i in range(_antisymmetric(family, pilot_start, pilot_end).shape[1])]
        checks.append(_check(chain, "reversible", "one step", reversibility, names, seed, n, alpha, deadline))
    checks.append(
        Check(
            "moves",
            "exact start",
            "P(theta1 != theta0)",
            "passed" if moved >= least_movement else "refuted",
            0.0,
            len(pilot_start),
            {"moved": moved, "least": least_movement},
            None,
            "one step",
            seed,
        )
    )
    return tuple(checks)


def _check(
    chain: Chain, claim: str, case: str, batch: Any, names: list[str], seed: int, n: int, alpha: float, deadline: Any
) -> Check:
    result = staged(batch, seed, n, alpha, deadline=deadline)
    t = result.test
    outcome = result.outcome
    statistic = {"function": names[t.which], "z": t.z, "mean": t.mean, "p": t.p_value}
    delta = detectable(n, alpha, len(names))
    return Check(
        claim,
        "exact start",
        f"{len(names)} bounded functions",
        outcome,
        alpha,
        result.total,
        statistic,
        delta,
        f"{chain.name}, {case}",
        result.stage_seed,
    )


def runner(chain: Chain, steps: int, functions: Any, block: int) -> Callable[[int, int], tuple[np.ndarray, ...]]:
    read = chain.read if functions is None else lambda state: functions(chain.read(state))

    def one(key: Any) -> Any:
        begin, *keys = jax.random.split(key, steps + 1)
        state = chain.start(begin)
        first = chain.step(keys[0], state)
        last = first
        if steps > 1:
            last, _ = jax.lax.scan(lambda s, k: (chain.step(k, s), None), first, jnp.stack(keys[1:]))
        return read(state), read(first), read(last)

    compiled = jax.jit(jax.vmap(one))

    def run(seed: int, n: int) -> tuple[np.ndarray, ...]:
        """(n, d) arrays: the start, after one step, after ``steps``. In blocks of one size: one compilation."""
        keys = jax.random.split(jax.random.key(seed), -(-n // block) * block).reshape(-1, block)
        parts = [[flat(part) for part in compiled(chunk)] for chunk in keys]
        return tuple(np.concatenate(p)[:n] for p in zip(*parts, strict=True))

    return run


def _antisymmetric(family: Family, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """h(θ₀, θ₁) − h(θ₁, θ₀) for h = f(θ₀) g(θ₁) over neighbouring pairs of functions of the family."""
    f0, f1 = family(before), family(after)
    shift = max(1, f0.shape[1] // 3)
    return f0 * np.roll(f1, shift, axis=1) - f1 * np.roll(f0, shift, axis=1)


def check_rank(
    kernel: Any,
    target: ExactTarget,
    seed: int = 0,
    alpha: float = 1e-9,
    n: int = 4_000,
    length: int = 8,
    reverse: Any = None,
) -> Check:
    """The exact rank test (Gandy and Scott 2020, algorithm 2): M uniform on 1..L, θ_M ~ π, the kernel run forward L − M
    and its reversal M − 1 steps from it; ties broken at random, the rank of θ_M among all L is uniform. For every L and
    n, with no error of approximation. ``reverse``: the time reversal of a kernel that is not reversible."""
    forward = as_chain(kernel, target)
    back = forward if reverse is None else as_chain(reverse, target)
    if reverse is None and not forward.reversible:
        raise UsageError(f"{forward.name} is not said to be reversible", helps=("give its time reversal: reverse=…",))

    def one(key: Any) -> Any:
        begin, place, forward_key, back_key, tie = jax.random.split(key, 5)
        m = jax.random.randint(place, (), 0, length)
        state = forward.start(begin)

        def path(k: Any, using: Chain) -> Any:
            def more(s: Any, kk: Any) -> Any:
                s = using.step(kk, s)
                return s, using.read(s)

            return jax.lax.scan(more, state, jax.random.split(k, length - 1))[1]

        ahead, behind = path(forward_key, forward), path(back_key, back)
        steps = jnp.arange(length - 1)
        used_ahead, used_behind = steps < length - 1 - m, steps < m
        coins = jax.random.uniform(tie, (2 * length - 1,))  # places among equals: a uniform one for each state

        def rank(x: Any, a: Any, b: Any) -> Any:
            x, a, b = jnp.ravel(x), a.reshape(length - 1, -1), b.reshape(length - 1, -1)

            def below(other: Any, used: Any, coin: Any) -> Any:
                less = (other < x) | ((other == x) & (coin[:, None] < coins[-1]))
                return jnp.sum(less & used[:, None], axis=0)

            return below(a, used_ahead, coins[: length - 1]) + below(b, used_behind, coins[length - 1 : -1])

        ranks = jax.tree.map(rank, forward.read(state), ahead, behind)
        return jnp.concatenate(jax.tree.leaves(ranks))

    compiled = jax.jit(jax.vmap(one))

    def batch(s: int, size: int) -> MeanTest:
        ranks = in_blocks(compiled, s, size, n)
        counts = np.stack([np.bincount(r, minlength=length) for r in ranks.T])
        p = stats.chisquare(counts, axis=1).pvalue
        worst = int(np.argmin(p))
        return MeanTest(
            min(1.0, float(p[worst]) * len(p)),
            worst,
            float("nan"),
            float(np.mean(ranks[:, worst])),
            (length - 1) / 2,
            size,
        )

    result = staged(batch, seed, n, alpha)
    statistic = {"coordinate": result.test.which, "mean rank": result.test.mean, "p": result.test.p_value}
    return Check(
        "ranks uniform",
        "exact start",
        f"L = {length}",
        "refuted" if result.refuted else "passed",
        alpha,
        result.total,
        statistic,
        None,
        forward.name,
        result.stage_seed,
    )
