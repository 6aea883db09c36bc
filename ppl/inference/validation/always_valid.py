"""Tests that may be looked at after every draw: betting e-processes and confidence sequences.

Statistics lie in [0, 1] and have the mean m under the claim. A gambler who bets on the past alone multiplies his
capital by 1 + λₜ(xₜ − m); under the claim the capital is a non-negative martingale, and by Ville's inequality it ever
reaches 1/α with a probability of at most α (Waudby-Smith and Ramdas 2024). So a sound part passes quickly, a broken one
is refuted as soon as the evidence is there, and looking often costs nothing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Verdict(NamedTuple):
    """``refuted``: the capital reached k/α for one of the k statistics. ``passed``: every confidence sequence is
    narrower than ``delta`` on both sides of its mean. Neither: more draws are needed."""

    refuted: bool
    passed: bool
    which: int
    n: int
    mean: float
    half_width: float


class EProcess:
    """For k statistics at once (Bonferroni over them). ``update`` takes batches in the order in which they were
    drawn."""

    def __init__(self, expected: np.ndarray, alpha: float, delta: float):
        self.expected = np.clip(np.asarray(expected, float).ravel(), 0.0, 1.0)
        self.level = alpha / len(self.expected)
        self.delta = delta
        k = len(self.expected)
        self.log_capital = np.zeros(k)
        self.peak = np.zeros(k)
        self.n = 0
        self._sum, self._squares = np.full(k, 0.5), np.full(k, 0.25)  # running mean 1/2 and variance 1/4 to begin with
        self._bets, self._weighted, self._cost = np.zeros(k), np.zeros(k), np.zeros(k)

    def update(self, batch: np.ndarray) -> Verdict:
        m = self.expected
        for x in np.asarray(batch, float).reshape(len(batch), -1):
            if not np.isfinite(x).all():
                self.peak = np.where(np.isfinite(x), self.peak, np.inf)
                break
            mean = self._sum / (self.n + 1)
            variance = self._squares / (self.n + 1)
            with np.errstate(divide="ignore"):
                low, high = -0.5 / np.where(m < 1, 1 - m, 1e-300), 0.5 / np.where(m > 0, m, 1e-300)
            stake = np.clip((mean - m) / (variance + (mean - m) ** 2), low, high)
            self.log_capital += np.log1p(stake * (x - m))
            self.peak = np.maximum(self.peak, self.log_capital)
            self._interval(x, mean, variance)
            self.n += 1
            self._sum += x
            self._squares += (x - self._sum / (self.n + 1)) ** 2
        return self.verdict()

    def _interval(self, x: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> None:
        """Predictable plug-in empirical-Bernstein confidence sequence, theorem 2 of the same paper."""
        t = self.n + 1
        budget = 2 * np.log(2 / self.level)
        bet = np.minimum(np.sqrt(budget / (np.maximum(variance, 1e-6) * t * np.log(1 + t))), 0.5)
        self._bets += bet
        self._weighted += bet * x
        self._cost += 4 * (x - mean) ** 2 * (-np.log1p(-bet) - bet) / 4

    def verdict(self) -> Verdict:
        worst = int(np.argmax(self.peak))
        if self.peak[worst] >= np.log(1 / self.level):
            mean = self._sum[worst] / (self.n + 1)
            return Verdict(True, False, worst, self.n, float(mean), float("nan"))
        if not self.n:
            return Verdict(False, False, 0, 0, float("nan"), float("inf"))
        centre = self._weighted / self._bets
        half = (np.log(2 / self.level) + self._cost) / self._bets
        reach = np.abs(centre - self.expected) + half
        widest = int(np.argmax(reach))
        passed = bool((reach < self.delta).all())
        return Verdict(False, passed, widest, self.n, float(centre[widest]), float(half[widest]))
