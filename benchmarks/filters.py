"""Bootstrap filters side by side in one run: from a `.ppl` model, hand-written, BlackJAX's, and the package
`particles`.

    python benchmarks/filters.py [--steps 100 1000] [--particles 1000 10000 100000] [--repeats 15] [--quick]

The hand-written filter is the fastest that we know for a CPU: `lax.scan`, systematic resampling below half the
effective sample size with ancestors by ceil, scatter and cumsum, the normals of all steps drawn before the scan. All
run in 32 bits on the same series and give the same evidence up to Monte Carlo error, which is checked. Times are the
least of the repeats; `speed` is the hand-written filter's time over theirs. Filters only: no trajectories. Then the
resampling schemes against each other, with resampling at every step: time, and the standard deviation of log Ẑ. The
last table is the compiled peak memory as the series grows. `--quick` is a smoke test of a few seconds.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import ppl
from ppl.inference.algorithms.smc import smc
from ppl.inference.resampling import SCHEMES

LINEAR = """
model linear[T]() {
  x[0] ~ Normal(0, 1)
  data y[0]: real ~ Normal(x[0], 0.5)
  for t in 1..T {
    x[t] ~ Normal(0.9 * x[t - 1], 0.3)
    data y[t]: real ~ Normal(x[t], 0.5)
  }
}
"""
VOLATILITY = """
model volatility[T]() {
  x[0] ~ Normal(-1, 0.6)
  data y[0]: real ~ Normal(0, exp(x[0] / 2))
  for t in 1..T {
    x[t] ~ Normal(-1 + 0.95 * (x[t - 1] + 1), 0.2)
    data y[t]: real ~ Normal(0, exp(x[t] / 2))
  }
}
"""
HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def normal(y: Any, mean: Any, sd: Any) -> Any:
    return -0.5 * ((y - mean) / sd) ** 2 - jnp.log(sd) - HALF_LOG_2PI


class Series:
    """A model twice: as `.ppl` text, and as functions for the filters written by hand (numpy or JAX arrays)."""

    def __init__(self, name: str, text: str, first: Any, move: Any, weigh: Any, draw: Any):
        self.name, self.text, self.first, self.move, self.weigh, self.draw = name, text, first, move, weigh, draw

    def simulate(self, steps: int) -> np.ndarray:
        rng, y = np.random.default_rng(1), []
        x = self.first(rng.standard_normal())
        for t in range(steps):
            x = x if t == 0 else self.move(x, rng.standard_normal())
            y.append(self.draw(x, rng.standard_normal()))
        return np.asarray(y, np.float32)


SERIES = (
    Series("linear Gaussian", LINEAR, lambda e: e, lambda x, e: 0.9 * x + 0.3 * e,
           lambda y, x: normal(y, x, 0.5), lambda x, e: x + 0.5 * e),
    Series("stochastic volatility", VOLATILITY, lambda e: -1 + 0.6 * e, lambda x, e: -1 + 0.95 * (x + 1) + 0.2 * e,
           lambda y, x: normal(y, 0.0, jnp.exp(x / 2)), lambda x, e: np.exp(x / 2) * e),
)  # fmt: skip


def from_text(series: Series, y: np.ndarray, n: int) -> Callable[[Any], Any]:
    target = ppl.parse(series.text)
    model = getattr(target, series.text.split()[1].split("[")[0])
    program = smc(n)(ppl.suspend(model().given(y=y)))
    return lambda key: program.run(key)[0].log_evidence


def by_hand(series: Series, y: np.ndarray, n: int) -> Callable[[Any], Any]:
    data = jnp.asarray(y)

    def ancestors(u: Any, weights: Any) -> Any:
        """Systematic: particle i begins at slot ⌈n Wᵢ₋₁ − u⌉; a running maximum fills its slots."""
        starts = jnp.ceil(n * jnp.cumsum(weights) - u).astype(jnp.int32)
        starts = jnp.clip(jnp.concatenate([jnp.zeros(1, jnp.int32), starts[:-1]]), 0, n)
        marks = jnp.zeros(n, jnp.int32).at[starts].add(1, mode="drop")
        return jnp.cumsum(marks) - 1

    def run(key: Any) -> Any:
        draw, choose = jax.random.split(key)
        noise = jax.random.normal(draw, (len(y), n))
        u = jax.random.uniform(choose, (len(y),))
        x = series.first(noise[0])

        def step(carry: Any, inputs: Any) -> Any:
            x, log_w, total = carry
            e, u, observed = inputs
            top = jnp.max(log_w)
            w = jnp.exp(log_w - top)
            sum_w = jnp.sum(w)

            def yes() -> Any:
                return x[ancestors(u, w / sum_w)], jnp.zeros(n), total + top + jnp.log(sum_w / n)

            x, log_w, total = jax.lax.cond(sum_w**2 < 0.5 * n * jnp.sum(w * w), yes, lambda: (x, log_w, total))
            x = series.move(x, e)
            return (x, log_w + series.weigh(observed, x), total), None

        first = x, series.weigh(data[0], x), jnp.zeros(())
        (_, log_w, total), _ = jax.lax.scan(step, first, (noise[1:], u[1:], data[1:]))
        return total + jax.nn.logsumexp(log_w) - math.log(n)

    return run


def by_blackjax(series: Series, y: np.ndarray, n: int) -> Callable[[Any], Any]:
    import blackjax.smc.base as base
    from blackjax.smc.resampling import systematic

    data = jnp.asarray(y)

    def run(key: Any) -> Any:
        begin, rest = jax.random.split(key)
        x = series.first(jax.random.normal(begin, (n,)))
        log_w = series.weigh(data[0], x)
        total = jax.nn.logsumexp(log_w) - math.log(n)
        state = base.SMCState(x, jax.nn.softmax(log_w), {})

        def step(carry: Any, inputs: Any) -> Any:
            state, total = carry
            k, observed = inputs

            def update(keys: Any, particles: Any, _: Any) -> Any:
                return jax.vmap(lambda kk, x: series.move(x, jax.random.normal(kk)))(keys, particles), None

            state, info = base.step(k, state, update, lambda x: series.weigh(observed, x), systematic)
            return (state, total + info.log_likelihood_increment), None

        (_, total), _ = jax.lax.scan(step, (state, total), (jax.random.split(rest, len(y) - 1), data[1:]))
        return total

    return run


def by_particles(series: Series, y: np.ndarray, n: int) -> Callable[[int], float]:
    """The package runs on numpy, in 64 bits."""
    import particles
    from particles import distributions as dists
    from particles import state_space_models as ssm

    class Model(ssm.StateSpaceModel):  # type: ignore[misc]
        def PX0(self) -> Any:  # noqa: N802 - the package's name
            return dists.Normal(loc=series.first(0.0), scale=series.first(1.0) - series.first(0.0))

        def PX(self, t: int, xp: Any) -> Any:  # noqa: N802
            return dists.Normal(loc=series.move(xp, 0.0), scale=series.move(0.0, 1.0) - series.move(0.0, 0.0))

        def PY(self, t: int, xp: Any, x: Any) -> Any:  # noqa: N802
            loc = series.draw(x, 0.0)
            return dists.Normal(loc=loc, scale=series.draw(x, 1.0) - loc)

    def run(seed: int) -> float:
        np.random.seed(seed)
        filter = particles.SMC(fk=ssm.Bootstrap(ssm=Model(), data=y.astype(float)), N=n, resampling="systematic", ESSrmin=0.5)
        filter.run()
        return filter.logLt

    return run


Timed = tuple[Callable[[Any], Any], Callable[[int], Any], int]  # a filter, its argument for a seed, repeats


def measure(filters: dict[str, Timed]) -> dict[str, tuple[float, float]]:
    """For each the least time in seconds, and the mean log evidence. The filters take turns, so that what else the
    machine does meets all of them."""
    values = {name: [float(run(argument(0)))] for name, (run, argument, _) in filters.items()}
    times: dict[str, list[float]] = {name: [] for name in filters}
    for k in range(1, max(n for _, _, n in filters.values()) + 1):
        for name, (run, argument, repeats) in filters.items():
            if k <= repeats:
                key = argument(k)
                begin = time.perf_counter()
                values[name].append(float(run(key)))
                times[name].append(time.perf_counter() - begin)
    return {name: (min(times[name]), float(np.mean(values[name]))) for name in filters}


def compare(series: Series, steps: int, n: int, repeats: int) -> None:
    y = series.simulate(steps)
    filters = {"by hand": by_hand, "from .ppl": from_text, "BlackJAX": by_blackjax}
    timed: dict[str, Timed] = {
        name: (jax.jit(make(series, y, n)), jax.random.key, repeats) for name, make in filters.items()
    }
    if importlib.util.find_spec("particles"):
        timed["particles"] = by_particles(series, y, n), int, max(1, repeats // 5)
    found = measure(timed)
    base, evidence = found["by hand"]
    for name, (seconds, value) in found.items():
        if abs(value - evidence) > 5 * math.sqrt(steps / n) + 0.5:
            raise SystemExit(f"{name} gives log evidence {value:.2f}, the hand-written filter {evidence:.2f}")
        print(f"{series.name:<22}{steps:>6}{n:>8}  {name:<10}{1e3 * seconds:>10.2f} ms   speed {base / seconds:5.2f}   "
              f"log evidence {value:.2f}", flush=True)  # fmt: skip


def schemes(series: Series, steps: int, n: int, repeats: int) -> None:
    """The filter from text, resampled at every step by each scheme; `time` against the systematic one."""
    y = series.simulate(steps)
    target = ppl.suspend(getattr(ppl.parse(series.text), series.text.split()[1].split("[")[0])().given(y=y))
    base = 0.0
    for name, scheme in {"systematic": SCHEMES["systematic"], **SCHEMES}.items():
        program = smc(n, scheme, ess=2.0)(target)
        run = jax.jit(lambda key, p=program: p.run(key)[0].log_evidence)
        seconds, _ = measure({name: (run, jax.random.key, repeats)})[name]
        spread = np.std([float(run(jax.random.key(k))) for k in range(100, 100 + max(20, repeats))])
        base = base or seconds
        print(f"{series.name:<22}{steps:>6}{n:>8}  {name:<12}{1e3 * seconds:>10.2f} ms   time {seconds / base:6.2f}   "
              f"sd of log evidence {spread:.3f}", flush=True)  # fmt: skip


def memory(n: int, lengths: tuple[int, ...] = (100, 1000, 10_000)) -> None:
    """Temporary bytes of the compiled filter alone: they do not grow with the length of the series."""
    for steps in lengths:
        run = jax.jit(from_text(SERIES[0], SERIES[0].simulate(steps), n))
        used = run.lower(jax.random.key(0)).compile().memory_analysis().temp_size_in_bytes
        print(f"memory of the filter, {n} particles, {steps:>6} steps: {used / n:8.1f} bytes per particle", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--particles", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="small sizes: only to see that all of it runs")
    given = parser.parse_args()
    if given.quick:
        given.steps, given.particles, given.repeats = [20], [200], 3
    if not importlib.util.find_spec("particles"):
        print("the package `particles` is not installed: left out")
    with ppl.environment("cpu", 32):
        for series in SERIES:
            for steps in given.steps:
                for n in given.particles:
                    compare(series, steps, n, given.repeats)
        schemes(SERIES[0], given.steps[0], given.particles[len(given.particles) // 2], given.repeats)
        memory(given.particles[-1], (20, 200) if given.quick else (100, 1000, 10_000))


if __name__ == "__main__":
    main()
