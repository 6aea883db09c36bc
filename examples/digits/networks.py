"""The two networks of `vae.ppl`, as Equinox modules: their arrays are trained with the objective."""

import equinox as eqx
import jax
import jax.numpy as jnp

LATENTS, HIDDEN, PIXELS = 4, 64, 64


class Decoder(eqx.Module):
    layers: eqx.nn.MLP

    def __call__(self, z):
        return self.layers(z)


class Encoder(eqx.Module):
    layers: eqx.nn.MLP

    def __call__(self, x):
        y = self.layers(jnp.asarray(x, float))
        return y[:LATENTS], jax.nn.softplus(y[LATENTS:]) + 1e-3


decoder = Decoder(eqx.nn.MLP(LATENTS, PIXELS, HIDDEN, 1, jax.nn.leaky_relu, key=jax.random.key(0)))
encoder = Encoder(eqx.nn.MLP(PIXELS, 2 * LATENTS, HIDDEN, 1, jax.nn.leaky_relu, key=jax.random.key(1)))
