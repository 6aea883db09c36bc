"""Independent Gaussians."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ppl.core.target import Target
from ppl.inference.flat import Layout
from ppl.inference.variational.guides.base import AutomaticGuide, by_latent, diagonal, standard_normal
from ppl.inference.variational.start import Start

Params = dict[str, Float[Array, " d"]]


class MeanField(AutomaticGuide):
    """u = m + s ε, ε ~ Normal(0, I), with λ = (m, log s). 2d parameters (Kucukelbir et al. 2017)."""

    target: Target
    layout: Layout = eqx.field(static=True)
    start: Start = eqx.field(static=True)

    def at(self, centre: Array, factor: Array, key: PRNGKeyArray) -> Params:
        return {"loc": centre, "log_scale": jnp.log(diagonal(factor))}

    def draw(self, params: Params, key: PRNGKeyArray) -> tuple[Array, Array]:
        e = jax.random.normal(key, params["loc"].shape, params["loc"].dtype)
        u = params["loc"] + jnp.exp(params["log_scale"]) * e
        return u, standard_normal(e) - jnp.sum(params["log_scale"])

    def log_density_free(self, params: Params, u: Array) -> Array:
        return standard_normal((u - params["loc"]) * jnp.exp(-params["log_scale"])) - jnp.sum(params["log_scale"])

    def named(self, params: Params) -> dict[str, Array]:
        return by_latent(self.layout, loc=params["loc"], scale=jnp.exp(params["log_scale"]))
