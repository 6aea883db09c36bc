"""Families of test functions that separate measures: published, so that a certificate says what was looked at."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def flat(values: Any) -> np.ndarray:
    """A PyTree with a leading axis n as an array (n, d)."""
    leaves = [np.asarray(leaf, float) for leaf in jax.tree.leaves(values)]
    return np.concatenate([leaf.reshape(leaf.shape[0], -1) for leaf in leaves], axis=1)


class Family:
    """Bounded functions of a vector, placed by a pilot sample: indicators below its quantiles in each coordinate,
    centred and squashed moments, products of pairs of coordinates. All in [−1, 1], so that no tail can hide a bias or
    fake one."""

    def __init__(self, pilot: np.ndarray, pairs: int = 6):
        self.edges = np.quantile(pilot, QUANTILES, axis=0)
        self.centre = np.median(pilot, axis=0)
        spread = np.subtract(*np.quantile(pilot, [0.84, 0.16], axis=0)) / 2
        self.scale = np.where(spread > 0, spread, 1.0)
        d = pilot.shape[1]
        every = [(i, j) for i in range(d) for j in range(i + 1, d)]
        self.pairs = every[:: max(1, len(every) // pairs)][:pairs]
        self.names = [f"x{i} <= q{q:g}" for q in QUANTILES for i in range(d)]
        self.names += [f"{f}(x{i})" for f in ("tanh", "tanh^2", "cos") for i in range(d)]
        self.names += [f"tanh(x{i}) tanh(x{j})" for i, j in self.pairs]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """(n, d) → (n, k)."""
        below = [(x <= e).astype(float) for e in self.edges]
        t = np.tanh((x - self.centre) / self.scale)
        shapes = [t, t**2, np.cos(1.3 * (x - self.centre) / self.scale)]
        products = [t[:, [i]] * t[:, [j]] for i, j in self.pairs]
        return np.concatenate(below + shapes + products, axis=1)


class Atoms:
    """Test functions that were evaluated already, one for each column."""

    def __init__(self, size: int):
        self.names = [f"f{i}" for i in range(size)]

    def __call__(self, values: np.ndarray) -> np.ndarray:
        return values
