"""A whole SMC algorithm of the user's own, handed over as a function."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ppl.core.random import Source
from ppl.core.sequential import SequentialTarget
from ppl.inference.representations import Particles
from ppl.inference.validation.blocks import in_blocks
from ppl.inference.validation.certificate import Check
from ppl.inference.validation.checks.verdict import extreme, not_all_alike, of_means
from ppl.inference.validation.checks.weighted import KnownMeasure, estimates
from ppl.inference.validation.fixed_n import MeanTest, test_means
from ppl.inference.validation.reference_models import Hmm, hmm2
from ppl.inference.validation.sequential import staged
from ppl.inference.validation.signatures import refuse, shape_of, shown

Filter = Callable[[Any, SequentialTarget, int], Particles]


class Paths(SequentialTarget):
    """A hidden Markov chain whose state is its whole path, so that functions of paths can be integrated."""

    chain: Hmm
    length: int

    def start(self, key: Source) -> tuple[Any, Any]:
        return jnp.zeros(self.length, int), jnp.zeros(())

    def advance(self, key: Source, state: Any, step: Any) -> tuple[Any, Any, Any]:
        before = state[jnp.maximum(step - 1, 0)]
        z, record, log_weight = self.chain.advance(key, before, step)
        return jnp.where(jnp.arange(self.length) == step, z, state), record, log_weight


def path_model(length: int = 4, deaths: bool = False) -> tuple[Paths, KnownMeasure]:
    """Two states, ``length`` observations, and the measure of its paths: every atom. With ``deaths`` one state cannot
    give the second symbol, so that particles die."""
    chain = hmm2(length)
    if deaths:
        chain = Hmm(
            y=chain.y,
            initial=chain.initial,
            transition=chain.transition,
            length=length,
            emission=jnp.array([[1.0, 0.0], [0.3, 0.7]]),
        )
    atoms = chain.paths()
    table, total = jnp.array(list(atoms)), sum(atoms.values())
    measure = KnownMeasure(
        "paths",
        math.log(total),
        lambda path: jnp.all(path == table, axis=1).astype(float),
        np.array(list(atoms.values())) / total,
        "enumeration",
    )
    return Paths(chain=chain, length=length), measure


class Drift(SequentialTarget):
    """A Gaussian random walk of three steps without data: of its particles no two are equal but by resampling."""

    length: int = 3

    def start(self, key: Source) -> tuple[Any, Any]:
        return jnp.zeros(()), jnp.zeros(())

    def advance(self, key: Source, state: Any, step: Any) -> tuple[Any, Any, Any]:
        state = state + jax.random.normal(key)
        return state, state, jnp.zeros(())


def check_filter(
    smc: Filter, seed: int = 0, alpha: float = 1e-9, n: int = 20_000, name: str = "smc", sizes: tuple[int, ...] = (2, 3)
) -> tuple[Check, ...]:
    """``smc(key, target, particles) -> Particles`` is properly weighted: E Ẑ f = Z π(f) for all functions of whole
    paths, on a chain of two states with four observations, with few particles, and where particles die; and particles
    are not all alike."""
    what, helps = (
        "an SMC algorithm",
        "it is a function (key, target, n) that returns Particles: a whole run on a suspended target",
    )
    found = shape_of(name, what, helps, lambda key: smc(key, Drift(), 8), jax.random.key(0))
    if not isinstance(found, Particles) or found.log_weights.shape[0] < 1:
        raise refuse(name, what, f"it returned {shown(found)}", helps)
    checks = [_weighted(smc, particles, seed, alpha, n, name) for particles in sizes]
    return *checks, _distinct(lambda key: smc(key, Drift(), 8), seed, name)


def _weighted(smc: Filter, particles: int, seed: int, alpha: float, n: int, name: str) -> Check:
    """Both models side by side: one compilation."""
    (plain, first), (dying, second) = path_model(), path_model(deaths=True)
    fixed = eqx.partition(plain, eqx.is_array)[1]
    arrays = [eqx.filter(model, eqx.is_array) for model in (plain, dying)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *arrays)
    log_evidence = jnp.array([first.log_evidence, second.log_evidence])

    def one(key: Any, own: Any, total: Any) -> Any:
        return estimates(smc(key, eqx.combine(own, fixed), particles), first._replace(log_evidence=total))

    compiled = jax.jit(jax.vmap(lambda key: jax.vmap(one)(jax.random.split(key, 2), stacked, log_evidence).ravel()))
    expected = np.concatenate([[1.0], first.expected, [1.0], second.expected])
    names = [
        f"{f}, {m}"
        for m in ("T = 4", "T = 4, particles die")
        for f in ("Z", *(f"Z 1(path {p})" for p in plain.chain.paths()))
    ]

    def batch(s: int, m: int) -> MeanTest:
        return test_means(in_blocks(compiled, s, m, n), expected)

    result = staged(batch, seed, n, alpha)
    case, family = f"{name}, {particles} particles", "Z and Z f, every path"
    worst = extreme(result, names)
    return of_means(result, "properly weighted", "enumeration", family, worst, case, n, alpha, len(expected))


def _distinct(run: Callable[[Any], Particles], seed: int, name: str, n: int = 200) -> Check:
    """Eight particles of a continuous law: all equal in most runs only where they share a key."""
    values = jax.jit(jax.vmap(lambda key: run(key).values))(jax.random.split(jax.random.key(seed), n))
    return not_all_alike("particles are not all alike", values, name, seed)
