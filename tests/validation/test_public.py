"""Parts of every make through ``ppl.validate``: what is accepted, what is refuted, what is said of misuse."""

import json

import jax
import jax.numpy as jnp
import pytest

import ppl
from ppl.core.errors import UsageError
from ppl.core.random import accept, categorical, split
from ppl.inference.representations import Particles
from ppl.inference.validation.chains import ExactTarget, FiniteTarget
from ppl.inference.validation.checks.calibration import Joint

# Each check refutes a sound part with probability 1e-6 at most.
QUICK = {"n": 2000, "alpha": 1e-6}
THREE = FiniteTarget("three states", jnp.arange(3), lambda z: jnp.log(jnp.array([0.2, 0.3, 0.5]))[z])


def metropolis(key, z, log_density):
    """A bare trace in, a bare trace out."""
    draw, choose = split(key)
    new = (z + 1 + categorical(draw, jnp.zeros(2))) % 3
    return jnp.where(accept(choose, log_density(new) - log_density(z)), new, z)


def test_a_function_on_a_finite_space_is_enumerated():
    certificate = ppl.validate(metropolis, THREE, **QUICK)
    assert certificate.outcome == "passed"
    assert [c.oracle for c in certificate.checks[:2]] == ["enumeration", "enumeration"]


def test_a_kernel_that_never_leaves_is_refuted_though_it_is_invariant():
    certificate = ppl.validate(lambda key, z, log_density: z, THREE, **QUICK)
    assert {c.claim for c in certificate.checks if c.outcome == "refuted"} == {"moves", "irreducible"}


def test_a_shared_key_of_all_particles_is_refuted():
    def smc(key, target, n):
        states, log_weights = jax.vmap(target.start)(jnp.stack([key] * n))
        total = log_weights
        for t in range(target.length):
            states, _, more = jax.vmap(lambda s, t=t: target.advance(jax.random.fold_in(key, t), s, t))(states)
            total = total + more
        return Particles(states, total, jnp.zeros(()))

    certificate = ppl.validate(smc, kind="smc", **QUICK)
    assert [c.claim for c in certificate.checks if c.outcome == "refuted"] == ["particles are not all alike"]


def test_a_function_of_particles_that_drops_the_weights_is_refuted():
    def dropped(key, particles):
        return particles._replace(log_weights=jnp.zeros_like(particles.log_weights))

    certificate = ppl.validate(dropped, kind="transformation", **QUICK)
    assert certificate.refuted
    row = next(c for c in json.loads(certificate.to_json())["checks"] if c["outcome"] == "refuted")
    assert row["seed"] is not None and row["n"] == 2000 and "z" in row["statistic"]


NORMAL = Joint(
    "normal, one observation",
    lambda key: (lambda t: (t, t + jax.random.normal(jax.random.fold_in(key, 1))))(jax.random.normal(key)),
    lambda theta, y: jax.scipy.stats.norm.logpdf(y, theta),
)


def test_calibration_passes_the_exact_posterior_and_refutes_the_prior():
    def exact(key, y):
        return y / 2 + jnp.sqrt(0.5) * jax.random.normal(key, (63,))

    def prior(key, y):
        return jax.random.normal(key, (63,))

    assert ppl.validate(exact, NORMAL, n=10_000, alpha=1e-6).outcome == "passed"
    found = ppl.validate(prior, NORMAL, n=10_000, alpha=1e-6).checks[0]
    assert found.outcome == "refuted" and found.statistic["quantity"] == "log likelihood"


@pytest.mark.parametrize("alpha", [0.0, 1.0, 2.0, float("nan")])
def test_an_error_rate_outside_of_the_unit_interval(alpha):
    with pytest.raises(UsageError, match="strictly between 0 and 1"):
        ppl.validate(metropolis, THREE, alpha=alpha)


def test_what_cannot_be_validated_says_what_can():
    with pytest.raises(UsageError, match="what claim a function makes"):
        ppl.validate(lambda a, b: a)


def test_a_function_that_is_no_kernel_is_refused():
    with pytest.raises(UsageError, match="does not work as a kernel"):
        ppl.validate(
            lambda key, state, log_density: (1, 2, 3), ExactTarget("N", jax.random.normal, lambda x: -(x**2) / 2)
        )
