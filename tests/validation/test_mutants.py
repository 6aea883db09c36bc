"""Broken copies of our parts are refuted by the check that their detector names, at α = 1e-6; the sound originals
pass it."""

import pytest

from tests.validation.mutants.all import MUTANTS


def test_there_are_forty_one():
    assert len(MUTANTS) == 41


@pytest.mark.parametrize("name", MUTANTS)
def test_the_mutant_is_refuted(name):
    mutant = MUTANTS[name]
    assert mutant.check(mutant.broken, mutant.n), mutant.title


@pytest.mark.parametrize(
    "name", [n for n in MUTANTS if n in ("M02", "M15", "S02", "S07", "S19", "V03", "D02", "D07", "C04", "C06")]
)
def test_the_original_passes(name):
    mutant = MUTANTS[name]
    assert not mutant.check(mutant.sound, mutant.n)


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_every_original_passes(name):
    mutant = MUTANTS[name]
    assert not mutant.check(mutant.sound, mutant.n)
