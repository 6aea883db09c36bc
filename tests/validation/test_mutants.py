"""Broken copies of our parts are refuted by the check that their detector names, at α = 1e-6; the sound originals
pass it."""

import pytest

from tests.validation.mutants.all import MUTANTS


def test_there_are_forty_one():
    assert len(MUTANTS) == 41


# Compiled for seconds each, and found by the same check as S02, S10 and S18: in the slow tier.
LONG = {"S01", "S03", "S04", "S11", "S12", "S13", "S19"}


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in LONG)) for n in MUTANTS])
def test_the_mutant_is_refuted(name):
    mutant = MUTANTS[name]
    assert mutant.check(mutant.broken, mutant.n), mutant.title


@pytest.mark.parametrize("name", ["M02", "V03", "D02", "C04", "C06"])
def test_the_original_passes(name):
    mutant = MUTANTS[name]
    assert not mutant.check(mutant.sound, mutant.n)


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_every_original_passes(name):
    mutant = MUTANTS[name]
    assert not mutant.check(mutant.sound, mutant.n)
