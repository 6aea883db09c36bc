"""Parts from outside, broken in thirty-odd ways, through the public door: each is refuted, its sound version not.

Each check refutes a sound part with probability 1e-9 at most."""

import pytest

import ppl
from ppl.core.errors import UsageError
from tests.validation.outside import ESTIMATORS, KERNELS, PARTS

FEW = {
    "no correction",
    "half normal without log 2",
    "Poisson without the factorial",
    "draws clipped to the support",
    "multinomial without its coefficient",
    "a baseline of its own draw",
    "wrong sign of the negative part",
    "weights inverted, without a variance",
    "roulette without compensation",
}


def tiered(names):
    """Few of each kind in the fast tier."""
    return [pytest.param(n, marks=() if n in FEW else pytest.mark.slow) for n in names]


@pytest.mark.parametrize("title", tiered(PARTS))
def test_the_broken_part_is_refuted(title):
    broken, _, given = PARTS[title]
    assert ppl.validate(broken, **given).refuted


@pytest.mark.slow
@pytest.mark.parametrize("title", PARTS)
def test_its_sound_version_is_not(title):
    _, sound, given = PARTS[title]
    assert ppl.validate(sound, **given).outcome == "passed"


MISUSES = {
    "a resampling scheme": (lambda key, w, n: w, {"kind": "scheme"}),
    "a transformation": (lambda key, particles: particles.values, {"kind": "transformation"}),
    "an SMC algorithm": (lambda key, target, n: 3.0, {"kind": "smc"}),
    "a conditional SMC sweep": (lambda key, target, n, path: path[0], {"kind": "sweep"}),
    "an estimator of an unbiased gradient": (
        lambda key, p: (p, p),
        {"kind": "gradient", "parameters": 1.0, "exact": 1.0},
    ),
    "an estimator": (lambda key: 1.0, {"against": next(iter(ESTIMATORS.values()))[2]["against"]}),
    "a kernel": (lambda key, state, log_density: state[None], {"against": KERNELS["no correction"][2]["against"]}),
}


@pytest.mark.parametrize("what", MISUSES)
def test_a_misuse_is_told_from_a_refutation(what):
    part, given = MISUSES[what]
    with pytest.raises(UsageError, match=f"does not work as {what}") as error:
        ppl.validate(part, **given)
    assert error.value.notes and error.value.helps
