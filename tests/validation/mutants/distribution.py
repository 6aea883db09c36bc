"""Broken distributions, D02 to D07, against ours. D07 is an exact comparison at the greatest uniform number."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist

from ppl.core.distributions import make
from tests.validation.mutants.base import Mutant, refutes


class VarianceAsScale(dist.Normal):
    def sample(self, key, sample_shape=()):
        return self.loc + self.scale**2 * jax.random.normal(key, sample_shape)


class WithoutConstant:
    """N(1, 1) on [0, ∞), not normalised."""

    def __init__(self):
        self.whole = truncated()

    def sample(self, key, sample_shape=()):
        return self.whole.sample(key, sample_shape)

    def log_prob(self, x):
        return jnp.where(x >= 0, jax.scipy.stats.norm.logpdf(x, 1.0), -jnp.inf)


def truncated():
    return make("truncated", {"D": make("Normal", {"loc": 1.0, "scale": 1.0}), "lower": 0.0})


class Exchanged:
    """The density of NB(3, 0.4), mean 4.5; draws with p and 1 − p exchanged, mean 2."""

    def sample(self, key, sample_shape=()):
        return make("NegativeBinomial", {"mean": 2.0, "concentration": 3.0}).sample(key, sample_shape)

    def log_prob(self, x):
        return make("NegativeBinomial", {"mean": 4.5, "concentration": 3.0}).log_prob(x)


class Inverted:
    """A categorical law over 1000 values in single precision, drawn by inversion of its cumulative sums, which end
    below the greatest uniform number: index 1000 can be returned."""

    def __init__(self, clipped):
        self.cumulative = jnp.asarray(np.cumsum(np.full(1000, 1e-3, np.float32), dtype=np.float32))
        self.clipped = clipped

    def sample(self, key, sample_shape=()):
        u = jax.random.uniform(key, sample_shape, jnp.float32)
        index = jnp.searchsorted(self.cumulative, u, side="left")
        return jnp.minimum(index, 999) if self.clipped else index

    def log_prob(self, x):
        inside = (x >= 0) & (x < 1000)
        return jnp.where(inside, jnp.log(1e-3), -jnp.inf)


LAW = refutes("distribution")

MUTANTS = [
    Mutant(
        "D02",
        "variance used as standard deviation",
        "sampler against density",
        VarianceAsScale(0.0, 1.1),
        make("Normal", {"loc": 0.0, "scale": 1.1}),
        LAW,
        8000,
    ),
    Mutant(
        "D03",
        "truncated density without its constant",
        "quadrature: total mass",
        WithoutConstant(),
        truncated(),
        LAW,
        2000,
    ),
    Mutant(
        "D05",
        "negative binomial: p and 1 − p exchanged",
        "sampler against density",
        Exchanged(),
        make("NegativeBinomial", {"mean": 4.5, "concentration": 3.0}),
        LAW,
        2000,
    ),
    Mutant(
        "D07", "categorical sampler can return K", "replay of u = 1 − 2⁻²⁴", Inverted(False), Inverted(True), LAW, 2000
    ),
]
