"""A sequential wrapper around any p-value (Gandy and Scott 2020, *Unit testing for MCMC and other Monte Carlo
methods*).

A sound part passes after little more than one batch; a broken one is followed until the evidence is overwhelming."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from ppl.inference.validation.certificate import Outcome
from ppl.inference.validation.fixed_n import MeanTest


class Staged(NamedTuple):
    """``test`` is that of the last stage, ``total`` the draws of all stages, ``decided`` False where the time ran
    out."""

    refuted: bool
    decided: bool
    test: MeanTest
    total: int
    stage_seed: int

    @property
    def outcome(self) -> Outcome:
        return "refuted" if self.refuted else "passed" if self.decided else "undecided"


def staged(
    batch: Callable[[int, int], MeanTest],
    seed: int,
    n: int,
    alpha: float,
    stages: int = 7,
    growth: int = 4,
    deadline: float | None = None,
) -> Staged:
    """``batch(seed, n)`` tests n fresh draws. P(refuted | sound) ≤ ``alpha``; a sound part is passed after 1.7
    batches on average.

    Algorithm 1 of the paper: with β = α/k and γ = β^{1/k}, a p-value below β refutes, one above γ + β passes, and
    between them the next stage decides with β/γ for β, on a batch ``growth`` times as large (from the second stage
    on)."""
    beta = alpha / stages
    gamma = beta ** (1.0 / stages)
    total = 0
    for stage in range(stages):
        here = (seed + 7919 * stage) % 2**63
        result = batch(here, n)
        total += result.n
        if result.p_value <= beta:
            return Staged(True, True, result, total, here)
        if result.p_value > gamma + beta:
            return Staged(False, True, result, total, here)
        if deadline is not None and time.monotonic() > deadline:
            return Staged(False, False, result, total, here)
        beta /= gamma
        if stage == 0:
            n *= growth
    return Staged(False, True, result, total, here)
