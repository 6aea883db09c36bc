"""A Gaussian with any covariance."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Float, PRNGKeyArray

from ppl.core.target import Target
from ppl.inference.flat import Layout
from ppl.inference.variational.guides.base import AutomaticGuide, by_latent, standard_normal
from ppl.inference.variational.start import Start

Params = dict[str, Array]  # loc [d], log_diagonal [d], below [d (d − 1)/2]


class FullRank(AutomaticGuide):
    """u = m + L ε, ε ~ Normal(0, I), L lower triangular with positive diagonal: d + d (d + 1)/2 parameters."""

    target: Target
    layout: Layout = eqx.field(static=True)
    start: Start = eqx.field(static=True)

    def at(self, centre: Array, factor: Array, key: PRNGKeyArray) -> Params:
        whole = jnp.diag(factor) if factor.ndim == 1 else factor
        rows, columns = jnp.tril_indices(self.layout.size, -1)
        return {"loc": centre, "log_diagonal": jnp.log(jnp.diag(whole)), "below": whole[rows, columns]}

    def factor(self, params: Params) -> Float[Array, "d d"]:
        """L."""
        rows, columns = jnp.tril_indices(self.layout.size, -1)
        return jnp.diag(jnp.exp(params["log_diagonal"])).at[rows, columns].set(params["below"])

    def draw(self, params: Params, key: PRNGKeyArray) -> tuple[Array, Array]:
        e = jax.random.normal(key, params["loc"].shape, params["loc"].dtype)
        return params["loc"] + self.factor(params) @ e, standard_normal(e) - jnp.sum(params["log_diagonal"])

    def log_density_free(self, params: Params, u: Array) -> Array:
        e = solve_triangular(self.factor(params), u - params["loc"], lower=True)
        return standard_normal(e) - jnp.sum(params["log_diagonal"])

    def named(self, params: Params) -> dict[str, Array]:
        factor = self.factor(params)
        scale = jnp.sqrt(jnp.sum(factor**2, axis=1))
        return {**by_latent(self.layout, loc=params["loc"], scale=scale), "covariance": factor @ factor.T}
