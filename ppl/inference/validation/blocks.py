"""Draws in blocks of one size, so that stages of every length share one compiled program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

BLOCK = 5_000  # more, and XLA folds arrays of constants for seconds


def in_blocks(compiled: Callable[[Any], Any], seed: int, n: int, block: int) -> np.ndarray:
    """``compiled(keys)`` for ``n`` keys from ``seed``, ``block`` at a time: rows of shape (n, …)."""
    block = min(block, BLOCK)
    keys = jax.random.split(jax.random.key(seed), -(-n // block) * block).reshape(-1, block)
    return np.concatenate([np.asarray(compiled(chunk)) for chunk in keys])[:n]
