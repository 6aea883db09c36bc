"""Small models with exact answers on which parts are validated when the user names none: published, so that a
certificate says on what a claim was tested."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ppl.core.random import Source, categorical
from ppl.core.sequential import ConditionalSequentialTarget
from ppl.inference.validation.chains import ExactTarget
from ppl.inference.validation.checks.weighted import KnownMeasure


class Hmm(ConditionalSequentialTarget):
    """A hidden Markov chain with finitely many states: ``initial[z]``, ``transition[z, z']``, ``emission[z, y]``,
    data ``y``.

    All its randomness is discrete, so that algorithms on it can be enumerated."""

    y: Int[Array, " t"]
    initial: Float[Array, " k"]
    transition: Float[Array, "k k"]
    emission: Float[Array, "k m"]
    length: int

    def start(self, key: Source) -> tuple[Any, Any]:
        return jnp.asarray(0), jnp.zeros(())

    def _row(self, state: Any, step: Any) -> Any:
        return jnp.where(step == 0, self.initial, self.transition[state])

    def advance(self, key: Source, state: Any, step: Any) -> tuple[Any, Any, Any]:
        z = categorical(key, jnp.log(self._row(state, step)))
        return z, z, jnp.log(self.emission[z, self.y[step]])

    def replay(self, state: Any, record: Any, step: Any) -> tuple[Any, Any]:
        return record, jnp.log(self.emission[record, self.y[step]])

    def log_transition(self, state: Any, record: Any, step: Any) -> Any:
        return jnp.log(self._row(state, step)[record])

    def paths(self) -> dict[tuple[int, ...], float]:
        """Every path of hidden states with its joint density with the data."""
        pi, a, b, y = (np.asarray(v) for v in (self.initial, self.transition, self.emission, self.y))
        paths: dict[tuple[int, ...], float] = {(z,): float(pi[z] * b[z, y[0]]) for z in range(len(pi))}
        for t in range(1, self.length):
            paths = {(*z, n): p * float(a[z[-1], n] * b[n, y[t]]) for z, p in paths.items() for n in range(len(pi))}
        return paths


def hmm2(length: int = 4) -> Hmm:
    """Two states, up to four observations."""
    return Hmm(
        y=jnp.array([0, 1, 1, 0])[:length],
        initial=jnp.array([0.6, 0.4]),
        transition=jnp.array([[0.7, 0.3], [0.2, 0.8]]),
        emission=jnp.array([[0.9, 0.1], [0.3, 0.7]]),
        length=length,
    )


def last_state(model: Hmm) -> KnownMeasure:
    """The measure of the last hidden state: its atoms."""
    paths = model.paths()
    z = sum(paths.values())
    states = len(np.asarray(model.initial))
    atoms = np.array([sum(p for path, p in paths.items() if path[-1] == k) / z for k in range(states)])
    return KnownMeasure(
        f"HMM, {states} states, T = {model.length}",
        math.log(z),
        lambda s: s == jnp.arange(states),
        atoms,
        "enumeration",
    )


def standard_normal() -> ExactTarget:
    return ExactTarget("N(0, 1)", lambda key: jax.random.normal(key), lambda x: -0.5 * x**2)


def correlated_normal(rho: float = 0.8) -> ExactTarget:
    """Two coordinates with variances 1 and 4 and correlation ``rho``."""
    factor = jnp.array([[1.0, 0.0], [2.0 * rho, 2.0 * math.sqrt(1 - rho**2)]])
    precision = jnp.linalg.inv(factor @ factor.T)
    return ExactTarget(
        "N2(0, S)", lambda key: factor @ jax.random.normal(key, (2,)), lambda x: -0.5 * x @ precision @ x
    )


def gamma31() -> ExactTarget:
    """Gamma(3, 1) on (0, ∞)."""
    return ExactTarget(
        "Gamma(3, 1)",
        lambda key: jax.random.gamma(key, 3.0),
        lambda x: jnp.where(x > 0, 2.0 * jnp.log(jnp.where(x > 0, x, 1.0)) - x, -jnp.inf),
    )


def two_scales() -> ExactTarget:
    """½ N(0, 0.1²) + ½ N(0, 2²): no single scale fits."""

    def sample(key: Any) -> Any:
        pick, draw = jax.random.split(key)
        return jax.random.normal(draw) * jnp.where(jax.random.bernoulli(pick), 0.1, 2.0)

    def log_density(x: Any) -> Any:
        return jnp.logaddexp(-0.5 * (x / 0.1) ** 2 - math.log(0.1), -0.5 * (x / 2) ** 2 - math.log(2.0))

    return ExactTarget("N(0, .1) + N(0, 2)", sample, log_density)


def weighted_values() -> tuple[Array, Array, float, KnownMeasure]:
    """Four weighted values, one of them dead, and a normaliser: a population, and its measure."""
    values, log_weights = jnp.arange(4), jnp.log(jnp.array([0.2, 1.5, 0.0, 0.7]))
    weights = np.array([0.2, 1.5, 0.0, 0.7])
    log_normaliser = math.log(2.0)
    z = 2.0 * weights.mean()
    measure = KnownMeasure(
        "4 weighted values", math.log(z), lambda v: v == jnp.arange(4), weights / weights.sum(), "closed form"
    )
    return values, log_weights, log_normaliser, measure
