"""Every part of ours keeps the claim that it makes: α = 1e-6 a check, fixed seeds. One of each kind in the fast
tier."""

import pytest

import ppl
from ppl.compiler.passes.base import Pass
from ppl.inference import kernels, representations, resampling, transformations
from ppl.inference.claims import Claim
from ppl.inference.methods import registry as methods
from ppl.inference.methods.base import Method
from tests.validation import registry
from tests.validation.registry import KERNELS, REPRESENTATIONS, TRANSFORMATIONS, refreshing, unaccounted

FAST = {
    "random_walk",
    "gibbs",
    "pseudo_marginal",
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


def test_every_part_has_a_claim_and_an_entry():
    assert unaccounted() == set()


def undeclared_class(monkeypatch):
    class Nameless(transformations.Transformation):
        source = target = claim = None
        act = None

    Nameless.__module__ = "ppl.somewhere"
    monkeypatch.setattr(registry, "families", lambda kind: [Nameless] if kind is transformations.Transformation else [])


class Unclaimed(Method):
    name = "unclaimed"


NEW = {
    "kernel `teleport`": lambda m: m.setattr(kernels, "__all__", [*kernels.__all__, "teleport"]),
    "transformation `thin`": lambda m: m.setattr(transformations, "__all__", [*transformations.__all__, "thin"]),
    "transformation class `Nameless`": undeclared_class,
    "representation `Signed`": lambda m: m.setattr(representations, "__all__", [*representations.__all__, "Signed"]),
    "resampling scheme `best`": lambda m: m.setitem(resampling.SCHEMES, "best", lambda key, w, n: w),
    "distribution `Bates`": lambda m: m.setitem(registry.DECLARED, "Bates", None),
    "method `unclaimed`": lambda m: m.setitem(methods._registered, "unclaimed", Unclaimed),
    "pass `guess`": lambda m: m.setattr(registry, "PASSES", (*registry.PASSES, Pass("guess", None, ""))),
}


@pytest.mark.parametrize("named", NEW)
def test_a_new_part_without_a_claim_or_a_test_fails_the_build(named, monkeypatch):
    NEW[named](monkeypatch)
    assert named in unaccounted()


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_representations(name):
    representation, measure = REPRESENTATIONS[name]()
    assert ppl.validate(representation, measure, n=2000, alpha=1e-6).outcome == "passed"


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
