"""Every part of ours keeps the claim that it makes: α = 1e-6 a check, fixed seeds. One of each kind in the fast
tier."""

import pytest

import ppl
from ppl.inference import kernels, resampling, transformations
from ppl.inference.claims import Claim
from tests.validation.registry import KERNELS, NO_KERNELS, NO_TRANSFORMATIONS, TRANSFORMATIONS, refreshing

FAST = {
    "random_walk",
    "gibbs",
    "pseudo_marginal",
    "multinomial",
    "systematic",
    "collapse",
    "hoist_trace",
    "spawn",
    "advance",
}


def tiered(names):
    return [pytest.param(n, marks=() if n in FAST else pytest.mark.slow) for n in names]


def refuted(certificate):
    return [(c.claim, c.case, c.statistic) for c in certificate.checks if c.outcome == "refuted"]


def test_every_exported_part_is_registered():
    assert set(kernels.__all__) == set(KERNELS) | NO_KERNELS
    assert set(transformations.__all__) == set(TRANSFORMATIONS) | NO_TRANSFORMATIONS
    assert set(resampling.SCHEMES) == set(resampling.__all__) - {"SCHEMES", "Scheme"}


@pytest.mark.parametrize("name", tiered(KERNELS))
def test_kernels(name):
    kernel, target = KERNELS[name]()
    assert refuted(ppl.validate(kernel, target, kind="kernel", n=2000, alpha=1e-6)) == []


@pytest.mark.parametrize("name", tiered(TRANSFORMATIONS))
def test_transformations(name):
    certificate = ppl.validate(TRANSFORMATIONS[name], n=2000, alpha=1e-6)
    assert refuted(certificate) == []
    if TRANSFORMATIONS[name].claim >= Claim.INVARIANT:
        assert certificate.outcome == "passed"


@pytest.mark.slow
def test_refresh():
    step, target = refreshing()
    assert refuted(ppl.validate(step, target, n=2000, alpha=1e-6)) == []


@pytest.mark.parametrize("name", tiered(resampling.SCHEMES))
def test_schemes(name):
    assert refuted(ppl.validate(resampling.SCHEMES[name], kind="scheme", n=2000, alpha=1e-6)) == []
