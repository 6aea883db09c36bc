"""What a run of inference gives: plain arrays on the host, to be summarised, stored and shown by others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np


class Evidence(NamedTuple):
    """log Z and its standard error (0 where it is exact, None where it is unknown)."""

    value: float
    se: float | None


class Bound(NamedTuple):
    """The value of an objective and its standard error. ``lower``: whether its mean is a lower bound on log Z (it is no
    estimate of log Z); ``objective`` is its name."""

    objective: str
    value: float
    se: float
    lower: bool


class Fit(NamedTuple):
    """What an optimisation found. ``params``: fitted parameters by name, in their own spaces. The history: after
    ``steps`` [window] steps, the mean of the objective since the window before, and its standard error. ``pareto_k``:
    the shape of the tail of the weights γ(z)/q(z), where it is known."""

    params: dict[str, np.ndarray]
    steps: np.ndarray
    objective: np.ndarray
    objective_se: np.ndarray
    bound: Bound
    pareto_k: float | None = None


class Timing(NamedTuple):
    """Seconds of wall time."""

    compile_s: float = 0.0
    warmup_s: float = 0.0
    sample_s: float = 0.0


@dataclass(frozen=True)
class Posterior:
    """The outcome of a run.

    Arrays lead with the axes [chain, draw]. ``draws``: the latents, those that were summed out and drawn back
    included; ``data``: values of the data sites (given or predicted); ``outputs``: derived quantities; ``value``:
    what the model returned, a PyTree or None. ``stats``: diagnostics of each draw, name → [chain, draw], by the names
    of ArviZ (``diverging``, ``acceptance_rate``, ``energy``, ``n_steps``, ``tree_depth``, ``lp``). ``log_weights``:
    normalised to a total of one over all draws, or None where the draws count equally. ``complete`` is False where
    the run was interrupted. ``fit``: where parameters were fitted."""

    method: str
    expression: str
    seed: int
    draws: dict[str, np.ndarray]
    data: dict[str, np.ndarray]
    outputs: dict[str, Any]
    value: Any
    stats: dict[str, np.ndarray]
    log_weights: np.ndarray | None
    log_evidence: Evidence | None
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    timing: Timing = Timing()
    complete: bool = True
    fit: Fit | None = None
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        """(chains, draws)."""
        for arrays in (self.stats, self.draws, self.data):
            for a in arrays.values():
                return a.shape[0], a.shape[1]
        return (0, 0) if self.log_weights is None else (self.log_weights.shape[0], self.log_weights.shape[1])

    def weights(self) -> np.ndarray:
        """Weights [chain, draw] that add up to one."""
        if self.log_weights is None:
            return np.full(self.shape, 1.0 / max(1, self.shape[0] * self.shape[1]))
        return np.exp(self.log_weights)

    def resampled(self, n: int, seed: int = 0) -> dict[str, np.ndarray]:
        """``n`` draws [1, n, …] of equal weight, by systematic resampling in random order."""
        rng = np.random.default_rng(seed)
        cumulative = np.cumsum(self.weights().ravel())
        positions = (np.arange(n) + rng.random()) / n * cumulative[-1]
        index = rng.permutation(np.minimum(np.searchsorted(cumulative, positions, side="right"), cumulative.size - 1))
        return {k: v.reshape(-1, *v.shape[2:])[index][None] for k, v in self.draws.items()}
