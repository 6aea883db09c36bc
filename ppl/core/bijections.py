"""Bijections between R^k and the support of a distribution: NumPyro's transforms with one log determinant.

Where the support is discrete there is none. The circle (VonMises) is taken as the interval (−π, π): its two ends are
far
apart in R, so that a posterior which wraps around looks like two modes; centre ``loc`` on the data where that matters.
"""

from __future__ import annotations

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float
from numpyro.distributions import constraints
from numpyro.distributions.transforms import OrderedTransform, Transform, biject_to

from ppl.core.distributions.errors import DistributionError
from ppl.core.distributions.guarded import bounds
from ppl.core.distributions.supports import IncreasingWithin, is_infinite
from ppl.core.distributions.transformed import Image


class Bijection(eqx.Module):
    """Abstract. Laws: ``inverse(forward(u)[0]) = u`` and ``forward(u)[1] = log |det ∂x/∂u|``, for the free
    coordinates of x (a simplex of K elements has K − 1), summed over all elements and batch axes."""

    @abstractmethod
    def forward(self, u: Float[Array, ...]) -> tuple[Float[Array, ...], Float[Array, ""]]:
        """The constrained value and the log determinant."""

    @abstractmethod
    def inverse(self, x: Float[Array, ...]) -> Float[Array, ...]: ...

    @abstractmethod
    def unconstrained_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of u for values of ``shape`` (batch and event axes)."""


class TransformBijection(Bijection):
    """One of NumPyro's transforms."""

    transform: Transform

    def forward(self, u: Array) -> tuple[Array, Array]:
        x, intermediates = self.transform.call_with_intermediates(u)
        return x, jnp.sum(self.transform.log_abs_det_jacobian(u, x, intermediates))

    def inverse(self, x: Array) -> Array:
        return self.transform._inverse(x)

    def unconstrained_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return self.transform.inverse_shape(shape)


class ImageBijection(Bijection):
    """Into f(S): the bijection into S, then f."""

    base: Bijection
    image: Image

    def forward(self, u: Array) -> tuple[Array, Array]:
        x, log_det = self.base.forward(u)
        return self.image.forward(x), log_det + jnp.sum(self.image.log_derivative(x))

    def inverse(self, x: Array) -> Array:
        return self.base.inverse(self.image.inverse(x))

    def unconstrained_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return self.base.unconstrained_shape(shape)


class IncreasingBijection(Bijection):
    """Into increasing vectors within an interval: an ordered vector of reals, then an increasing map to the
    interval."""

    within: Bijection
    falling: bool  # whether ``within`` is decreasing, as that to a half-line with an upper bound

    def forward(self, u: Array) -> tuple[Array, Array]:
        ordered = OrderedTransform()
        y = ordered(u)
        x, log_det = self.within.forward(-y if self.falling else y)
        return x, log_det + jnp.sum(ordered.log_abs_det_jacobian(u, y))

    def inverse(self, x: Array) -> Array:
        y = self.within.inverse(x)
        return OrderedTransform()._inverse(-y if self.falling else y)

    def unconstrained_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape


def bijector(constraint: constraints.Constraint) -> Bijection:
    """The bijection from R^k onto ``constraint``. Raises DistributionError for discrete supports."""
    if constraint.is_discrete:
        raise DistributionError(
            f"a discrete support ({constraint!r}) has no bijection to the reals", helps=("enumerate or sample it",)
        )
    match constraint:
        case Image(base=base):
            return ImageBijection(bijector(base), constraint)
        case IncreasingWithin(base=base):
            lower, upper = bounds(base)
            return IncreasingBijection(bijector(base), is_infinite(lower) and not is_infinite(upper))
        case _ if isinstance(constraint, type(constraints.independent(constraints.real, 1))):
            return bijector(constraint.base_constraint)
        case _:
            return TransformBijection(biject_to(constraint))
