"""Linear algebra."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array

from ppl.core.functions.arithmetic import as_real


def log_det(A: Any) -> Array:
    """log |det A|."""
    return jnp.linalg.slogdet(as_real(A))[1]


def solve(A: Any, b: Any) -> Array:
    """x with A x = b, b a vector or a matrix of columns."""
    return jnp.linalg.solve(as_real(A), as_real(b))


def solve_lower(L: Any, b: Any) -> Array:
    """x with L x = b, L lower triangular (what stands above its diagonal is not read)."""
    return solve_triangular(as_real(L), as_real(b), lower=True)


def quad_form(A: Any, x: Any) -> Array:
    """xᵀ A x."""
    x = as_real(x)
    return x @ as_real(A) @ x


LINEAR_ALGEBRA: dict[str, Callable[..., Any]] = {
    "dot": jnp.dot,
    "outer": jnp.outer,
    "transpose": lambda A: jnp.swapaxes(jnp.asarray(A), -1, -2),
    "inverse": lambda A: jnp.linalg.inv(as_real(A)),
    "det": lambda A: jnp.linalg.det(as_real(A)),
    "logdet": log_det,
    "cholesky": lambda A: jnp.linalg.cholesky(as_real(A)),
    "solve": solve,
    "solve_tri": solve_lower,
    "quad_form": quad_form,
    "diag": jnp.diag,
}
