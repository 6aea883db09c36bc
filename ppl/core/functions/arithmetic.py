"""Operators. A scalar meets any array; arrays have equal shapes (the checker has seen to that)."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array


def _is_integer(x: Any) -> bool:
    return jnp.issubdtype(jnp.result_type(x), jnp.integer) or _is_bool(x)


def _is_bool(x: Any) -> bool:
    return jnp.issubdtype(jnp.result_type(x), jnp.bool_)


def as_number(x: Any) -> Any:
    """Bools as 0 and 1."""
    return jnp.asarray(x).astype(int) if _is_bool(x) else x


def as_real(x: Any) -> Array:
    """Ints and bools as reals of the default precision; reals as they are."""
    return jnp.asarray(x, jnp.result_type(float, x) if _is_integer(x) else None)


def divide(a: Any, b: Any) -> Array:
    """Real division, of ints too."""
    return jnp.true_divide(a, b)


def power(a: Any, b: Any) -> Array:
    """a^b. Ints with an exponent known to be ≥ 0 give an int; a whole exponent takes a negative base; 0^0 = 1.

    The derivatives are finite where the power is: by a at 0 for exponents ≥ 1, by b at a = 0."""
    if _is_integer(b) and not isinstance(b, jax.core.Tracer) and np.ndim(b) == 0:
        exponent = int(b)
        if exponent >= 0 or not _is_integer(a):
            return jax.lax.integer_pow(jnp.asarray(as_number(a)), exponent)
    if _is_integer(a) and _is_integer(b):
        return _float_power(as_real(a), as_real(b))
    if isinstance(b, float) and b.is_integer() and abs(b) < 64:
        return jax.lax.integer_pow(as_real(a), int(b))
    return _float_power(as_real(a), as_real(b))


def _float_power(a: Array, b: Array) -> Array:
    zero = a == 0
    value = jnp.power(jnp.where(zero, 1, a), b)
    # At a = 0 the function a·(…) keeps the derivative by a: 1 for b = 1, else 0 (or infinite, for b < 1).
    at_zero = jnp.where(b == 1, a, jnp.where(b > 0, 0, jnp.where(b == 0, 1, jnp.inf)))
    return jnp.where(zero, at_zero, value)


def matmul(a: Any, b: Any) -> Array:
    return jnp.matmul(a, b)


def equal(a: Any, b: Any) -> Array:
    """Numbers and bools element by element; structures (tuples, records, sum types) as a whole."""
    if _is_structure(a) or _is_structure(b):
        left, right = jax.tree.flatten(a), jax.tree.flatten(b)
        if left[1] != right[1]:  # type: ignore[operator]  # jaxlib publishes no types
            return jnp.asarray(False)
        same = (jnp.all(jnp.asarray(x) == jnp.asarray(y)) for x, y in zip(left[0], right[0], strict=True))
        return reduce(jnp.logical_and, same, jnp.asarray(True))
    return jnp.equal(a, b)


def _is_structure(x: Any) -> bool:
    return jax.tree.structure(x) != jax.tree.structure(0)  # type: ignore[operator]  # jaxlib publishes no types


def not_equal(a: Any, b: Any) -> Array:
    return jnp.logical_not(equal(a, b))


def select(c: Any, a: Any, b: Any) -> Any:
    """``a`` where the scalar ``c`` holds, else ``b``: of any structure, both evaluated."""
    return jax.tree.map(lambda x, y: jnp.where(c, x, y), a, b)


ARITHMETIC: dict[str, Callable[..., Any]] = {
    "+": lambda a, b: jnp.add(as_number(a), as_number(b)),
    "-": lambda a, b: jnp.subtract(as_number(a), as_number(b)),
    "*": lambda a, b: jnp.multiply(as_number(a), as_number(b)),
    "/": divide,
    "%": lambda a, b: jnp.mod(as_number(a), as_number(b)),
    "^": power,
    "@": matmul,
    "neg": lambda a: jnp.negative(as_number(a)),
    "<": jnp.less,
    "<=": jnp.less_equal,
    ">": jnp.greater,
    ">=": jnp.greater_equal,
    "==": equal,
    "!=": not_equal,
    "and": jnp.logical_and,
    "or": jnp.logical_or,
    "not": jnp.logical_not,
    "real": as_real,
    "int": lambda x: jnp.asarray(x, jnp.result_type(int)),
    "copy": lambda x: x,
    "select": select,
}
