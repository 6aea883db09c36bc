"""How often the quick checks refute sound parts: `python tools/false_alarms.py [RUNS]`, at α = 0.01 each, fresh seeds.

Prints the rate with its 99 % Clopper–Pearson interval. The sequential wrapper spends less than α on a sound part, so
that the rate may lie below 0.01, and must not lie above."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
os.environ.setdefault("JAX_ENABLE_X64", "1")

ALPHA = 0.01


def checks(n: int = 1_000):
    """Functions of a seed, compiled once, that give a p-value with which the sequential wrapper is driven."""
    import jax
    import numpy as np

    from ppl.inference.algorithms.smc import smc
    from ppl.inference.kernels import random_walk
    from ppl.inference.representations import suspend
    from ppl.inference.validation.chains import as_chain
    from ppl.inference.validation.checks.kernel import _runner
    from ppl.inference.validation.checks.weighted import estimates
    from ppl.inference.validation.families import Family
    from ppl.inference.validation.fixed_n import test_means
    from ppl.inference.validation.reference_models import hmm2, last_state, standard_normal

    target = standard_normal()
    run = _runner(as_chain(random_walk(1.0), target), 3, None, n)
    family = Family(run(0, n)[0])

    def kernel(seed: int, size: int):
        first, _, last = run(seed, size)
        return test_means(family(last) - family(first), np.zeros(len(family.names)))

    model = hmm2(3)
    program, measure = smc(3, ess=0.9)(suspend(model)), last_state(model)
    one = jax.jit(jax.vmap(lambda key: estimates(program.run(key)[0], measure)))
    expected = np.concatenate([[1.0], measure.expected])

    def weighted(seed: int, size: int):
        blocks = jax.random.split(jax.random.key(seed), size).reshape(-1, n)
        return test_means(np.concatenate([np.asarray(one(keys)) for keys in blocks]), expected)

    return (kernel, weighted), n


def main(arguments: list[str]) -> int:
    from scipy import stats

    from ppl.inference.validation.sequential import staged

    runs = int(arguments[0]) if arguments else 1_000
    tests, n = checks()
    alarms = 0
    for i in range(runs):
        alarms += staged(tests[i % len(tests)], secrets.randbits(62), n, ALPHA).refuted
    low = stats.beta.ppf(0.005, alarms, runs - alarms + 1) if alarms else 0.0
    high = stats.beta.ppf(0.995, alarms + 1, runs - alarms)
    print(f"{alarms} false alarms in {runs} runs at alpha = {ALPHA}")
    print(f"rate {alarms / runs:.4f}, 99 % interval {low:.4f} to {high:.4f}")
    return 0 if low <= ALPHA else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
