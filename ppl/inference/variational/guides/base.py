"""What automatic guides share: a family of densities on the unconstrained vector, moved to the model's own space."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Float, PRNGKeyArray

from ppl.core.objective import GuideProgram
from ppl.core.target import Target, Trace
from ppl.inference.flat import Layout
from ppl.inference.variational.start import Start


class AutomaticGuide(GuideProgram):
    """Abstract. A family q(u; λ) on R^d, u the unconstrained latents of ``target`` in the order of ``layout``; on
    traces it is log q(z) = log q(u) − log |∂z/∂u|, the same measure as the model's.

    A family gives ``at`` (its parameters nearest to a Gaussian), ``draw``, ``log_density_free`` and ``named``. λ is a
    PyTree of real arrays without constraints."""

    target: eqx.AbstractVar[Target]
    layout: eqx.AbstractVar[Layout]
    start: eqx.AbstractVar[Start]

    @abstractmethod
    def at(
        self, centre: Float[Array, " d"], factor: Float[Array, "d d"] | Float[Array, " d"], key: PRNGKeyArray
    ) -> Any:
        """λ for which q is, as nearly as the family can, Normal(centre, F Fᵀ). ``factor``: F lower triangular [d, d],
        or the diagonal of a diagonal F as a vector [d]."""

    @abstractmethod
    def draw(self, params: Any, key: PRNGKeyArray) -> tuple[Float[Array, " d"], Float[Array, ""]]:
        """u ~ q, a smooth function of λ for a fixed key, and log q(u)."""

    @abstractmethod
    def log_density_free(self, params: Any, u: Float[Array, " d"]) -> Float[Array, ""]:
        """log q(u)."""

    @abstractmethod
    def named(self, params: Any) -> dict[str, Array]:
        """What λ says, by name: ``x.loc`` and ``x.scale`` of the unconstrained form of latent x, and the like."""

    def initial(self, key: PRNGKeyArray) -> Any:
        key_start, key_params = jax.random.split(key)
        return self.at(*self.start.find(self.target, self.layout, key_start), key_params)

    def sim(self, params: Any, key: PRNGKeyArray) -> tuple[Trace, Float[Array, ""]]:
        u, log_q = self.draw(params, key)
        trace, log_det = self.target.constrain(self.layout.unravel(u))
        return trace, log_q - log_det

    def log_density(self, params: Any, trace: Trace) -> Float[Array, ""]:
        free = self.target.unconstrain(trace)
        log_det = self.target.constrain(free)[1]
        return self.log_density_free(params, self.layout.ravel(free)) - log_det


def by_latent(layout: Layout, **vectors: Float[Array, " d"]) -> dict[str, Array]:
    """``{"x.loc": …}``: the parts of vectors on R^d that belong to each latent."""
    return {f"{n}.{what}": a for what, v in vectors.items() for n, a in layout.unravel(v).items()}


def standard_normal(e: Float[Array, " n"]) -> Float[Array, ""]:
    """Σ log φ(eᵢ)."""
    return -0.5 * jnp.sum(e**2) - 0.5 * e.size * jnp.log(2 * jnp.pi)


def diagonal(factor: Float[Array, "d d"] | Float[Array, " d"]) -> Float[Array, " d"]:
    """The scales of the independent Gaussian nearest to Normal(0, F Fᵀ) in KL(q ‖ p): 1/√Λᵢᵢ, with Λ the precision."""
    if factor.ndim == 1:
        return factor
    inverse = _inverse_factor(factor)
    return 1 / jnp.sqrt(jnp.sum(inverse**2, axis=0))


def _inverse_factor(factor: Float[Array, "d d"]) -> Float[Array, "d d"]:
    return solve_triangular(factor, jnp.eye(factor.shape[0], dtype=factor.dtype), lower=True)


def precision(factor: Float[Array, "d d"] | Float[Array, " d"]) -> Float[Array, "d d"]:
    """(F Fᵀ)⁻¹."""
    if factor.ndim == 1:
        return jnp.diag(factor**-2)
    inverse = _inverse_factor(factor)
    return inverse.T @ inverse
