"""How often the quick checks refute sound parts: `python tools/false_alarms.py [RUNS]`, at α = 0.01 each, fresh seeds.

Prints the rate, for each check and over all, with its 99 % Clopper–Pearson interval. The sequential wrapper spends no
more than α on a sound part, and most of it in its first stage. Every check is compiled once: a run is another seed."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
os.environ.setdefault("JAX_ENABLE_X64", "1")

ALPHA = 0.01
N = 1_000
"""Draws of the first stage."""


def checks() -> dict[str, Callable]:
    """name → (seed, draws) → the p-value with which the sequential wrapper is driven."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    from ppl.core.distributions import make
    from ppl.inference.algorithms.smc import smc
    from ppl.inference.kernels import mala, random_walk
    from ppl.inference.representations import suspend
    from ppl.inference.resampling import SCHEMES
    from ppl.inference.validation.blocks import in_blocks
    from ppl.inference.validation.chains import as_chain
    from ppl.inference.validation.checks.kernel import runner
    from ppl.inference.validation.checks.weighted import estimates
    from ppl.inference.validation.families import Family
    from ppl.inference.validation.fixed_n import test_means, test_weights
    from ppl.inference.validation.reference_models import correlated_normal, hmm2, last_state, standard_normal

    def invariance(kernel, target, steps=1):
        run = runner(as_chain(kernel, target), steps, None, N)
        family = Family(run(0, N)[0])

        def test(seed, n):
            first, _, last = run(seed, n)
            return test_means(family(last) - family(first), np.zeros(len(family.names)))

        return test

    def means(one, expected, test=test_means):
        compiled = jax.jit(jax.vmap(one))
        return lambda seed, n: test(in_blocks(compiled, seed, n, N), np.asarray(expected, float))

    def weighted(program, measure):
        return means(
            lambda key: estimates(program.run(key)[0], measure), np.append(1.0, measure.expected), test_weights
        )

    def offspring(scheme):
        weights = jnp.array([0.1, 0.2, 0.3, 0.4])
        return means(
            lambda key: jnp.zeros(4).at[scheme(key, jnp.log(weights), 7)].add(1.0), 7 * np.array([0.1, 0.2, 0.3, 0.4])
        )

    def score(key):
        """The score of a coin at logit 0.3 times its value: the gradient of its mean."""
        p = jax.nn.sigmoid(0.3)
        z = jax.random.bernoulli(key, p).astype(float)
        return jnp.atleast_1d(z * (z - p))

    gumbel = make("Gumbel", {"loc": 0.5, "scale": 2.0})
    points = jnp.array([-1.0, 0.0, 1.0, 3.0])
    below = np.exp(-np.exp(-(np.asarray(points) - 0.5) / 2.0))
    p = 1 / (1 + np.exp(-0.3))
    return {
        "random walk": invariance(random_walk(1.0), standard_normal()),
        "random walk, five steps": invariance(random_walk(1.0), standard_normal(), 5),
        "Langevin": invariance(mala(0.5), correlated_normal()),
        "SMC, systematic": weighted(smc(3, ess=0.9)(suspend(hmm2(3))), last_state(hmm2(3))),
        "SMC, multinomial": weighted(smc(2, SCHEMES["multinomial"], 1.1)(suspend(hmm2(3))), last_state(hmm2(3))),
        "offspring, residual": offspring(SCHEMES["residual"]),
        "offspring, stratified": offspring(SCHEMES["stratified"]),
        "score function": means(score, [p * (1 - p)]),
        "quantiles of Gumbel": means(lambda key: (gumbel.sample(key) <= points).astype(float), below),
    }


def interval(alarms: int, runs: int) -> tuple[float, float]:
    """99 % Clopper–Pearson."""
    from scipy import stats

    low = float(stats.beta.ppf(0.005, alarms, runs - alarms + 1)) if alarms else 0.0
    return low, float(stats.beta.ppf(0.995, alarms + 1, runs - alarms)) if alarms < runs else 1.0


def main(arguments: list[str]) -> int:
    from ppl.inference.validation.sequential import staged

    runs = int(arguments[0]) if arguments else 1_000
    begin = time.monotonic()
    tests = list(checks().items())
    alarms = dict.fromkeys(dict(tests), 0)
    done = dict.fromkeys(dict(tests), 0)
    for i in range(runs):
        name, test = tests[i % len(tests)]
        alarms[name] += staged(test, secrets.randbits(62), N, ALPHA).refuted
        done[name] += 1
    for name in alarms:
        print(f"{name:<26}{alarms[name]:>5} of {done[name]}")
    total = sum(alarms.values())
    low, high = interval(total, runs)
    print(f"{total} false alarms in {runs} runs at alpha = {ALPHA}, {time.monotonic() - begin:.0f} s")
    print(f"rate {total / runs:.4f}, 99 % interval {low:.4f} to {high:.4f}")
    return 0 if low <= ALPHA else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
