"""Programs of estimators grow linearly with what is written, and not at all with loops and plates."""

import sys
from pathlib import Path

import jax
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from estimator_size import PROGRAMS, lowered  # noqa: E402


def lines(name, n, strategy):
    return len(lowered(PROGRAMS[name](n), strategy).as_text().splitlines())


@pytest.mark.parametrize(
    ("strategy", "n"), [("enum", 12), *(pytest.param(s, 12, marks=pytest.mark.slow) for s in ("reinforce", "mvd"))]
)
def test_sequential_draws(strategy, n):
    assert lines("sequential", 2 * n, strategy) / lines("sequential", n, strategy) < 2.3


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["enum", "reinforce"])
def test_sixty_four_sequential_draws(strategy):
    assert lines("sequential", 64, strategy) / lines("sequential", 32, strategy) < 2.3


@pytest.mark.parametrize("name", ["loop", "plate"])
@pytest.mark.parametrize("strategy", ["enum", "reinforce"])
def test_loops_and_plates(name, strategy):
    assert lines(name, 64, strategy) == lines(name, 32, strategy)


def test_enumerating_a_plate_is_exact_and_local():
    """64 independent draws: 2^64 combinations, and the ELBO is 64 times that of one."""
    one, many = (lowered(PROGRAMS["plate"](n), "enum").compile() for n in (1, 64))
    params = {"guide": {"a": jax.numpy.asarray(0.3)}, "model": {}}
    (v1, g1), (v64, g64) = (f(params, jax.random.key(0)) for f in (one, many))
    assert v64 == pytest.approx(64 * float(v1), rel=1e-12)
    assert g64["guide"]["a"] == pytest.approx(64 * float(g1["guide"]["a"]), rel=1e-12)
