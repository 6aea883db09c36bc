"""The warm-up is Stan's."""

import numpy as np
import pytest

from ppl.inference.mcmc.schedule import Stage, stages


def windows(warmup: int) -> list[int]:
    """Iterations at which the metric is replaced."""
    return np.flatnonzero(stages(warmup, 0) == Stage.WINDOW).tolist()


def test_a_thousand_iterations_have_the_windows_of_the_reference_manual():
    assert windows(1000) == [99, 149, 249, 449, 949]
    stage = stages(1000, 500)
    assert stage.shape == (1500,)
    assert (stage[:75] == Stage.FAST).all() and (stage[950:999] == Stage.FAST).all()
    assert stage[999] == Stage.LAST and (stage[1000:] == Stage.SAMPLE).all()


@pytest.mark.parametrize("warmup", [0, 1, 19, 20, 37, 149, 150, 151, 300, 999, 5000])
def test_every_length_is_covered(warmup):
    stage = stages(warmup, 3)
    assert stage.shape == (warmup + 3,) and (stage[warmup:] == Stage.SAMPLE).all()
    assert (stage[:warmup] != Stage.SAMPLE).all()
    assert (stage == Stage.LAST).sum() == (warmup > 0)
    if warmup < 20:
        assert not windows(warmup)
    else:
        slow = np.flatnonzero((stage == Stage.SLOW) | (stage == Stage.WINDOW))
        assert (np.diff(slow) == 1).all() and stage[slow[-1]] == Stage.WINDOW


@pytest.mark.parametrize("warmup", [20, 100, 150, 151, 700, 1000, 1234])
def test_windows_agree_with_blackjax(warmup):
    from blackjax.adaptation.staged_adaptation import build_schedule

    theirs = np.asarray(build_schedule(warmup))
    assert windows(warmup) == np.flatnonzero(theirs[:, 1]).tolist()
