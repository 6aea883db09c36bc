"""The image of a distribution under an invertible function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from jaxtyping import Array, PRNGKeyArray
from numpyro.distributions import constraints

from ppl.core.distributions.elementwise import NotInvertible, inverse, is_nonnegative
from ppl.core.distributions.errors import DistributionError
from ppl.core.distributions.guarded import bounds


class Image(constraints.Constraint):
    """f(base), f invertible and elementwise. ``f`` is a PyTree that can be called with one event (``event_shape``)."""

    def __init__(self, base: constraints.Constraint, f: Callable[[Array], Array], event_shape: tuple[int, ...]):
        self.base, self.f, self.event_shape = base, f, event_shape

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        return len(self.event_shape)

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]
        return bool(self.base.is_discrete)

    def tree_flatten(self) -> Any:
        return (self.base, self.f), (("base", "f"), {"event_shape": self.event_shape})

    def __repr__(self) -> str:
        return f"Image({self.base!r})"

    def forward(self, x: Array) -> Array:
        return self._over_events(self.f)(x)

    def inverse(self, y: Array) -> Array:
        positive = not self.event_shape and is_nonnegative(bounds(self.base)[0])
        example = jnp.ones(self.event_shape, jnp.result_type(float, y))
        return self._over_events(lambda event: inverse(self.f, event, example, positive))(y)

    def log_derivative(self, x: Array) -> Array:
        """log |f'(x)|, element by element."""
        slope = self._over_events(lambda event: jax.jvp(self.f, (event,), (jnp.ones_like(event),))[1])(x)
        return jnp.log(jnp.abs(slope))

    def __call__(self, y: Array) -> Array:
        return self.solve(jnp.asarray(y))[1]

    def solve(self, y: Array) -> tuple[Array, Array]:
        """x with f(x) = y, replaced by a feasible point where there is none, and whether there is one (per event)."""
        x = self.inverse(y)
        back = self.forward(x)
        close = jnp.abs(back - y) <= jnp.finfo(back.dtype).eps ** 0.5 * (1 + jnp.abs(y))
        found = jnp.isfinite(x) & close
        if self.event_dim:
            found = found.all(-1)
        safe = jnp.where(found.reshape(found.shape + (1,) * self.event_dim), x, 1.0)
        inside = found & self.base(safe)
        mask = inside.reshape(inside.shape + (1,) * self.event_dim)
        return self.inverse(jnp.where(mask, y, self.forward(self.base.feasible_like(safe)))), inside

    def feasible_like(self, prototype: Array) -> Array:
        return self.forward(self.base.feasible_like(prototype))

    def _over_events(self, g: Callable[[Array], Array]) -> Callable[[Array], Array]:
        def over(x: Array) -> Array:
            x = jnp.asarray(x)
            shape = x.shape
            flat = x.reshape((-1,) + self.event_shape)
            return jax.vmap(g)(flat).reshape(shape)

        return over


class Transformed(dist.Distribution):
    """f(x) with x from ``base``: density base(f⁻¹(y)) / |f'(f⁻¹(y))|."""

    pytree_data_fields = ("base", "image")

    def __init__(self, base: dist.Distribution, image: Image):
        self.base, self.image = base, image
        super().__init__(base.batch_shape, base.event_shape, validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        return self.image

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        return self.image.forward(self.base.sample(key, sample_shape))

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        y = jnp.asarray(value, jnp.result_type(float, value))
        x, inside = self.image.solve(y)
        jacobian = self.image.log_derivative(x)
        if self.event_dim:
            jacobian = jacobian.sum(-1)
        return jnp.where(inside, self.base.log_prob(x) - jacobian, -jnp.inf)


def transformed(D: dist.Distribution, f: Callable[[Array], Array]) -> dist.Distribution:
    """Raises DistributionError where f has no inverse that can be found: f must apply invertible operations (affine,
    exp, log, sigmoid, tanh, odd powers, …) one after the other."""
    if D.support.is_discrete:
        raise DistributionError(
            "transformed(D, f) needs a continuous distribution", helps=("write let y = f(x) after x ~ D",)
        )
    if len(D.event_shape) > 1:
        raise DistributionError("transformed(D, f) is defined for distributions over scalars and vectors")
    # A plain function becomes a PyTree without leaves; a closure that is a PyTree (captured arrays) stays as it is.
    f = f if jax.tree_util.tree_leaves(f) != [f] else jax.tree_util.Partial(f)
    image = Image(D.support, f, D.event_shape)
    try:
        jax.eval_shape(image.inverse, jax.ShapeDtypeStruct(D.batch_shape + D.event_shape, jnp.result_type(float)))
    except NotInvertible as error:
        raise DistributionError(
            f"transformed(D, f) cannot invert f: {error}",
            helps=(
                "write f with +, -, *, /, exp, log, sigmoid, tanh and odd powers, applied one after the other",
                "declare the distribution with 'dist' and its density",
            ),
        ) from error
    return Transformed(D, image)
