"""Continuous random variables on quadrature nodes: a program becomes finite, and enumeration answers for it.

Each continuous draw is replaced by nodes x_k with log weights log(p(x_k) w_k), w_k those of a rule for its conditional
prior, so supports that depend on other draws and branches with different variables need nothing special. The rules
converge exponentially for smooth integrands; ``breaks`` says where one is not smooth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from scipy import special

from ppl.reference.choices import Address, Options
from ppl.reference.distributions import Distribution, Univariate, element, make
from ppl.reference.distributions.structured import Dirichlet
from ppl.reference.enumeration import Paths, enumerate_exact, finite_options
from ppl.reference.errors import Unsupported

Nodes = list[tuple[Any, float]]


def quadrature(
    program,
    model: str,
    args: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    *,
    nodes: int | Mapping[str, int] = 64,
    breaks: Mapping[str, Sequence[float]] | None = None,
    least: float = 0.0,
    limit: int = 200_000,
) -> Paths:
    """All paths of a program with few continuous latents (at most three, with 64 nodes each, within ``limit``).

    ``nodes``: how many for each draw, or by site. ``breaks``: by site, where the integrand has a jump or a kink."""
    options = quadrature_options(nodes, breaks, least)
    return enumerate_exact(program, model, args, data, limit=limit, least=least, options=options)


def quadrature_options(
    nodes: int | Mapping[str, int] = 64, breaks: Mapping[str, Sequence[float]] | None = None, least: float = 0.0
) -> Options:
    def options(address: Address, dist: Distribution) -> Nodes:
        if dist.discrete:
            return finite_options(address, dist, least)
        n = nodes if isinstance(nodes, int) else nodes.get(address.site, 64)
        return nodes_of(dist, n, tuple((breaks or {}).get(address.site, ())))

    return options


def nodes_of(dist: Distribution, n: int, breaks: tuple[float, ...] = ()) -> Nodes:
    """Nodes of one draw with the log weights of ∫ p(x) f(x) dx ≈ Σ exp(log weight) f(x)."""
    if dist.batch:
        parts = [nodes_of(element(dist, i), n, breaks) for i in np.ndindex(dist.batch)]
        return [
            (
                np.reshape(np.stack([np.asarray(x) for x, _ in joint]), dist.batch + dist.event),
                sum(lw for _, lw in joint),
            )
            for joint in product(*parts)
        ]
    if isinstance(dist, Dirichlet):
        return _dirichlet(dist.a, n)
    if dist.event:
        raise Unsupported(f"no quadrature rule for {type(dist).__name__}")
    lower, upper = dist.bounds()
    name, params = (dist.name, [float(p) for p in dist.params]) if isinstance(dist, Univariate) else ("", [])
    if name in ("Beta", "BetaMean") and not breaks:
        a, b = params
        return _jacobi(a, b, n) if name == "Beta" else _jacobi(a * b, (1 - a) * b, n)
    if np.isfinite(lower) and np.isfinite(upper):
        return _legendre(dist, [lower, *[b for b in breaks if lower < b < upper], upper], n)
    if breaks:
        raise Unsupported("breaks on an unbounded line")
    if name == "Normal":
        loc, scale = params
        t = np.linspace(-10, 10, n)
        return _weighted(dist, loc + scale * t, np.full(n, np.log(scale * (t[1] - t[0]))))
    t = np.linspace(-3.4, 3.4, n)  # to exp(±23) on the half line
    step, u, slope = np.log(t[1] - t[0]), np.pi / 2 * np.sinh(t), np.log(np.pi / 2 * np.cosh(t))
    if np.isfinite(lower):  # double-exponential rules of Takahasi & Mori (1974)
        return _weighted(dist, lower + np.exp(u), step + slope + u)
    return _weighted(dist, np.sinh(u), step + slope + np.log(np.cosh(u)))


def _weighted(dist: Distribution, x: np.ndarray, log_w: np.ndarray) -> Nodes:
    nodes = [(float(v), dist.log_density(v) + lw) for v, lw in zip(x, log_w, strict=True)]
    return [(v, lw) for v, lw in nodes if lw > -700]


def _legendre(dist: Distribution, ends: list[float], n: int) -> Nodes:
    x, w = np.polynomial.legendre.leggauss(n)
    out: Nodes = []
    for a, b in zip(ends, ends[1:], strict=False):
        out += _weighted(dist, (a + b) / 2 + (b - a) / 2 * x, np.log(w * (b - a) / 2))
    return out


def _jacobi(a: float, b: float, n: int) -> Nodes:
    """Gauss–Jacobi: exact for polynomials of degree 2n − 1 under Beta(a, b)."""
    t, w = special.roots_jacobi(n, b - 1, a - 1)
    return [((1 + v) / 2, float(np.log(u / w.sum()))) for v, u in zip(t, w, strict=True)]


def _dirichlet(a: np.ndarray, n: int) -> Nodes:
    """Stick breaking: independent Betas."""
    if len(a) == 1:
        return [(np.ones(1), 0.0)]
    out: Nodes = []
    for first, lw in nodes_of(make("Beta", {"a": a[0], "b": a[1:].sum()}), n):
        out += [(np.concatenate([[first], (1 - first) * rest]), lw + more) for rest, more in _dirichlet(a[1:], n)]
    return out
