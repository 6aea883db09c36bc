"""Choosing between two values of any structure, with gradients that stay finite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from ppl.core.undefined import UNDEFINED, has_undefined


def select(
    condition: Bool[Array, ""], then: Any, otherwise: Any, either: Callable[[Any, Any, Any], Any] | None = None
) -> Any:
    """``then`` where the scalar ``condition`` holds, else ``otherwise``, leaf by leaf.

    Values of unlike structure (functions of different code) become ``either(condition, then, otherwise)``; TypeError if
    that is None. Undefined if either value is."""
    if has_undefined(then) or has_undefined(otherwise):
        return UNDEFINED
    like: Any = jax.tree.structure(otherwise)
    if jax.tree.structure(then) == like:
        return jax.tree.map(lambda a, b: a if a is b else jnp.where(condition, a, b), then, otherwise)
    if either is None:
        raise TypeError("the two branches give values of different structure")
    return either(condition, then, otherwise)


def gate(condition: Bool[Array, ""], value: Any) -> Any:
    """``value``, through which derivatives pass only where ``condition`` holds.

    The branch that is not taken may have infinite derivatives, and zero times infinity is NaN. With its inputs gated,
    the derivative that comes back is replaced by zero before it is added to that of the branch taken."""
    return jax.tree.map(lambda x: _gate(condition, x), value)


def _gate(condition: Any, x: Any) -> Any:
    if not isinstance(x, jax.Array) or not jnp.issubdtype(x.dtype, jnp.inexact):
        return x
    return jnp.where(condition, x, jax.lax.stop_gradient(x))
