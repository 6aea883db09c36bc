"""Stan's warm-up: a fast stage, slow windows of doubling size, a last fast stage; then sampling."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Stage(IntEnum):
    """What is adapted after an iteration."""

    SAMPLE = 0  # nothing
    FAST = 1  # the step size
    SLOW = 2  # the step size; the position is added to the estimate of the metric
    WINDOW = 3  # as SLOW; then the metric is replaced and the step size learnt anew
    LAST = 4  # the step size, which is then fixed at its average


def stages(warmup: int, draws: int, initial: int = 75, window: int = 25, final: int = 50) -> np.ndarray:
    """The stage of every iteration, int8 [warmup + draws].

    The windows are those of Stan (reference manual, section "Automatic parameter tuning"): where the warm-up is
    shorter than ``initial + window + final`` they take 15, 75 and 10 per cent of it, and under 20 iterations only the
    step size is adapted."""
    stage = np.full(warmup + draws, Stage.SAMPLE, np.int8)
    stage[:warmup] = Stage.FAST
    if warmup >= 20:
        if initial + window + final > warmup:
            initial, final = int(0.15 * warmup), int(0.1 * warmup)
            window = warmup - initial - final
        start, end = initial, warmup - final
        while start < end:
            size = window if start + 3 * window <= end else end - start
            stage[start : start + size] = Stage.SLOW
            stage[start + size - 1] = Stage.WINDOW
            start, window = start + size, 2 * window
    if warmup:
        stage[warmup - 1] = Stage.LAST
    return stage
