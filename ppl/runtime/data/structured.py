"""Constrained vectors and matrices: simplex, ordered, covariance and correlation matrices and their factors.

Each check takes an array whose last axes hold the event and yields (index of the entry, found, needed)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

Finding = tuple[tuple[int, ...], str, str]
TOLERANCE = 1e-8


def _events(array: np.ndarray, axes: int) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
    for index in np.ndindex(array.shape[: array.ndim - axes]):
        yield index, array[index]


def simplex(array: np.ndarray) -> Iterator[Finding]:
    for at, p in _events(array, 1):
        if np.any(~(p >= 0)):
            k = int(np.argmax(~(p >= 0)))
            yield (*at, k), f"found {p[k]:g}", "a probability of a simplex, ≥ 0"
        elif abs(p.sum() - 1) > TOLERANCE:
            yield at, f"the entries sum to {p.sum():.10g}", "a simplex: they sum to 1 within 1e-8"


def _ordered(array: np.ndarray, positive: bool) -> Iterator[Finding]:
    for at, x in _events(array, 1):
        if positive and len(x) and not x[0] > 0:
            yield (*at, 0), f"found {x[0]:g}", "a number > 0 that is less than the next"
        down = np.flatnonzero(~(np.diff(x) > 0))
        if len(down):
            k = int(down[0]) + 1
            yield (*at, k), f"found {x[k]:g} after {x[k - 1]:g}", "strictly increasing entries"


def ordered(array: np.ndarray) -> Iterator[Finding]:
    return _ordered(array, positive=False)


def positive_ordered(array: np.ndarray) -> Iterator[Finding]:
    return _ordered(array, positive=True)


def covariance(array: np.ndarray, unit_diagonal: bool = False) -> Iterator[Finding]:
    name = "a correlation matrix" if unit_diagonal else "a covariance matrix"
    for at, m in _events(array, 2):
        if m.shape[0] != m.shape[1]:
            yield at, f"is {m.shape[0]} by {m.shape[1]}", f"{name}: square"
            continue
        if not np.all(np.isfinite(m)):
            yield at, "has entries that are not finite", name
            continue
        scale = max(1.0, float(np.abs(m).max(initial=0.0)))
        apart = np.abs(m - m.T)
        smallest = float(np.linalg.eigvalsh((m + m.T) / 2).min(initial=np.inf))
        if apart.max(initial=0.0) > TOLERANCE * scale:
            i, j = (int(k) for k in np.unravel_index(np.argmax(apart), m.shape))
            found = f"is not symmetric: [{i}, {j}] = {m[i, j]:g} but [{j}, {i}] = {m[j, i]:g}"
            yield at, f"{found}; the smallest eigenvalue of its symmetric part is {smallest:.3g}", f"{name}: symmetric"
        elif not smallest > len(m) * np.finfo(float).eps * scale:
            kind = "singular" if smallest > -TOLERANCE * scale else "not positive definite"
            yield at, f"is {kind}: its smallest eigenvalue is {smallest:.3g}", f"{name}: positive definite"
        elif unit_diagonal and np.abs(np.diag(m) - 1).max(initial=0.0) > TOLERANCE:
            k = int(np.argmax(np.abs(np.diag(m) - 1)))
            yield (*at, k, k), f"found {m[k, k]:g}", f"{name}: 1 on the diagonal"


def correlation(array: np.ndarray) -> Iterator[Finding]:
    return covariance(array, unit_diagonal=True)


def cholesky(array: np.ndarray, unit_rows: bool = False) -> Iterator[Finding]:
    for at, m in _events(array, 2):
        if m.shape[0] != m.shape[1]:
            yield at, f"is {m.shape[0]} by {m.shape[1]}", "a Cholesky factor: square"
            continue
        above = np.argwhere(np.triu(m, 1) != 0)
        if len(above):
            i, j = (int(k) for k in above[0])
            yield (*at, i, j), f"found {m[i, j]:g}", "a lower triangular matrix: 0 above the diagonal"
        bad = np.flatnonzero(~(np.diag(m) > 0))
        if len(bad):
            k = int(bad[0])
            yield (*at, k, k), f"found {m[k, k]:g}", "a Cholesky factor: > 0 on the diagonal"
        norms = np.sum(m * m, axis=1)
        if unit_rows and np.abs(norms - 1).max(initial=0.0) > TOLERANCE:
            k = int(np.argmax(np.abs(norms - 1)))
            yield (*at, k), f"the squares of the row sum to {norms[k]:.10g}", "rows of length 1"


def correlation_cholesky(array: np.ndarray) -> Iterator[Finding]:
    return cholesky(array, unit_rows=True)


STRUCTURED: dict[str, Callable[[np.ndarray], Iterator[Finding]]] = {
    "simplex": simplex,
    "ordered": ordered,
    "positive_ordered": positive_ordered,
    "cov": covariance,
    "corr": correlation,
    "chol_cov": cholesky,
    "chol_corr": correlation_cholesky,
}
"""By the name of ``supports.Structured``; ``circle`` is a range of reals and has no check of its own."""
