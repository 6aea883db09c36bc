"""Where a fit starts: a Gaussian on the unconstrained space, which each family comes as near to as it can."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ppl.core.target import Target
from ppl.inference.adapters.optax import Lbfgs
from ppl.inference.flat import Layout, evaluate
from ppl.inference.mcmc.initial import random_points

Centre = Float[Array, " d"]


class Start(Protocol):
    """Static and hashable. ``find`` is pure and may be compiled."""

    def find(self, target: Target, layout: Layout, key: PRNGKeyArray) -> tuple[Centre, Array]:
        """A centre, and a factor F of the covariance F Fᵀ: lower triangular [d, d], or the diagonal of a diagonal one
        [d]."""


@dataclass(frozen=True)
class Near:
    """``scale`` wide, around a point that is uniform on ±radius, drawn anew until density and gradient are finite."""

    radius: float = 0.1
    scale: float = 0.1

    def find(self, target: Target, layout: Layout, key: PRNGKeyArray) -> tuple[Centre, Array]:
        centre = _point(target, layout, key, self.radius)
        return centre, jnp.full_like(centre, self.scale)


@dataclass(frozen=True)
class AtMode:
    """The Laplace approximation: the mode of the unconstrained density by L-BFGS, and the inverse of minus the
    Hessian there. Directions in which the density does not curve downwards get a unit variance."""

    radius: float = 0.1
    iterations: int = 200

    def find(self, target: Target, layout: Layout, key: PRNGKeyArray) -> tuple[Centre, Array]:
        density = _density(target, layout)
        search = Lbfgs(lambda u: -density(u))
        first = _point(target, layout, key, self.radius)

        def step(_: int, carry: tuple[Array, Any]) -> tuple[Array, Any]:
            position, memory = carry
            new, memory, _value, gradient = search.step(position, memory)
            moves = jnp.all(jnp.isfinite(new)) & jnp.any(gradient != 0)
            return jnp.where(moves, new, position), memory

        centre, _ = jax.lax.fori_loop(0, self.iterations, step, (first, search.init(first)))
        values, vectors = jnp.linalg.eigh(-jax.hessian(density)(centre))
        precision = jnp.where(values > 1e-6 * jnp.max(jnp.abs(values)), values, 1.0)
        return centre, jnp.linalg.cholesky((vectors / precision) @ vectors.T)


def _point(target: Target, layout: Layout, key: PRNGKeyArray, radius: float) -> Centre:
    density = _density(target, layout)
    found = random_points(key, lambda u: evaluate(density, u), 1, layout.size, radius, layout.dtype)
    return found["point"]["position"][0]


def _density(target: Target, layout: Layout) -> Callable[[Centre], Float[Array, ""]]:
    return lambda u: target.log_density_unconstrained(layout.unravel(u))
