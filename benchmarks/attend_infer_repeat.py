"""Attend, Infer, Repeat (Eslami et al. 2016) on small images of none, one or two blobs: three estimators of the
gradient through the discrete choices, compared.

    python benchmarks/attend_infer_repeat.py [--steps 10000] [--images 512] [--batch 64]

Each image has two slots; a Bernoulli says whether the slot holds a blob, and a point where. The second is there only if
the first is. A network looks at the image and gives the probabilities and places (an amortised guide), and is trained
by the ELBO on random batches, the discrete choices differentiated by enumeration, by the score function, or by
measure-valued derivatives. Prints for each the count accuracy, the time of a step, the size of the program
(lines of StableHLO) and the standard deviation of the gradient of one step at the start."""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

import ppl

SIDE = 10
MODEL = """
extern fn render[D](first: bool, second: bool, place: real[2, 2]) -> real[D]
extern fn look[D](image: real[D]) -> (prob[2], real[2, 2], pos[2, 2])

model air[N, D]() {
  plate i in N {
    first[i] ~ Bernoulli(0.66)
    second[i] ~ Bernoulli(if first[i] then 0.5 else 0.001)
    place[i]: real[2, 2] ~ Normal(0, 1)
    data image[i]: real[D] ~ Normal(render[D](first[i], second[i], place[i]), 0.3)
  }
}

guide attend[N, D](image: real[N, D]) for air {
  plate i in N {
    let (p, m, s) = look(image[i])
    first[i] ~ Bernoulli(p[0]) via STRATEGY
    second[i] ~ Bernoulli(if first[i] then p[1] else 0.001) via STRATEGY
    place[i]: real[2, 2] ~ Normal(m, s) via reparam
  }
}
"""


def blob(place):
    """An image of one blob; the square [−2, 2]² is what can be seen."""
    grid = jnp.linspace(-2, 2, SIDE)
    x, y = jnp.exp(-0.5 * ((grid[:, None] - place) / 0.7) ** 2).T
    return (x[:, None] * y[None, :]).ravel()


def render(first, second, place):
    return first * blob(place[0]) + second * blob(place[1])


class Look(eqx.Module):
    layers: eqx.nn.MLP

    def __init__(self, key):
        self.layers = eqx.nn.MLP(SIDE * SIDE, 10, 128, 2, key=key)

    def __call__(self, image):
        out = self.layers(image)
        p = 0.1 + 0.8 * jax.nn.sigmoid(out[:2])
        return p, out[2:6].reshape(2, 2), 0.02 + jax.nn.softplus(out[6:].reshape(2, 2))


def images(n, rng):
    count = rng.integers(0, 3, n)
    place = np.clip(rng.normal(size=(n, 2, 2)), -2, 2)
    clean = jax.vmap(render)(jnp.asarray(count > 0), jnp.asarray(count > 1), jnp.asarray(place))
    return count, np.asarray(clean) + 0.3 * rng.normal(size=clean.shape)


def built(strategy, pixels, batch, network):
    from ppl.api.variational import bound

    module = ppl.parse(MODEL.replace("STRATEGY", strategy)).with_externs(render=render, look=network)
    return bound(module.air().given(image=pixels), ppl.vi(guide="attend", batch=batch, particles=1))[1].objective


def trained(program, steps, images_in_all):
    adam = optax.adam(2e-3)

    def slope(program, params, key):
        return jax.grad(lambda p: -program.surrogate(p, key) / images_in_all)(params)

    @jax.jit
    def run(program, params, memory, first):
        def step(i, carry):
            params, memory = carry
            change, memory = adam.update(slope(program, params, jax.random.fold_in(jax.random.key(1), i)), memory, params)
            return optax.apply_updates(params, change), memory

        return jax.lax.fori_loop(first, first + steps, step, (params, memory))

    params = program.initial(jax.random.key(0))
    keys = jax.random.split(jax.random.key(2), 100)
    slopes = jax.jit(lambda program, p: jax.lax.map(lambda k: slope(program, p, k), keys))(program, params)
    noise = np.sqrt(sum(float(jnp.var(g, axis=0).sum()) for g in jax.tree.leaves(slopes)))
    lines = len(jax.jit(slope).lower(program, params, keys[0]).as_text().splitlines())
    jax.block_until_ready(run(program, params, adam.init(params), 0))  # compiles
    start = time.perf_counter()
    params, _ = jax.block_until_ready(run(program, params, adam.init(params), 0))
    return params, (time.perf_counter() - start) / steps, lines, noise


def accuracy(params, network, pixels, count):
    arrays = params["networks"]["look"]
    fitted = eqx.combine(arrays, eqx.filter(network, eqx.is_inexact_array, inverse=True))
    p, _, _ = jax.vmap(fitted)(jnp.asarray(pixels))
    found = (p[:, 0] > 0.5).astype(int) * (1 + (p[:, 1] > 0.5).astype(int))
    return float(np.mean(np.asarray(found) == count))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--steps", type=int, default=10000)
    arguments.add_argument("--images", type=int, default=512)
    arguments.add_argument("--batch", type=int, default=64)
    arguments.add_argument("--strategies", nargs="*", default=["enum", "reinforce", "mvd"])
    options = arguments.parse_args()
    rng = np.random.default_rng(0)
    count, pixels = images(options.images, rng)
    network = Look(jax.random.key(4))
    print("strategy   count accuracy  ms a step  lines  sd of the gradient")
    for strategy in options.strategies:
        with ppl.environment(bits=32):
            program = built(strategy, pixels, options.batch, network)
            params, seconds, lines, noise = trained(program, options.steps, options.images)
            right = accuracy(params, network, pixels, count)
        print(f"{strategy:9s}  {right:14.3f}  {1e3 * seconds:9.2f}  {lines:5d}  {noise:18.3f}", flush=True)


if __name__ == "__main__":
    main()
