"""Derivatives of functions that only forward mode can differentiate: unbounded loops (``lax.while_loop``).

Reverse mode would have to store every step, and their number is not bounded. So the Jacobian with respect to the inputs
that are differentiated is computed by forward mode, along with the value; the derivative is a product with it, which
reverse mode transposes. The cost is one tangent for each differentiated number, and no memory for the steps."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero

Leaves = tuple[Any, ...]


def by_forward_mode(function: Callable[..., Leaves]) -> Callable[..., Leaves]:
    """``function`` of arrays, with arrays as results, that closes over no traced value. Law: equal to it, and
    differentiable in both modes and to any order, where forward mode can differentiate it."""

    traced_once = jax.jit(function)

    @jax.custom_jvp
    def wrapped(*leaves: Any) -> Leaves:
        return traced_once(*leaves)

    @cache
    def with_jacobian(moving: tuple[int, ...]) -> Callable[..., Leaves]:
        return by_forward_mode(_with_jacobian(function, moving))

    def rule(primals: Leaves, tangents: Leaves) -> tuple[Leaves, Leaves]:
        moving = tuple(k for k, t in enumerate(tangents) if _moves(primals[k], t))
        if not moving:
            values = wrapped(*primals)
            return values, tuple(map(_zero_tangent, values))
        *found, jacobian = with_jacobian(moving)(*primals)
        values = tuple(found)
        direction = jnp.concatenate([jnp.ravel(tangents[k]) for k in moving])
        floats = [v for v in values if _is_float(v)]
        sizes = np.cumsum([v.size for v in floats])[:-1]
        slopes = iter(jnp.split(jacobian @ direction, sizes) if floats else [])
        out = tuple(
            next(slopes).reshape(v.shape).astype(v.dtype) if _is_float(v) else _zero_tangent(v) for v in values
        )
        return values, out

    wrapped.defjvp(rule, symbolic_zeros=True)
    return wrapped


def _with_jacobian(function: Callable[..., Leaves], moving: tuple[int, ...]) -> Callable[..., Leaves]:
    """The results, and behind them the matrix of the derivatives of all floats among them (rows) by the entries of the
    inputs ``moving`` (columns)."""

    def both(*leaves: Any) -> Leaves:
        shapes = [jnp.shape(leaves[k]) for k in moving]
        sizes = np.cumsum([int(np.prod(s)) for s in shapes])

        def of(flat: Any) -> tuple[Any, Leaves]:
            inputs = list(leaves)
            parts = jnp.split(flat, sizes[:-1])
            for k, part, shape in zip(moving, parts, shapes, strict=True):
                inputs[k] = part.reshape(shape).astype(jnp.result_type(leaves[k]))
            values = function(*inputs)
            floats = [jnp.ravel(v) for v in values if _is_float(v)]
            return jnp.concatenate(floats) if floats else jnp.zeros(0), values

        at = jnp.concatenate([jnp.ravel(leaves[k]) for k in moving])

        def along(direction: Any) -> tuple[Leaves, Any]:
            _, slope, values = jax.jvp(of, (at,), (direction,), has_aux=True)
            return values, slope

        values, jacobian = jax.vmap(along, out_axes=(None, 1))(jnp.eye(at.size, dtype=at.dtype))
        return (*values, jacobian)

    return both


def _is_float(x: Any) -> bool:
    return jnp.issubdtype(jnp.result_type(x), jnp.inexact)


def _moves(x: Any, tangent: Any) -> bool:
    return _is_float(x) and not isinstance(tangent, SymbolicZero) and jnp.size(x) > 0


def _zero_tangent(x: Any) -> Any:
    return jnp.zeros_like(x) if _is_float(x) else np.zeros(jnp.shape(x), jax.dtypes.float0)
