"""Sources of randomness: the one door through which inference code makes its random choices.

A source is either a JAX key, and then these functions are those of ``jax.random``, or an object that offers the same
methods. The second kind lets validation replay every branch of an algorithm and add the branches up with their exact
probabilities (``ppl.inference.validation.enumeration``): with N = 2, T = 3 on a two-state chain that is a thousand
branches, and E[Ẑ]/Z − 1 is then known to 1e-15 instead of to a Monte Carlo error.

Law: a key is used at most once; ``split`` first.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from ppl.core.lanes import child, is_mixed

Source = Any  # a typed JAX key, or a ``ChoiceSource``


@runtime_checkable
class ChoiceSource(Protocol):
    """What a source that is not a JAX key must offer; each method as the function of its name below."""

    def split(self, n: int) -> tuple[Source, ...]: ...

    def categorical(self, log_weights: Array, shape: tuple[int, ...]) -> Array: ...

    def uniform(self, shape: tuple[int, ...], breaks: Array | None) -> Array: ...


def split(key: Source, n: int = 2) -> Any:
    """``n`` independent sources."""
    if isinstance(key, ChoiceSource):
        return key.split(n)
    return tuple(child(key, i) for i in range(n)) if is_mixed(key) else jax.random.split(key, n)


def categorical(key: Source, log_weights: Float[Array, " k"], shape: tuple[int, ...] = ()) -> Int[Array, "*shape"]:
    """Indices drawn in proportion to exp(log_weights), which need not be normalised.

    By inversion of the cumulative weights, not by Gumbel noise: k + |shape| random work instead of k · |shape|."""
    if isinstance(key, ChoiceSource):
        return key.categorical(log_weights, shape)
    cumulative = jnp.cumsum(jnp.exp(log_weights - jnp.max(log_weights)))
    u = jax.random.uniform(key, shape, cumulative.dtype) * cumulative[-1]
    index = jnp.searchsorted(cumulative, u, side="right")
    # Rounding can make u reach the total: the last index of positive weight is meant then.
    last = jnp.searchsorted(cumulative, cumulative[-1], side="left")
    return jnp.minimum(index, last)


def uniform(
    key: Source, shape: tuple[int, ...] = (), dtype: Any = None, breaks: Float[Array, " b"] | None = None
) -> Float[Array, "*shape"]:
    """Uniform on [0, 1). ``breaks``: points between which the caller's result does not change with the draw (for each
    draw the same ones), so that a source that enumerates can stand each interval for its midpoint."""
    if isinstance(key, ChoiceSource):
        return key.uniform(shape, breaks)
    return jax.random.uniform(key, shape, dtype if dtype is not None else jnp.result_type(float))


def accept(key: Source, log_ratio: Float[Array, ""]) -> Array:
    """True with probability min(1, exp(log_ratio)); a NaN ratio is never accepted."""
    threshold = jnp.clip(jnp.exp(jnp.minimum(log_ratio, 0.0)), 0.0, 1.0)
    u = uniform(key, (), threshold.dtype, breaks=threshold[None] if isinstance(key, ChoiceSource) else None)
    return u < threshold
