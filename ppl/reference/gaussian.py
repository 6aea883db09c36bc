"""Latents that are jointly Gaussian given all others, integrated out exactly by looking at the density only.

Given the other choices the log joint density is quadratic in them, c + b·x − ½ xᵀΛx; its coefficients are differences
of its values at unit vectors, so that nothing of the program needs to be understood. Whether it is quadratic is checked
at one more point. The other choices are walked through as in ``quadrature`` and ``enumerate_exact``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import log, pi
from typing import Any

import numpy as np
from scipy import special

from ppl.reference.choices import EveryPath, Options, Rejected
from ppl.reference.context import Context
from ppl.reference.enumeration import Path
from ppl.reference.errors import Unsupported
from ppl.reference.execution import apply, finished
from ppl.reference.quadrature import quadrature_options
from ppl.reference.run import Run
from ppl.reference.values import equal


class _Pinned(EveryPath):
    """Walks through the other choices; the Gaussian ones take the coordinates of ``x`` in the order of the program."""

    def __init__(self, options: Options, sites: Collection[str]):
        super().__init__(options)
        self.sites, self.x, self.used = sites, np.zeros(0), 0

    def restart(self):
        super().restart()
        self.used = 0

    def draw(self, address, distribution):
        if address.site not in self.sites:
            return super().draw(address, distribution)
        shape = distribution.batch + distribution.event
        n = int(np.prod(shape))
        own = self.x[self.used : self.used + n]
        own = np.concatenate([own, np.zeros(n - len(own))])
        self.used += n
        value = own.reshape(shape)[()]
        return value, distribution.log_density(value)


@dataclass(frozen=True)
class Conditional:
    """One path of the other choices. ``origin`` and ``units`` are the executions at x = 0 and at the unit vectors: what
    they return is affine in x, with N(``mean``, ``cov``) for x."""

    log_weight: float
    mean: np.ndarray
    cov: np.ndarray
    origin: Path
    units: Sequence[Path]

    def moments(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        base = np.asarray(self.origin.get(name), dtype=float)
        if not self.units:
            return base, np.zeros_like(base)
        G = np.stack([np.asarray(p.get(name), dtype=float) - base for p in self.units], axis=-1)
        return base + G @ self.mean, np.einsum("...i,ij,...j->...", G, self.cov, G)


@dataclass(frozen=True)
class GaussianPaths:
    """The interface of ``Paths``: evidence, means, variances, probabilities of what does not depend on x."""

    paths: Sequence[Conditional]

    @property
    def log_evidence(self) -> float:
        return float(special.logsumexp([p.log_weight for p in self.paths]))

    @property
    def probabilities(self) -> np.ndarray:
        return np.exp(np.array([p.log_weight for p in self.paths]) - self.log_evidence)

    def mean(self, name: str) -> np.ndarray:
        return sum(p * path.moments(name)[0] for p, path in zip(self.probabilities, self.paths, strict=True))

    def var(self, name: str) -> np.ndarray:
        parts = [path.moments(name) for path in self.paths]
        return sum(p * (v + m**2) for p, (m, v) in zip(self.probabilities, parts, strict=True)) - self.mean(name) ** 2

    def pmf(self, name: str, value: Any) -> float:
        hits = [equal(path.origin.get(name), value) for path in self.paths]
        return float(sum(p for p, hit in zip(self.probabilities, hits, strict=True) if hit))


def gaussian(
    program,
    model: str,
    args: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    *,
    sites: Collection[str],
    nodes: int | Mapping[str, int] = 64,
    breaks: Mapping[str, Sequence[float]] | None = None,
    least: float = 0.0,
) -> GaussianPaths:
    """Integrates ``sites`` exactly given each path of the other choices (continuous ones on quadrature nodes)."""
    options = quadrature_options(nodes, breaks, least)
    context = Context(program, options=options)
    applied, rest = apply(context, model, args, data)
    choices = _Pinned(options, sites)

    def at(x: np.ndarray) -> Path:
        choices.restart()
        choices.x = x
        run = Run(context, choices, rest)
        value = run.model(applied)
        return Path(*finished(run, value)[:3], run.log_weight)

    out, more = [], True
    while more:
        try:
            out.append(_integrate(at, choices))
        except Rejected:
            pass
        more = choices.advance()
    return GaussianPaths(out)


def _integrate(at, choices: _Pinned) -> Conditional:
    origin = at(np.zeros(0))
    d = choices.used
    if d == 0:
        return Conditional(origin.log_weight, np.zeros(0), np.zeros((0, 0)), origin, ())
    unit = np.eye(d)
    plus, minus = [at(e) for e in unit], [at(-e) for e in unit]
    c = origin.log_weight
    up, down = np.array([p.log_weight for p in plus]), np.array([p.log_weight for p in minus])
    b = (up - down) / 2
    precision = np.diag(2 * c - up - down)
    for i in range(d):
        for j in range(i):
            precision[i, j] = precision[j, i] = up[i] + up[j] - c - at(unit[i] + unit[j]).log_weight
    x = np.linspace(-1.5, 0.8, d) if d > 1 else np.array([0.7])
    expected, found = c + b @ x - 0.5 * x @ precision @ x, at(x).log_weight
    if not np.isclose(found, expected, rtol=1e-9, atol=1e-8):
        raise Unsupported(
            f"the density is not Gaussian in the sites {sorted(choices.sites)}: {found} where {expected} was predicted"
        )
    unit_scale = 1 / np.sqrt(np.diag(precision))  # scaled, the matrix is as well conditioned as it can be
    scaled = precision * np.outer(unit_scale, unit_scale)
    cov = np.linalg.inv(scaled) * np.outer(unit_scale, unit_scale)
    mean = cov @ b
    log_det = np.linalg.slogdet(scaled)[1] - 2 * np.log(unit_scale).sum()
    log_weight = c + 0.5 * b @ mean + 0.5 * d * log(2 * pi) - 0.5 * log_det
    return Conditional(log_weight, mean, cov, origin, plus)
