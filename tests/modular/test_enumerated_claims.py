"""Claims checked without sampling error: every random choice of the algorithm is enumerated."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ppl.core.random import categorical
from ppl.inference.algorithms.conditional import conditional_smc
from ppl.inference.algorithms.smc import smc
from ppl.inference.representations import Particles, Population, suspend
from ppl.inference.representations.population import effective_sample_size
from ppl.inference.resampling import SCHEMES
from ppl.inference.transformations import advance, collapse, finish, hoist, normalise, resample, spawn
from ppl.inference.validation.enumeration import branches, expectation
from tests.modular.models import hmm

ENUMERABLE = {name: s for name, s in SCHEMES.items() if name != "srinivasan"}


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def weighted_states(particles):
    """Ẑ and Ẑ · P(z = 1): the measure on a separating family of functions of the last state."""
    z = np.exp(float(particles.log_evidence))
    return np.array([z, z * float(jnp.sum(particles.weights * (particles.values == 1)))])


def exact(model):
    paths = model.paths()
    return np.array([sum(paths.values()), sum(p for z, p in paths.items() if z[-1] == 1)])


# Without resampling the scheme does not matter; multinomial resampling at every step has the most branches, and all the
# others are also sampled at every threshold (tests/validation).
CONFIGURATIONS = [
    ("systematic", 0.0),
    *((s, 0.9) for s in ENUMERABLE),
    ("systematic", 1.1),
    pytest.param("residual", 1.1, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("scheme", "ess"), CONFIGURATIONS)
def test_smc_is_properly_weighted(scheme, ess):
    """E Ẑ f = ∫ γ f for two particles and two observations."""
    model = hmm(2)
    program = smc(2, ENUMERABLE[scheme], ess)(suspend(model))
    assert program.claim.name == "PROPERLY_WEIGHTED"
    got = expectation(lambda source: program.run(source)[0], weighted_states)
    np.testing.assert_allclose(got, exact(model), rtol=1e-12)


def test_probabilities_of_the_branches_add_up():
    program = smc(2)(suspend(hmm(2)))
    assert sum(b.probability for b in branches(lambda s: program.run(s)[0])) == pytest.approx(1.0, abs=1e-13)


def test_finish_after_advance_is_finish():
    model = hmm(2)
    start = spawn(1)
    plain = finish(hoist(start)(suspend(model)))
    advanced = finish(advance(hoist(start)(suspend(model))))
    for program in (plain, advanced):
        got = expectation(lambda source, p=program: p.run(source)[0], weighted_states)
        np.testing.assert_allclose(got, exact(model), rtol=1e-13)


def population():
    """Three particles with weights of their own and something in the normaliser already."""
    values, log_weights = jnp.array([0, 1, 1]), jnp.log(jnp.array([0.2, 1.5, 0.7]))
    return Population(lambda key: Particles(values, log_weights, jnp.log(2.0)))


@pytest.mark.parametrize("scheme", ENUMERABLE)
def test_resampling_and_collapsing_keep_the_measure(scheme):
    """collapse ∘ spawn = collapse ∘ resample = collapse in meaning."""
    r = population()
    expected = weighted_states(r.run(None)[0])
    resampled = resample(ENUMERABLE[scheme], ess=1.1)(r)
    got = expectation(lambda s: resampled.run(s)[0], weighted_states)
    np.testing.assert_allclose(got, expected, rtol=1e-12)

    def mass(weighted):
        w = np.exp(float(weighted.log_weight))
        return np.array([w, w * float(weighted.value == 1)])

    for program in (collapse(r), collapse(resampled), collapse(spawn(2)(collapse(r)))):
        np.testing.assert_allclose(expectation(lambda s, p=program: p.run(s)[0], mass), expected, rtol=1e-12)


def test_normalising_is_biased_and_says_so():
    """A self-normalised mean at n = 2 is not the posterior mean: the negative must fail."""
    model = hmm(2)
    program = normalise(smc(2)(suspend(model)))
    assert program.claim.name == "CONSISTENT"
    got = expectation(lambda s: program.run(s)[0], lambda z: float(z == 1))
    z, z1 = exact(model)
    assert abs(got - z1 / z) > 1e-3


def test_dropping_the_weights_is_refuted():
    model = hmm(2)
    program = smc(2, ess=0.0)(suspend(model))

    def dropped(particles):
        return weighted_states(particles._replace(log_weights=jnp.zeros(2)))

    got = expectation(lambda s: program.run(s)[0], dropped)
    assert abs(got[0] / exact(model)[0] - 1) > 0.1


@pytest.mark.parametrize("ancestor_sampling", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_conditional_smc_leaves_the_posterior_invariant(ancestor_sampling):
    """Start exactly, one sweep, all atoms; n = 2 particles."""
    model = hmm(2)
    paths = model.paths()
    z = sum(paths.values())
    after = dict.fromkeys(paths, 0.0)
    for path, p in paths.items():
        reference = jnp.array(path)
        run = lambda s, r=reference: conditional_smc(s, model, 2, r, ancestor_sampling)[0]  # noqa: E731
        for branch in branches(run):
            after[tuple(int(v) for v in branch.value)] += p / z * branch.probability
    for path, p in paths.items():
        assert after[path] == pytest.approx(p / z, rel=1e-11)


@pytest.mark.slow
def test_enumeration_sees_a_biased_scheme():
    """Off-by-one ancestors (mutant S04) change the measure."""

    def shifted(key, log_weights, n):
        return (categorical(key, log_weights, (n,)) + 1) % log_weights.shape[0]

    program = smc(2, shifted, ess=1.1)(suspend(hmm(2)))
    got = expectation(lambda s: program.run(s)[0], weighted_states)
    assert np.max(np.abs(got / exact(hmm(2)) - 1)) > 0.01


def test_effective_sample_size_of_the_dead_is_zero():
    assert float(effective_sample_size(jnp.full(3, -jnp.inf))) == 0.0
