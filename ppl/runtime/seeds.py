"""Seeds are integers at the edge of the program, keys inside."""

from __future__ import annotations

import secrets

import numpy as np

from ppl.core.errors import UsageError

LARGEST = 2**64 - 1


def key_data(seed: int) -> np.ndarray:
    """The raw key of a seed, uint32 [2]: the same in 32-bit and 64-bit runs. UsageError (exit code 2) outside 0 … 2⁶⁴
    − 1."""
    if not 0 <= seed <= LARGEST:
        raise UsageError(f"the seed is {seed}, and must be from 0 to 2^64 - 1", helps=("--seed 0",))
    return np.array([seed >> 32, seed & 0xFFFFFFFF], np.uint32)


def fresh() -> int:
    """A seed from the operating system, short enough to be typed again."""
    return secrets.randbelow(2**32)
