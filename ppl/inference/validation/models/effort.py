"""How hard a certificate tries: draws, error rate, time, and who hears of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from ppl.inference.validation.fixed_n import MeanTest
from ppl.inference.validation.sequential import Staged, staged

Listener = Callable[[str], None]


def silent(_: str) -> None:
    """Hears nothing."""


@dataclass(frozen=True)
class Effort:
    """``n`` draws in the first stage, made ``block`` at a time so that one program is compiled and the clock is looked
    at; ``deadline`` on the monotonic clock."""

    seed: int = 0
    alpha: float = 1e-9
    n: int = 8_000
    deadline: float | None = None
    listener: Listener = silent
    block: int = 2_000

    @classmethod
    def within(cls, budget: float | None, **settings: Any) -> Effort:
        """``budget`` in seconds from now."""
        return cls(deadline=None if budget is None else time.monotonic() + budget, **settings)

    @property
    def late(self) -> bool:
        return self.deadline is not None and time.monotonic() > self.deadline

    def keys(self, seed: int, index: int = 0) -> Any:
        """The keys of one block."""
        return jax.random.split(jax.random.fold_in(jax.random.key(seed), index), min(self.block, self.n))

    def gather(self, draw: Callable[[Any], np.ndarray], seed: int, total: int) -> np.ndarray:
        """``draw(keys)`` block by block until there are ``total`` rows or the time is over; at least one block. How
        many there are does not look at them, so a test of that many is as good as any."""
        size = min(self.block, self.n)
        rows: list[np.ndarray] = []
        for i in range(-(-total // size)):
            if rows and self.late:
                break
            rows.append(draw(self.keys(seed, i)))
        return np.concatenate(rows)

    def staged(self, batch: Callable[[int, int], MeanTest]) -> Staged:
        """The sequential test, each of its stages told of."""
        begin = time.monotonic()

        def told(seed: int, n: int) -> MeanTest:
            result = batch(seed, n)
            self.listener(f"{result.n:,} draws after {time.monotonic() - begin:.1f} s: p = {result.p_value:.2g}")
            return result

        return staged(told, self.seed, self.n, self.alpha, deadline=self.deadline)
