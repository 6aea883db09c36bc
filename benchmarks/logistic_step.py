"""Steps of variational inference for a logistic regression: a guide in a .ppl file against NumPyro's SVI.

    python benchmarks/logistic_step.py [--steps 300] [--repeats 7] [-n 10000] [-d 50]

Mean-field Normal guide, ELBO of one draw, Adam(0.01), 32-bit, CPU. Each side runs all steps in one compiled loop. Runs
alternate; prints the shortest time per step of each and their ratio (aim: at most 0.7), after checking that both reach
the same bound."""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import optax
from numpyro.infer import SVI, Trace_ELBO, init_to_value
from numpyro.infer.autoguide import AutoNormal

import ppl

MODEL = """
model logistic[N, D](x: real[N, D]) {
  w: real[D] ~ Normal(0, 1)
  let eta = x @ w
  plate i in N { data y[i] ~ BernoulliLogit(eta[i]) }
}

guide mean_field[N, D](x: real[N, D]) for logistic {
  param m: real[D] = zeros(D)
  param s: pos[D] = full(D, 0.1)
  w: real[D] ~ Normal(m, s) via reparam
}
"""


def theirs(x, y, steps):
    def model(x, y):
        w = numpyro.sample("w", dist.Normal(0, 1).expand([x.shape[1]]).to_event(1))
        with numpyro.plate("rows", x.shape[0]):
            numpyro.sample("y", dist.Bernoulli(logits=x @ w), obs=y)

    start = init_to_value(values={"w": jnp.zeros(x.shape[1])})
    guide = AutoNormal(model, init_loc_fn=start, init_scale=0.1)
    svi = SVI(model, guide, numpyro.optim.Adam(0.01), Trace_ELBO())
    state = svi.init(jax.random.key(0), x, y)

    @jax.jit
    def run(state, x, y):
        return jax.lax.fori_loop(0, steps, lambda _, s: svi.update(s, x, y)[0], state)

    def bound(state):
        keys = jax.random.split(jax.random.key(5), 50)
        return -float(np.mean([svi.evaluate(state._replace(rng_key=k), x, y) for k in keys]))

    return (lambda: run(state, x, y)), bound


def ours(x, y, steps):
    from ppl.api.variational import bound as bound_for

    applied = ppl.parse(MODEL).logistic(x=x).given(y=y)
    program = bound_for(applied, ppl.vi(guide="mean_field", particles=1))[1].objective
    adam = optax.adam(0.01)
    params = program.initial(jax.random.key(0))

    @jax.jit
    def run(program, params, key):
        def step(i, carry):
            params, memory = carry
            gradient = jax.grad(lambda p: -program.surrogate(p, jax.random.fold_in(key, i)))(params)
            change, memory = adam.update(gradient, memory, params)
            return optax.apply_updates(params, change), memory

        return jax.lax.fori_loop(0, steps, step, (params, adam.init(params)))[0]

    def bound(params):
        return float(np.mean([program.surrogate(params, k) for k in jax.random.split(jax.random.key(6), 50)]))

    return (lambda: run(program, params, jax.random.key(1))), bound


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--steps", type=int, default=300)
    arguments.add_argument("--repeats", type=int, default=7)
    arguments.add_argument("-n", type=int, default=10_000)
    arguments.add_argument("-d", type=int, default=50)
    options = arguments.parse_args()
    rng = np.random.default_rng(0)
    x = rng.normal(size=(options.n, options.d)).astype(np.float32)
    y = rng.random(options.n) < 1 / (1 + np.exp(-x @ rng.normal(size=options.d) * 0.3))
    with ppl.environment(bits=32):
        a, bound_a = ours(x, y, options.steps)
        b, bound_b = theirs(jnp.asarray(x), jnp.asarray(y, jnp.int32), options.steps)
        reached = bound_a(a()), bound_b(b())
        assert abs(reached[0] - reached[1]) < 0.01 * abs(reached[1]), f"the bounds differ: {reached}"
        times = [[], []]
        for _ in range(options.repeats):
            for took, call in zip(times, (a, b), strict=True):
                start = time.perf_counter()
                jax.block_until_ready(call())
                took.append((time.perf_counter() - start) / options.steps)
    mine, other = (min(t) for t in times)
    print(f"n = {options.n}, d = {options.d}: ppl {1e6 * mine:.0f} µs a step, NumPyro {1e6 * other:.0f} µs")
    print(f"ratio {mine / other:.2f} (bounds {reached[0]:.1f} and {reached[1]:.1f})")


if __name__ == "__main__":
    main()
