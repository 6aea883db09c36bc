"""A Gaussian whose covariance is a diagonal and a few directions."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.scipy.linalg import cho_solve
from jaxtyping import Array, PRNGKeyArray

from ppl.core.target import Target
from ppl.inference.flat import Layout
from ppl.inference.variational.guides.base import AutomaticGuide, by_latent, diagonal, standard_normal
from ppl.inference.variational.start import Start

Params = dict[str, Array]  # loc [d], log_scale [d], directions [d, rank]


class LowRank(AutomaticGuide):
    """u ~ Normal(m, D² + W Wᵀ), D diagonal and W [d, rank]: d (rank + 2) parameters (Ong, Nott, Smith 2018). The
    density goes by Woodbury's identity and the matrix determinant lemma: rank³ + d rank² operations."""

    target: Target
    layout: Layout = eqx.field(static=True)
    start: Start = eqx.field(static=True)
    rank: int = eqx.field(static=True)

    def at(self, centre: Array, factor: Array, key: PRNGKeyArray) -> Params:
        scale = diagonal(factor)
        # Not zero: at W = 0 the gradient of the density in W vanishes, and W would never move.
        directions = 0.1 * scale[:, None] * jax.random.normal(key, (self.layout.size, self.rank), scale.dtype)
        return {"loc": centre, "log_scale": jnp.log(scale), "directions": directions / jnp.sqrt(self.rank)}

    def draw(self, params: Params, key: PRNGKeyArray) -> tuple[Array, Array]:
        e = jax.random.normal(key, (self.layout.size + self.rank,), params["loc"].dtype)
        own, shared = e[: self.layout.size], e[self.layout.size :]
        u = params["loc"] + jnp.exp(params["log_scale"]) * own + params["directions"] @ shared
        return u, self.log_density_free(params, u)

    def log_density_free(self, params: Params, u: Array) -> Array:
        r = (u - params["loc"]) * jnp.exp(-params["log_scale"])
        w = params["directions"] * jnp.exp(-params["log_scale"])[:, None]
        chol = jnp.linalg.cholesky(jnp.eye(self.rank, dtype=w.dtype) + w.T @ w)
        projected = w.T @ r
        explained = projected @ cho_solve((chol, True), projected)
        return standard_normal(r) + 0.5 * explained - jnp.sum(jnp.log(jnp.diag(chol))) - jnp.sum(params["log_scale"])

    def named(self, params: Params) -> dict[str, Array]:
        scale = jnp.sqrt(jnp.exp(2 * params["log_scale"]) + jnp.sum(params["directions"] ** 2, axis=1))
        return {**by_latent(self.layout, loc=params["loc"], scale=scale), "directions": params["directions"]}
