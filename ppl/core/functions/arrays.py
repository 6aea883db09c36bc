"""Array constructors. Sizes are Python ints, in front as in the language: ``full(n, m, x)``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from ppl.core.functions.arithmetic import as_real


def full(*args: Any) -> Any:
    """An array (or structure of arrays) of the sizes given first, filled with the last argument."""
    *sizes, value = args
    return jax.tree.map(lambda x: jnp.broadcast_to(x, (*map(int, sizes), *jnp.shape(x))), value)


def concat(*parts: Any) -> Any:
    return jax.tree.map(lambda *xs: jnp.concatenate(xs), *parts)


def stack(*parts: Any) -> Any:
    return jax.tree.map(lambda *xs: jnp.stack(xs), *parts)


def reshape(x: Any, *sizes: int) -> Array:
    return jnp.reshape(x, tuple(map(int, sizes)))


def linspace(lower: Any, upper: Any, n: int) -> Array:
    """n values from ``lower`` to ``upper``, both included."""
    return jnp.linspace(as_real(lower), as_real(upper), int(n))


ARRAYS: dict[str, Callable[..., Any]] = {
    "zeros": lambda *sizes: jnp.zeros(tuple(map(int, sizes))),
    "ones": lambda *sizes: jnp.ones(tuple(map(int, sizes))),
    "full": full,
    "eye": lambda n: jnp.eye(int(n)),
    "arange": lambda n: jnp.arange(int(n)),
    "linspace": linspace,
    "concat": concat,
    "stack": stack,
    "reshape": reshape,
    "set": lambda x, value, *index: jax.tree.map(lambda a, v: jnp.asarray(a).at[index].set(v), x, value),
    "permute": lambda x, *axes: jnp.transpose(x, tuple(map(int, axes))),
}
