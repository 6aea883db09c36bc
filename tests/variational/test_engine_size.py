"""Programs of estimators grow linearly with what is written, and not at all with loops and plates."""

import sys
from pathlib import Path

import jax
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from estimator_size import PROGRAMS, lowered, sequential  # noqa: E402


def lines(name, n, strategy):
    return len(lowered(PROGRAMS[name](n), strategy).as_text().splitlines())


@pytest.mark.parametrize(
    ("name", "strategy"),
    [
        ("sequential", "enum"),
        ("sequential", "reinforce"),
        pytest.param("sequential", "mvd", marks=pytest.mark.slow),
        ("mixture", "as written"),
    ],
)
def test_each_draw_adds_the_same_number_of_lines(name, strategy):
    """Equal increments of n add equal numbers of lines: exactly, but for a tenth."""
    few, some, many = (lines(name, n, strategy) for n in (9, 13, 17))
    assert (many - some) / (some - few) == pytest.approx(1, abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["enum", "reinforce", "mvd"])
def test_sixty_four_sequential_draws(strategy):
    few, some, many = (lines("sequential", n, strategy) for n in (16, 32, 64))
    assert (many - some) / (some - few) == pytest.approx(2, abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["enum", "reinforce", "mvd"])
def test_what_xla_makes_of_it_grows_linearly_too(strategy):
    """It must not repeat the cost in everything that reads it."""
    few, many = (len(lowered(sequential(n), strategy).compile().as_text().splitlines()) for n in (8, 24))
    assert many / few < 3.6


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
