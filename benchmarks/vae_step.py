"""One gradient step of a variational autoencoder: compiled from a .ppl file against the best hand-written JAX.

    python benchmarks/vae_step.py [--repeats 30] [--batches 64 256 1024]

Decoder 10-200-784, encoder 784-200-20, leaky ReLU, random binary images, 32-bit, CPU. Both sides draw one latent for
each image, take the mean of the objective over the batch before differentiating, and give the gradient by all arrays
of the two networks. Calls alternate; prints the shortest times and their ratio (aim: at most 1.05), after checking
that both estimate the same objective."""

from __future__ import annotations

import argparse
import os
import time
from functools import partial

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import ppl

MODEL = """
extern fn decoder[L, D](z: real[L]) -> real[D]
extern fn encoder[L, D](x: bool[D]) -> (real[L], pos[L])

model vae[N, D](L: size) {
  plate i in N {
    z[i]: real[L] ~ Normal(0, 1)
    data x[i]: bool[D] ~ BernoulliLogit(decoder[L, D](z[i]))
  }
}

guide encode[N, D](L: size, x: bool[N, D]) for vae {
  plate i in N {
    let (m, s) = encoder[L, D](x[i])
    z[i]: real[L] ~ Normal(m, s) via reparam
  }
}
"""
LATENTS, HIDDEN, PIXELS = 10, 200, 784


class Decoder(eqx.Module):
    first: eqx.nn.Linear
    second: eqx.nn.Linear

    def __call__(self, z):
        return self.second(jax.nn.leaky_relu(self.first(z)))


class Encoder(eqx.Module):
    first: eqx.nn.Linear
    second: eqx.nn.Linear

    def __call__(self, x):
        y = self.second(jax.nn.leaky_relu(self.first(x.astype(jnp.float32))))
        return y[:LATENTS], jnp.exp(y[LATENTS:])


def networks(key):
    k = jax.random.split(key, 4)
    decoder = Decoder(eqx.nn.Linear(LATENTS, HIDDEN, key=k[0]), eqx.nn.Linear(HIDDEN, PIXELS, key=k[1]))
    encoder = Encoder(eqx.nn.Linear(PIXELS, HIDDEN, key=k[2]), eqx.nn.Linear(HIDDEN, 2 * LATENTS, key=k[3]))
    return decoder, encoder


def by_hand(params, x, key):
    """Matrix products over the whole batch; the Normal's normaliser cancels between prior and guide."""
    decoder, encoder = params
    hidden = jax.nn.leaky_relu(x.astype(jnp.float32) @ encoder.first.weight.T + encoder.first.bias)
    y = hidden @ encoder.second.weight.T + encoder.second.bias
    m, log_s = y[:, :LATENTS], y[:, LATENTS:]
    e = jax.random.normal(key, m.shape)
    z = m + jnp.exp(log_s) * e
    logits = jax.nn.leaky_relu(z @ decoder.first.weight.T + decoder.first.bias) @ decoder.second.weight.T
    logits = logits + decoder.second.bias
    log_lik = (x * logits - jax.nn.softplus(logits)).sum()
    return (log_lik - 0.5 * (z**2).sum() + 0.5 * (e**2).sum() + log_s.sum()) / x.shape[0]


def compiled(decoder, encoder, x):
    """The ELBO, one draw for each image."""
    from ppl.api.variational import bound

    module = ppl.parse(MODEL).with_externs(decoder=decoder, encoder=encoder)
    return bound(module.vae(L=LATENTS).given(x=x), ppl.vi(guide="encode", particles=1))[1].objective


def shortest(calls, repeats):
    times = [[] for _ in calls]
    for _ in range(repeats):
        for took, call in zip(times, calls, strict=True):
            start = time.perf_counter()
            jax.block_until_ready(call())
            took.append(time.perf_counter() - start)
    return [min(t) for t in times]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--repeats", type=int, default=30)
    arguments.add_argument("--batches", type=int, nargs="*", default=[64, 256, 1024])
    options = arguments.parse_args()
    key = jax.random.key(0)
    decoder, encoder = networks(key)
    print("batch  ppl (ms)  by hand (ms)  ratio")
    for batch in options.batches:
        x = np.random.default_rng(batch).random((batch, PIXELS)) < 0.5
        with ppl.environment(bits=32):
            program = compiled(decoder, encoder, x)
            params = program.initial(key)
            ours = jax.jit(
                lambda program, p, k, n=batch: jax.value_and_grad(lambda q: program.surrogate(q, k) / n)(p)
            )
            theirs = jax.jit(jax.value_and_grad(by_hand))
            pixels = jnp.asarray(x)
            keys = jax.random.split(key, 20)
            here = [float(ours(program, params, k)[0]) for k in keys]
            there = [float(theirs((decoder, encoder), pixels, k)[0]) for k in keys]
            spread = 5 * np.hypot(np.std(here), np.std(there)) / np.sqrt(len(keys)) + 1e-3
            assert abs(np.mean(here) - np.mean(there)) < spread, "the two objectives differ"
            calls = partial(ours, program, params, key), partial(theirs, (decoder, encoder), pixels, key)
            a, b = shortest(calls, options.repeats)
        print(f"{batch:5d}  {1e3 * a:8.2f}  {1e3 * b:12.2f}  {a / b:5.2f}")


if __name__ == "__main__":
    main()
