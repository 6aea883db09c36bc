"""The oracle of jointly normal latents: linear regressions, Kalman models, whatever the program looks like."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ppl.core.target import Target
from ppl.inference.flat import layout
from ppl.inference.validation.models.oracle import Oracle

_DIMENSIONS = 200
_POINTS = 8  # at which the expansion is compared with the density
_SHOWN = 8


def gaussian(target: Target, names: tuple[str, ...] | None = None) -> Oracle | None:
    """None where the unconstrained log density is not −½ uᵀΛu + gᵀu + c with Λ positive definite, to 1e-8. Its
    expansion at zero then is all of it, and log Z = c + ½ gᵀΛ⁻¹g + d/2 log 2π − ½ log |Λ|."""
    where = layout(target)
    d = where.size
    if not 0 < d <= _DIMENSIONS or any(v.discrete for v in target.latents):
        return None
    density = lambda u: target.log_density_unconstrained(where.unravel(u))  # noqa: E731
    zero = jnp.zeros(d, where.dtype)
    try:
        c, g = (np.asarray(a, float) for a in jax.jit(jax.value_and_grad(density))(zero))
        precision = -np.asarray(jax.jit(jax.hessian(density))(zero), float)
    except (TypeError, ValueError, NotImplementedError):  # loops that cannot be differentiated
        return None
    points = np.random.default_rng(0).normal(size=(_POINTS, d)) * 2
    found = np.asarray(jax.jit(jax.vmap(density))(jnp.asarray(points, where.dtype)), float)
    expanded = c + points @ g - 0.5 * np.einsum("ni,ij,nj->n", points, precision, points)
    if not np.allclose(found, expanded, rtol=1e-8, atol=1e-8) or not np.isfinite(precision).all():
        return None
    sign, log_det = np.linalg.slogdet(precision)
    if sign <= 0 or np.linalg.eigvalsh(precision)[0] <= 0:
        return None
    covariance = np.linalg.inv(precision)
    mean = covariance @ g
    log_evidence = float(c + 0.5 * g @ mean + 0.5 * d * math.log(2 * math.pi) - 0.5 * log_det)
    return _oracle(target, log_evidence, mean, covariance, _places(target, names)[:_SHOWN])


def _places(target: Target, names: tuple[str, ...] | None) -> np.ndarray:
    """Where the latents ``names`` lie in the unconstrained vector."""
    where = layout(target)
    owner = np.repeat(np.arange(len(where.names)), [math.prod(s) for s in where.shapes])
    return np.flatnonzero([names is None or where.names[i] in names for i in owner])


def _oracle(target: Target, log_evidence: float, mean: np.ndarray, covariance: np.ndarray, shown: np.ndarray) -> Oracle:
    """Functions whose expectations under a normal law are known: E cos z = e^{−½}, E sin z = 0, P(z ≤ ½) = Φ(½), and
    for standardised neighbours E cos(z − z') = e^{ρ − 1}."""
    where = layout(target)
    scale = np.sqrt(np.diag(covariance))
    correlation = (covariance / np.outer(scale, scale))[shown[:-1], shown[1:]]

    def functions(trace: Any) -> Any:
        z = ((where.ravel(target.unconstrain(trace)) - mean) / scale)[shown]
        return jnp.concatenate([jnp.cos(z), jnp.sin(z), (z <= 0.5).astype(z.dtype), jnp.cos(z[:-1] - z[1:])])

    half, k = 0.5 * (1 + math.erf(0.5 / math.sqrt(2))), len(shown)
    constants = [np.full(k, math.exp(-0.5)), np.zeros(k), np.full(k, half), np.exp(correlation - 1)]
    return Oracle(f"Gaussian, {len(mean)} dimensions", log_evidence, functions, np.concatenate(constants), 0.0)
