"""A Gaussian that has the conditional independences of the model."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from ppl.core.errors import MethodError
from ppl.core.target import Target
from ppl.inference.flat import Layout
from ppl.inference.variational.guides.base import AutomaticGuide, by_latent, precision, standard_normal
from ppl.inference.variational.start import Start

Params = dict[str, Array]  # loc [d], log_diagonal [d], below [nonzeros]

LARGEST = 2000  # unconstrained coordinates: the Hessian is looked at as a whole
_POINTS = 3


class Structured(AutomaticGuide):
    """u ~ Normal(m, Λ⁻¹), where Λ = L Lᵀ has zeros where two coordinates share no factor of the posterior density
    (Tan and Nott 2018). L has the zeros of the Cholesky factor: those of Λ but for the fill of the elimination
    ``order``,
    which takes coordinates with the fewest neighbours first, so that a hierarchical model's groups come before what
    they
    share. For a model of J groups of size k with h shared parameters L has J k² + J k h + h² entries instead of (Jk +
    h)²."""

    target: Target
    layout: Layout = eqx.field(static=True)
    start: Start = eqx.field(static=True)
    order: tuple[int, ...] = eqx.field(static=True)
    below: tuple[tuple[int, int], ...] = eqx.field(static=True)  # rows and columns of L, in the eliminated order

    def at(self, centre: Array, factor: Array, key: PRNGKeyArray) -> Params:
        order = np.array(self.order, int)
        chol = jnp.linalg.cholesky(precision(factor)[np.ix_(order, order)])
        return {"loc": centre, "log_diagonal": jnp.log(jnp.diag(chol)), "below": chol[self._places]}

    @property
    def _places(self) -> tuple[np.ndarray, np.ndarray]:
        pairs = np.array(self.below, int).reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1]

    def _factor(self, params: Params) -> Float[Array, "d d"]:
        return jnp.diag(jnp.exp(params["log_diagonal"])).at[self._places].set(params["below"])

    def draw(self, params: Params, key: PRNGKeyArray) -> tuple[Array, Array]:
        e = jax.random.normal(key, params["loc"].shape, params["loc"].dtype)
        centred = solve_triangular(self._factor(params).T, e, lower=False)
        place = np.argsort(np.array(self.order, int))
        return params["loc"] + centred[place], standard_normal(e) + jnp.sum(params["log_diagonal"])

    def log_density_free(self, params: Params, u: Array) -> Array:
        e = self._factor(params).T @ (u - params["loc"])[np.array(self.order, int)]
        return standard_normal(e) + jnp.sum(params["log_diagonal"])

    def named(self, params: Params) -> dict[str, Array]:
        place = np.argsort(np.array(self.order, int))
        inverse = solve_triangular(self._factor(params), jnp.eye(self.layout.size), lower=True)
        scale = jnp.sqrt(jnp.sum(inverse**2, axis=0))[place]
        return by_latent(self.layout, loc=params["loc"], scale=scale)


def structured(target: Target, layout: Layout, start: Start) -> Structured:
    """The family with the zeros of this target's density. MethodError for more than ``LARGEST`` coordinates."""
    if layout.size > LARGEST:
        raise MethodError(
            f"guide=structured looks at the Hessian of {layout.size:,} coordinates, and the limit is {LARGEST:,}",
            helps=("use guide=low_rank(10) or guide=mean_field",),
        )
    order, below = elimination(dependences(target, layout))
    return Structured(target, layout, start, order, below)


def dependences(target: Target, layout: Layout) -> Bool[np.ndarray, "d d"]:
    """Which pairs of coordinates share a factor: ∂²log γ/∂uᵢ∂uⱼ is not zero at one of some random points. Where there
    is no factor automatic differentiation gives zeros that are exact; a factor whose mixed derivative vanishes at all
    points is none for a Gaussian either."""
    hessian = jax.jit(jax.hessian(lambda u: target.log_density_unconstrained(layout.unravel(u))))
    found = np.zeros((layout.size, layout.size), bool)
    for k in range(_POINTS):
        h = np.asarray(hessian(jax.random.normal(jax.random.key(k), (layout.size,), layout.dtype)))
        scale = np.sqrt(np.abs(np.diag(h)))
        negligible = np.abs(h) <= 1e-12 * np.outer(scale, scale)
        found |= ~negligible | ~np.isfinite(h)
    return found | found.T


def elimination(adjacent: Bool[np.ndarray, "d d"]) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
    """A greedy minimum-degree order of the vertices of a graph, and the (row, column) places below the diagonal of the
    Cholesky factor of a matrix with this graph in that order."""
    neighbours = {i: set(np.flatnonzero(row).tolist()) - {i} for i, row in enumerate(adjacent)}
    later: dict[int, set[int]] = {}
    order = []
    while neighbours:
        # Of equal degrees the last first: programs draw what is shared before what uses it.
        chosen = min(neighbours, key=lambda i: (len(neighbours[i]), -i))
        joined = neighbours.pop(chosen)
        for i in joined:
            neighbours[i] = (neighbours[i] | joined) - {i, chosen}
        later[chosen] = joined
        order.append(chosen)
    place = {v: k for k, v in enumerate(order)}
    below = sorted((place[i], place[j]) for j, rows in later.items() for i in rows)
    return tuple(order), tuple(below)
