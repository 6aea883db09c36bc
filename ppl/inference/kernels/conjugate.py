"""Gibbs updates of continuous variables whose full conditional is of a standard family.

Where prior and likelihood are conjugate, the full conditional of one coordinate u in the unconstrained space has the
form a·T₁(u) + b·T₂(u) + const with known T. Its two derivatives at any one point give a and b, and the update is a
draw:

    family           θ(u)        log density in u            pairs (among others)
    normal           u           a u + b u²                  Normal location; LogNormal
    gamma            e^u         a u − b e^u                 rate of Poisson, Exponential, Gamma; precision of a Normal
    inverse gamma    e^u         −a u − b e^(−u)             variance of a Normal
    beta             σ(u − o)    a log σ(u − o) + b log σ(o − u)
                                                             Bernoulli, Binomial, Geometric; the sticks of a Dirichlet
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from ppl.core.control import iterate
from ppl.core.random import Source
from ppl.inference.kernels.base import Kernel, KernelInfo, LogDensity
from ppl.inference.representations import TracedValue


class Family(NamedTuple):
    """``natural(u, offset, first, second)``: (a, b) from the derivatives at u; ``draw(key, a, b, offset)``: u."""

    name: str
    natural: Callable[..., tuple[Any, Any]]
    draw: Callable[..., Any]


def _normal(u: Any, _: Any, first: Any, second: Any) -> tuple[Any, Any]:
    return u - first / second, -1.0 / second  # mean and variance


def _gamma(u: Any, _: Any, first: Any, second: Any) -> tuple[Any, Any]:
    return first - second, -second * jnp.exp(-u)


def _inverse_gamma(u: Any, _: Any, first: Any, second: Any) -> tuple[Any, Any]:
    return -first - second, -second * jnp.exp(u)


def _beta(u: Any, offset: Any, first: Any, second: Any) -> tuple[Any, Any]:
    s = jax.nn.sigmoid(u - offset)
    total = -second / (s * (1 - s))
    a = first + total * s
    return a, total - a


def _log_gamma(key: Source, shape: Any) -> Any:
    """Of a gamma variable: finite for small shapes too."""
    return jax.random.loggamma(key, shape)


FAMILIES = (
    Family("normal", _normal, lambda k, mean, var, o: mean + jnp.sqrt(var) * jax.random.normal(k, (), mean.dtype)),
    Family("gamma", _gamma, lambda k, a, b, o: _log_gamma(k, a) - jnp.log(b)),
    Family("inverse gamma", _inverse_gamma, lambda k, a, b, o: jnp.log(b) - _log_gamma(k, a)),
    Family(
        "beta",
        _beta,
        lambda k, a, b, o: o + _log_gamma(jax.random.fold_in(k, 0), a) - _log_gamma(jax.random.fold_in(k, 1), b),
    ),
)


@dataclass(frozen=True, eq=False)
class Conjugate(Kernel):
    """Each element of the sites in turn is drawn from its full conditional. ``families``: positions in ``FAMILIES``,
    one for each element of the raveled sites, and ``offsets`` likewise. A sweep over several elements is invariant, not
    reversible."""

    sites: tuple[str, ...]
    families: np.ndarray
    offsets: np.ndarray
    name: str = "conjugate"

    def step(self, key: Source, state: TracedValue, log_density: LogDensity) -> tuple[TracedValue, KernelInfo]:
        flat, unravel = ravel_pytree({site: state.trace[site] for site in self.sites})
        families, offsets = jnp.asarray(self.families), jnp.asarray(self.offsets, flat.dtype)

        def density(x: Any) -> Any:
            return log_density({**state.trace, **unravel(x)})

        def update(k: Source, carry: Any) -> Any:
            i, x = carry
            u, o = x[i], offsets[i]
            first, second = derivatives(lambda v: density(x.at[i].set(v)), u)
            branches = [lambda f=f: f.draw(k, *f.natural(u, o, first, second), o).astype(u.dtype) for f in FAMILIES]
            return (i + 1, x.at[i].set(jax.lax.switch(families[i], branches))), {}

        (_, flat), _ = iterate(key, flat.size, update, (jnp.asarray(0), flat))
        return TracedValue({**state.trace, **unravel(flat)}, density(flat)), KernelInfo(
            jnp.asarray(True), jnp.asarray(jnp.nan)
        )


def derivatives(function: Callable[[Any], Any], u: Any) -> tuple[Any, Any]:
    """The first and the second."""
    return jax.jvp(jax.grad(function), (u,), (jnp.ones_like(u),))


def families_of(
    log_density: LogDensity, traces: list[Any], sites: tuple[str, ...], offsets: Mapping[str, Any]
) -> dict[str, Family | None]:
    """For each site the family whose parameters come out the same at four points, for every element and each of
    ``traces``; None if its full conditional is of none."""
    if not sites:
        return {}

    def points(trace: Any) -> Any:
        flat, unravel = ravel_pytree({site: trace[site] for site in sites})

        def of(i: Any, shift: Any) -> Any:
            at = flat[i] + shift
            return at, *derivatives(lambda v: log_density({**trace, **unravel(flat.at[i].set(v))}), at)

        over = jax.vmap(jax.vmap(of, (None, 0)), (0, None))
        return over(jnp.arange(flat.size), jnp.asarray([0.0, 0.8, -0.5, 0.3]))

    compiled = jax.jit(points)
    looked = [tuple(np.asarray(a) for a in compiled(trace)) for trace in traces]
    found: dict[str, Family | None] = {}
    begin = 0
    for site in sorted(sites):  # the order of ``ravel_pytree``
        size = int(np.prod(np.shape(traces[0][site])))
        here = [tuple(a[begin : begin + size] for a in one) for one in looked]
        offset = np.broadcast_to(np.asarray(offsets[site], float), np.shape(traces[0][site])).reshape(-1, 1)
        found[site] = next((f for f in FAMILIES if all(_fits(f, offset, *one) for one in here)), None)
        begin += size
    return found


def _fits(family: Family, offset: np.ndarray, u: np.ndarray, first: np.ndarray, second: np.ndarray) -> bool:
    with np.errstate(all="ignore"):
        a, b = family.natural(u, offset, first, second)
    return _steady(np.asarray(a), positive=family.name != "normal") and _steady(np.asarray(b))


def _steady(values: np.ndarray, positive: bool = True) -> bool:
    """Whether each row is constant to rounding, and positive."""
    if not np.isfinite(values).all() or (positive and (values <= 0).any()):
        return False
    spread = np.ptp(values, axis=1) / (1e-9 + np.abs(values).max(axis=1))
    return bool((spread < (1e-6 if values.dtype == np.float64 else 1e-3)).all())


def stick_offsets(constrained: tuple[int, ...], free: tuple[int, ...]) -> Any:
    """Offsets of the beta family for a latent of these shapes: zero, but for simplices, whose unconstrained form are
    logits of sticks less log(K − 1 − i)."""
    if constrained == free or not free or constrained[-1] != free[-1] + 1:
        return 0.0
    return np.asarray([math.log(free[-1] - i) for i in range(free[-1])])


def conjugate(
    families: Mapping[str, Family], shapes: Mapping[str, tuple[int, ...]], offsets: Mapping[str, Any] | None = None
) -> Kernel:
    """``families``: of each site; ``shapes``: of their unconstrained values; ``offsets``: of the beta family, 0 if not
    given."""
    sites = sorted(families)
    given = offsets or {}
    numbers = [np.full(int(np.prod(shapes[s])), FAMILIES.index(families[s])) for s in sites]
    moved = [np.broadcast_to(np.asarray(given.get(s, 0.0), float), shapes[s]).reshape(-1) for s in sites]
    return Conjugate(tuple(sites), np.concatenate(numbers), np.concatenate(moved))
