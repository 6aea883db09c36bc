"""Broken estimators of variational objectives and their gradients, V03 to V11, on three small problems with exact
answers.

``vi_bernoulli``: z ~ flip(0.5), observe flip(z ? 0.9 : 0.2) = true, guide z ~ flip(sigmoid φ), φ = 0.3.
``vi_gaussian``: x ~ N(0, 1), observe
N(x, 1) = 2, guide N(μ, e^λ), (μ, λ) = (0.4, −0.2). ``discontinuity``: d/dμ P(N(μ, 1) > 0.5) at μ = 0.2."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.scipy.special import logsumexp
from jax.scipy.stats import norm

from tests.validation.mutants.base import Mutant, refutes

PHI = 0.3
ELBO_GRADIENT = 0.29434672756091623
GAUSSIAN = (jnp.array([0.4, -0.2]), jnp.array([1.2, -0.34064009207127843]))
STEP = (0.2, float(norm.pdf(0.3)))


def log_joint(z):
    return jnp.log(0.5) + jnp.log(jnp.where(z, 0.9, 0.2))


def log_q(z, phi):
    return jnp.where(z, jax.nn.log_sigmoid(phi), jax.nn.log_sigmoid(-phi))


def log_weight(z, phi):
    return log_joint(z) - log_q(z, phi)


def score(z, phi):
    return jax.grad(log_q, argnums=1)(z, phi)


def drawn(key, phi, shape=()):
    return jax.random.uniform(key, shape) < jax.nn.sigmoid(phi)


def reinforce(baseline):
    """(w(z) − b) ∇ log q(z): unbiased for every b that does not depend on z. The mutant's b is half the same draw's
    w."""

    def estimate(key, phi):
        first, second = jax.random.split(key)
        z, other = drawn(first, phi), drawn(second, phi)
        b = {"same": log_weight(z, phi) / 2, "other": log_weight(other, phi)}[baseline]
        return (log_weight(z, phi) - b) * score(z, phi)

    return estimate


def iwelbo(average):
    """log (1/2) Σ e^{wᵢ} with two draws; the mutant averages the logs."""

    def estimate(key, phi):
        w = jax.vmap(log_weight, (0, None))(drawn(key, phi, (2,)), phi)
        return jnp.mean(w) if average else logsumexp(w) - jnp.log(2.0)

    return estimate


def bound(z, phi):
    return logsumexp(jax.vmap(log_weight, (0, None))(z, phi)) - jnp.log(2.0)


def iwelbo_gradient(twice):
    """Score function for the two draws and the derivative of the bound itself; the mutant uses the first draw for
    both."""

    def estimate(key, phi):
        z = drawn(key, phi, (2,))
        z = jnp.stack([z[0], z[0]]) if twice else z
        scores = jax.vmap(score, (0, None))(z, phi)
        return bound(z, phi) * jnp.sum(scores) + jax.grad(bound, argnums=1)(z, phi)

    return estimate


def exact_iwelbo(phi):
    """All four pairs."""
    total = 0.0
    for a in (False, True):
        for b in (False, True):
            z = jnp.array([a, b])
            total += jnp.exp(log_q(z[0], phi) + log_q(z[1], phi)) * bound(z, phi)
    return total


def pathwise(entropy=True, chain_rule=True):
    """x = μ + e^λ ε. Mutants: without the guide's entropy; with x differentiated as though it were μ + λ ε."""

    def objective(parameters, epsilon):
        mu, log_scale = parameters
        scale = jnp.exp(log_scale)
        moving = scale if chain_rule else jax.lax.stop_gradient(scale) + log_scale - jax.lax.stop_gradient(log_scale)
        x = mu + moving * epsilon
        value = norm.logpdf(x) + norm.logpdf(2.0, x)
        return value + log_scale if entropy else value  # the entropy of N(μ, e^λ) is λ and a constant

    return lambda key, parameters: jax.grad(objective)(parameters, jax.random.normal(key))


def step_gradient(pathwise_too_far):
    """d/dμ E[x > 0.5]: by the score function, or, wrongly, through the discontinuity."""

    def through(mu, epsilon):
        return jnp.where(mu + epsilon > 0.5, 1.0, 0.0)

    def estimate(key, mu):
        epsilon = jax.random.normal(key)
        return jax.grad(through)(mu, epsilon) if pathwise_too_far else through(mu, epsilon) * epsilon

    return estimate


def gradient(parameters, exact):
    return refutes("gradient", parameters=parameters, exact=exact)


BERNOULLI = gradient(PHI, ELBO_GRADIENT)

MUTANTS = [
    Mutant(
        "V03",
        "baseline depends on the same sample",
        "exact gradient",
        reinforce("same"),
        reinforce("other"),
        BERNOULLI,
        2000,
    ),
    Mutant(
        "V06",
        "reparameterised through a discontinuity",
        "exact gradient φ(0.3)",
        step_gradient(True),
        step_gradient(False),
        gradient(*STEP),
        2000,
    ),
    Mutant(
        "V07",
        "IWELBO averages logs",
        "exact IWELBO, K = 2",
        iwelbo(True),
        iwelbo(False),
        refutes("value", parameters=PHI, exact=exact_iwelbo(PHI)),
        2000,
    ),
    Mutant(
        "V09",
        "one particle used twice in the K = 2 bound",
        "exact gradient, K = 2",
        iwelbo_gradient(True),
        iwelbo_gradient(False),
        gradient(PHI, jax.grad(exact_iwelbo)(PHI)),
        2000,
    ),
    Mutant(
        "V10",
        "entropy of the guide dropped",
        "closed form gradient",
        pathwise(entropy=False),
        pathwise(),
        gradient(*GAUSSIAN),
        2000,
    ),
    Mutant(
        "V11",
        "Jacobian of the guide's transform missing",
        "closed form gradient",
        pathwise(chain_rule=False),
        pathwise(),
        gradient(*GAUSSIAN),
        6000,
    ),
]
