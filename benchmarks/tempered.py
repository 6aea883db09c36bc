"""Tempered SMC with an adaptive schedule: ours and BlackJAX's, side by side on the same densities.

    python benchmarks/tempered.py [--particles 1000 10000] [--repeats 7] [--quick]

A Gaussian prior and a likelihood with two modes in eight dimensions, whose evidence is known. Both have the same
schedule (half of the particles effective), systematic resampling, and five random-walk steps of one length at each
temperature, in 32 bits. Times are the least of the repeats, compilation left out; errors are those of log Ẑ over the
repeats.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import logsumexp

import ppl
from ppl.inference.algorithms.tempered import tempered_smc
from ppl.inference.kernels import random_walk

DIMENSIONS, MOVES, LENGTH = 8, 5, 0.35
CENTRES, NOISE = jnp.array([-1.5, 1.5]), 0.5


def log_prior(x: Any) -> Any:
    return -0.5 * jnp.sum(x**2) - 0.5 * DIMENSIONS * math.log(2 * math.pi)


def log_likelihood(x: Any) -> Any:
    """An equal mixture of N(c, 0.5² I) at c = ±1.5 in all coordinates."""
    each = -0.5 * jnp.sum((x - CENTRES[:, None]) ** 2, axis=1) / NOISE**2
    return logsumexp(each) - math.log(2) - DIMENSIONS * math.log(NOISE * math.sqrt(2 * math.pi))


def truth() -> float:
    var = 1 + NOISE**2
    return DIMENSIONS * (-0.5 * math.log(2 * math.pi * var) - 0.5 * 1.5**2 / var)


def ours(n: int) -> Callable[[Any], Any]:
    def run(key: Any) -> Any:
        prior = lambda k: jax.random.normal(k, (DIMENSIONS,))  # noqa: E731
        kernel = random_walk(LENGTH)
        return tempered_smc(key, prior, log_prior, log_likelihood, lambda _: kernel, n, MOVES).particles.log_evidence

    return run


def blackjax(n: int) -> Callable[[Any], Any]:
    import blackjax
    from blackjax.smc.resampling import systematic

    walk = blackjax.additive_step_random_walk
    step = walk.build_kernel()

    def move(key: Any, state: Any, log_density: Any) -> Any:
        return step(key, state, log_density, blackjax.mcmc.random_walk.normal(LENGTH * jnp.ones(DIMENSIONS)))

    tempered = blackjax.adaptive_tempered_smc(
        log_prior, log_likelihood, move, walk.init, {}, systematic, 0.5, num_mcmc_steps=MOVES
    )

    def run(key: Any) -> Any:
        begin, rest = jax.random.split(key)
        state = tempered.init(jax.random.normal(begin, (n, DIMENSIONS)))

        def once(carry: Any) -> Any:
            k, state, total = carry
            k, here = jax.random.split(k)
            state, info = tempered.step(here, state)
            return k, state, total + info.log_likelihood_increment

        at = "tempering_param" if hasattr(state, "tempering_param") else "lmbda"
        return jax.lax.while_loop(lambda c: getattr(c[1], at) < 1, once, (rest, state, jnp.zeros(())))[2]

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--particles", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="small sizes: only to see that all of it runs")
    given = parser.parse_args()
    if given.quick:
        given.particles, given.repeats = [200], 2
    with ppl.environment("cpu", 32):
        for n in given.particles:
            base = 0.0
            for name, make in {"BlackJAX": blackjax, "ours": ours}.items():
                run = jax.jit(make(n))
                values, times = [float(run(jax.random.key(0)))], []
                for k in range(1, given.repeats + 1):
                    begin = time.perf_counter()
                    values.append(float(run(jax.random.key(k))))
                    times.append(time.perf_counter() - begin)
                base = base or min(times)
                error = np.sqrt(np.mean((np.asarray(values) - truth()) ** 2))
                print(f"{n:>8}  {name:<10}{1e3 * min(times):>10.1f} ms   speed {base / min(times):5.2f}   "
                      f"log evidence {np.mean(values):.2f} (exact {truth():.2f}, error {error:.2f})", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
