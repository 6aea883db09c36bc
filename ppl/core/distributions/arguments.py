"""Arguments of distributions: converted once, checked against their constraint, made safe.

Each check returns ``(safe, valid)``. Where the constraint fails, ``safe`` holds a harmless value instead, so that no
NaN
arises in the branch not taken (its gradient would reach the branch taken); ``valid`` is the Python value ``True`` when
the argument is known now and good everywhere, and then costs nothing in the compiled program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Valid = Any  # True, or a bool array that broadcasts to the batch shape

_trusting: ContextVar[bool] = ContextVar("trusting", default=False)


@contextmanager
def trusting() -> Iterator[None]:
    """Inside, arguments are taken to satisfy their constraints (the compiler has proved it) and are not checked."""
    token = _trusting.set(True)
    try:
        yield
    finally:
        _trusting.reset(token)


def floats(*args: Any) -> tuple[Any, ...]:
    """Numbers and arrays as reals. Python numbers stay Python numbers, so that they take the precision of what they
    meet; arrays of ints and bools take that of the other arguments."""
    args = tuple(np.asarray(a) if isinstance(a, (list, tuple)) else a for a in args)
    dtype = jnp.result_type(float, *args)
    return tuple(_float(a, dtype) for a in args)


def _float(a: Any, dtype: Any) -> Any:
    if isinstance(a, (bool, int, float)):
        return float(a)
    if jnp.issubdtype(a.dtype, jnp.inexact):
        return a
    return a.astype(dtype)


def is_concrete(a: Any) -> bool:
    """Whether the value is known while tracing."""
    return not isinstance(a, jax.core.Tracer)


def checked(a: Any, holds: Callable[[Any], Any], safe: Any, axes: int = 0) -> tuple[Any, Valid]:
    """``holds`` gives a bool per batch element: it reduces the last ``axes`` axes of ``a`` itself.
    ``safe`` is a value that broadcasts to an event of ``a``."""
    if _trusting.get():
        return a, True
    if is_concrete(a):
        value = np.asarray(a)
        if np.all(holds(value)):
            return a, True
    valid = jnp.asarray(holds(jnp.asarray(a)))
    return jnp.where(valid.reshape(valid.shape + (1,) * axes), a, safe), valid


def positive(a: Any) -> tuple[Any, Valid]:
    return checked(a, lambda x: (x > 0) & (x < np.inf), 1.0)


def nonnegative(a: Any) -> tuple[Any, Valid]:
    return checked(a, lambda x: (x >= 0) & (x < np.inf), 1.0)


def probability(a: Any) -> tuple[Any, Valid]:
    return checked(a, lambda x: (x >= 0) & (x <= 1), 0.5)


def open_probability(a: Any) -> tuple[Any, Valid]:
    return checked(a, lambda x: (x > 0) & (x < 1), 0.5)


def count(n: Any) -> tuple[Any, Valid]:
    """A number of trials."""
    return checked(n, lambda x: (x >= 0) & (x == x // 1), 1)


def positive_vector(a: Any) -> tuple[Any, Valid]:
    return checked(a, lambda x: ((x > 0) & (x < np.inf)).all(-1), 1.0, axes=1)


def simplex(p: Any) -> tuple[Any, Valid]:
    """Probabilities along the last axis: their sum may differ from 1 by the square root of the rounding unit."""
    p = p if isinstance(p, jax.Array) else np.asarray(p)
    tolerance = float(jnp.finfo(jnp.result_type(float, p)).eps) ** 0.5
    size = p.shape[-1]
    return checked(p, lambda x: (x >= 0).all(-1) & (abs(x.sum(-1) - 1) <= tolerance), 1.0 / max(size, 1), axes=1)


def increasing(a: Any) -> tuple[Any, Valid]:
    """Strictly increasing along the last axis."""
    a = a if isinstance(a, jax.Array) else np.asarray(a)
    return checked(a, lambda x: (x[..., 1:] > x[..., :-1]).all(-1), np.arange(a.shape[-1], dtype=a.dtype), axes=1)


def lower_triangular(L: Any) -> tuple[Any, Valid]:
    """Cholesky factors: a positive diagonal. What stands above it is taken as zero."""
    L = L if isinstance(L, jax.Array) else np.asarray(L)
    tril = jnp.tril(L)
    eye = np.eye(L.shape[-1], dtype=L.dtype)
    diagonal = L.diagonal(0, -2, -1)
    _, valid = checked(diagonal, lambda d: (d > 0).all(-1), 1.0, axes=1)
    return (tril, True) if valid is True else (jnp.where(valid[..., None, None], tril, eye), valid)


def cholesky_factor(A: Any) -> tuple[Any, Valid]:
    """The Cholesky factor of a symmetric positive definite matrix; invalid where it has none."""
    A = A if isinstance(A, jax.Array) else np.asarray(A)
    eye = np.eye(A.shape[-1], dtype=A.dtype)
    L = jnp.linalg.cholesky(A)
    good = jnp.isfinite(L).all((-2, -1)) & (abs(A - A.swapaxes(-2, -1)) <= 1e-5 * abs(A).max()).all((-2, -1))
    if is_concrete(good) and bool(good.all()):
        return L, True
    # Factorised again: the derivative of a failed factorisation is NaN, whatever is selected afterwards.
    return jnp.linalg.cholesky(jnp.where(good[..., None, None], A, eye)), good
