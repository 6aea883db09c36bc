"""Exact answers for a bound target: enumeration of finite programs, jointly normal latents, quadrature of at most two
continuous variables."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import logsumexp

from ppl.core.target import Target
from ppl.inference.exact.enumeration import Enumeration
from ppl.inference.flat import layout
from ppl.inference.methods.enumeration import states
from ppl.inference.validation.models.gaussian import gaussian
from ppl.inference.validation.models.oracle import Oracle, moments, vector

_STATES = 20_000
_POINTS = 2**16  # grid points of a quadrature, in all
_ATOMS = 24


Names = tuple[str, ...] | None


def oracle_for(target: Target, names: Names = None) -> Oracle | None:
    """None where there is none: the target is neither finite and small, nor jointly normal, nor of at most two
    continuous dimensions. The functions are of the latents ``names``, of all where it is None."""
    if not target.latents:
        return None
    if all(v.discrete and v.support_size is not None for v in target.latents):
        return _enumerated(target, names) if states(target) <= _STATES else None
    if any(v.discrete for v in target.latents) or not layout(target).size:
        return None
    return gaussian(target, names) or (_quadrature(target, names) if layout(target).size <= 2 else None)


def _enumerated(target: Target, names: Names) -> Oracle:
    count = states(target)
    every = Enumeration(target, count)
    traces = jax.jit(jax.vmap(every.trace))(jnp.arange(count))
    log_weights = np.asarray(jax.jit(jax.vmap(target.log_density))(traces), float)
    total = float(logsumexp(log_weights))
    weights = np.exp(log_weights - total)
    read = vector(target, names)
    values = np.asarray(jax.vmap(read)(traces), float)
    functions: Callable[[Any], Any]
    if count <= _ATOMS and names is None:

        def atoms(trace: Any) -> Any:
            return jnp.all(jnp.abs(read(trace) - values) < 1e-6, axis=1).astype(float)

        functions = atoms
    else:
        functions = moments(read, values, weights)
    table = np.asarray(jax.vmap(functions)(traces), float)
    return Oracle(f"enumeration of {count} states", total, functions, weights @ table, 0.0)


def _quadrature(target: Target, names: Names) -> Oracle | None:
    """The trapezoidal rule in the unconstrained space, which converges exponentially for smooth densities that decay;
    its error is the difference from half as many points. Where it is more than 1e-5, there is no oracle."""
    where = layout(target)
    d = where.size
    density = jax.jit(jax.vmap(lambda u: target.log_density_unconstrained(where.unravel(u))))
    low, high = _box(density, d)
    side = int(round(_POINTS ** (1 / d)))
    grid = np.stack(np.meshgrid(*(np.linspace(a, b, side) for a, b in zip(low, high, strict=True)), indexing="ij"), -1)
    points = jnp.asarray(grid.reshape(-1, d), where.dtype)
    log_weights = np.nan_to_num(np.asarray(density(points), float), nan=-np.inf)
    cell = float(np.sum(np.log((high - low) / (side - 1))))
    total = float(logsumexp(log_weights)) + cell
    traces = jax.jit(jax.vmap(lambda u: target.constrain(where.unravel(u))[0]))(points)
    weights = np.exp(log_weights - (total - cell))
    read = vector(target, names)
    functions = moments(read, np.asarray(jax.vmap(read)(traces), float), weights)
    table = np.asarray(jax.jit(jax.vmap(functions))(traces), float)
    coarse = np.exp(log_weights - total + cell).reshape((side,) * d)[(slice(None, None, 2),) * d].sum() * 2**d
    # indicators have a jump: their error is that of half a cell
    error = abs(math.log(coarse))
    if not math.isfinite(total) or error > 1e-5:
        return None
    return Oracle(f"quadrature, {side**d} points", total, functions, weights @ table, max(error, 1e-9))


def _box(density: Any, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Bounds outside of which the density is below e⁻⁴⁰ of its peak: shrunk from ±50 on coarse grids."""
    low, high = np.full(d, -50.0), np.full(d, 50.0)
    for _ in range(6):
        axes = [np.linspace(a, b, 201 if d == 2 else 4001) for a, b in zip(low, high, strict=True)]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, d)
        values = np.nan_to_num(np.asarray(density(jnp.asarray(grid)), float), nan=-np.inf)
        near = grid[values > values.max() - 40]
        margin = 2 * (high - low) / (len(axes[0]) - 1)
        low, high = near.min(0) - margin, near.max(0) + margin
    return low, high
