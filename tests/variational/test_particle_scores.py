"""The gradient of a particle filter's log evidence with the score of the ancestors is unbiased; without it, it is not.

Two particles, two steps, coins for draws: the expectation is a sum over 1024 histories, its derivative exact."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ppl
from ppl.api.variational import bound
from ppl.core.errors import UsageError
from ppl.inference.algorithms.smc import smc
from ppl.inference.methods.parse import parse
from ppl.inference.representations import suspend
from ppl.inference.resampling import multinomial
from ppl.inference.variational.particle import with_scores
from tests.variational.test_particle_objective import log_evidence, target

P, THETA, RUNS = 0.4, 0.8, 20_000


def weight(theta, new, old, step):
    return theta * (1.5 * new - old + 0.7 * new * old) * (1 + step)


class Coins(eqx.Module):
    theta: jax.Array
    length: int = eqx.field(static=True, default=2)

    def start(self, key):
        return jax.random.bernoulli(key, P).astype(int), jnp.zeros(())

    def advance(self, key, state, step):
        new = jax.random.bernoulli(key, P).astype(int)
        return new, new, weight(self.theta, new, state, step)


def expectation(theta):
    """Σ over histories of P(history) log Ẑ, of two particles resampled before each step."""
    histories = np.array(list(itertools.product([0, 1], repeat=10)))
    start, first, one, second, two = np.split(histories, 5, axis=1)
    coins = np.concatenate([start, one, two], axis=1)
    chance = np.prod(np.where(coins == 1, P, 1 - P), axis=1) / 4  # the first ancestors are uniform
    log_w = weight(theta, one, np.take_along_axis(start, first, 1), 0)
    later = weight(theta, two, np.take_along_axis(one, second, 1), 1)
    drawn = jnp.take_along_axis(jax.nn.log_softmax(log_w, axis=1), jnp.asarray(second), 1).sum(1)
    log_z = jax.nn.logsumexp(log_w, axis=1) + jax.nn.logsumexp(later, axis=1) - 2 * np.log(2)
    return jnp.sum(chance * jnp.exp(drawn) * log_z)


def gradients(function):
    keys = jax.random.split(jax.random.key(1), RUNS)
    values, slopes = jax.jit(jax.vmap(jax.value_and_grad(function), (None, 0)))(jnp.asarray(THETA), keys)
    return [(float(np.mean(a)), float(np.std(a)) / np.sqrt(RUNS)) for a in (values, slopes)]


def test_the_gradient_is_that_of_the_enumerated_expectation():
    with ppl.environment():
        exact = jax.value_and_grad(expectation)(jnp.asarray(THETA))
        found = gradients(lambda theta, key: with_scores(Coins(theta), 2, 2, key))
        held = gradients(lambda theta, key: smc(2, multinomial, 2.0)(suspend(Coins(theta))).run(key)[0].log_evidence)
    for (mean, se), true in zip(found, exact, strict=True):
        assert abs(mean - true) < 5 * se  # false-alarm rate 6e-7 each
    assert held[1][0] - float(exact[1]) > 8 * held[1][1]  # the test would see a score that is left out


def test_the_objective_by_name():
    """Value: a lower bound on the evidence. Claim: unbiased. The variance is larger than without the score."""
    with ppl.environment():
        slopes = {}
        for name in ("smc(5, 1.1)", "smc(5, resampling=score)"):
            objective = bound(target(), parse(f"vi(ahead, objective={name}, particles=1)"))[1].objective
            params = objective.initial(jax.random.key(0))
            keys = jax.random.split(jax.random.key(3), 400)
            values, slopes[name] = jax.jit(jax.vmap(jax.value_and_grad(objective.surrogate), (None, 0)))(params, keys)
            assert np.mean(values) < log_evidence(0.7, 0.8)
        assert all(s.claim == "unbiased" for s in objective.strategies)
        held, scored = (float(np.var(s["model"]["a"])) for s in slopes.values())
        assert held < scored < np.inf


def test_what_is_no_such_objective():
    with ppl.environment():
        for wrong in ("5, resampling=all", "5, 0.5, resampling=score", "5, runs=2", "5, resampling=score, runs=1"):
            with pytest.raises(UsageError, match="signature: smc"):
                bound(target(), parse(f"vi(ahead, objective=smc({wrong}))"))
