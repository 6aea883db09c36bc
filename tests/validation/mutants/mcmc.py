"""Broken Markov kernels, M02 to M24, each as a user would write it: a function (key, state, log_density)."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ppl.core.random import accept, categorical, split
from ppl.inference.representations import TracedValue
from ppl.inference.validation.chains import ExactTarget, FiniteTarget
from ppl.inference.validation.reference_models import gamma31, standard_normal, two_scales
from tests.validation.mutants.base import Mutant, refutes


def taken(key, new, old, log_ratio):
    return jax.tree.map(lambda a, b: jnp.where(accept(key, log_ratio), a, b), new, old)


def multiplicative(sign):
    """x' = x e^ε: the Hastings correction is log x' − log x."""

    def step(key, x, log_density):
        draw, choose = jax.random.split(key)
        new = x * jnp.exp(0.5 * jax.random.normal(draw))
        return taken(choose, new, x, log_density(new) - log_density(x) + sign * (jnp.log(new) - jnp.log(x)))

    return step


def walk(reflect):
    """On (0, ∞). ``reflect``: the density is evaluated at |x|, so that negative values are taken as well."""

    def step(key, x, log_density):
        draw, choose = jax.random.split(key)
        new = x + jax.random.normal(draw)
        at = jnp.abs if reflect else lambda v: v
        return taken(choose, new, x, log_density(at(new)) - log_density(at(x)))

    return step


def hmc(kinetic_at_position=False, momentum_scale=2.0, mass=4.0, size=0.9, steps=3):
    """Leapfrog with mass ``mass``; the momentum must have the standard deviation √mass."""

    def step(key, x, log_density):
        draw, choose = jax.random.split(key)
        gradient = jax.grad(log_density)
        p0 = momentum_scale * jax.random.normal(draw)
        q, p = x, p0 + 0.5 * size * gradient(x)
        for i in range(steps):
            q = q + size * p / mass
            p = p + (size if i < steps - 1 else 0.5 * size) * gradient(q)

        def kinetic(momentum, position):
            return (position if kinetic_at_position else momentum) ** 2 / (2 * mass)

        return taken(choose, q, x, log_density(q) - kinetic(p, q) - log_density(x) + kinetic(p0, x))

    return step


def langevin(corrected, size=0.9):
    def step(key, x, log_density):
        draw, choose = jax.random.split(key)
        gradient = jax.grad(log_density)

        def log_q(new, old):
            return -((new - old - 0.5 * size**2 * gradient(old)) ** 2) / (2 * size**2)

        new = x + 0.5 * size**2 * gradient(x) + size * jax.random.normal(draw)
        if corrected == "none":
            return new
        correction = log_q(x, new) - log_q(new, x)
        return taken(
            choose, new, x, log_density(new) - log_density(x) + (correction if corrected == "right" else -correction)
        )

    return step


def log_gamma():
    """Gamma(3, 1) in log space: density e^{3u − e^u}."""
    return ExactTarget("log Gamma(3, 1)", lambda k: jnp.log(jax.random.gamma(k, 3.0)), lambda u: 3 * u - jnp.exp(u))


PAIR = jnp.log(jnp.array([[0.4, 0.1], [0.1, 0.4]]))


def correlated():
    states = jnp.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    return FiniteTarget("2 correlated binaries", states, lambda z: PAIR[z[0], z[1]])


def gibbs(stale):
    def step(key, z, log_density):
        first, second = split(key)
        a = categorical(first, PAIR[:, z[1]])
        b = categorical(second, PAIR[z[0] if stale else a])
        return jnp.stack([a, b])

    return step


SIZES = jnp.log(jnp.array([0.5, 0.25, 0.25]))


def branching():
    """z ~ flip(0.5), and where z also b ~ flip(0.5): states (z, b), one site or two."""
    return FiniteTarget(
        "a site that is not always there", jnp.array([[0, 0], [1, 0], [1, 1]]), lambda s: SIZES[s[0] + s[1]]
    )


def single_site(corrected):
    """A site is chosen among those there are, and drawn from its prior: the ratio is |sites| / |sites'|."""

    def step(key, s, log_density):
        pick, draw, fresh, choose = split(key, 4)
        z, b = s[0], s[1]
        site = categorical(pick, jnp.where(z == 1, jnp.zeros(2), jnp.array([0.0, -jnp.inf])))
        bit, other = categorical(draw, jnp.zeros(2)), categorical(fresh, jnp.zeros(2))
        new_b = jnp.where(z == 1, b, other)  # a site that appears is drawn from its prior
        new = jnp.where(site == 0, jnp.stack([bit, jnp.where(bit == 1, new_b, 0)]), jnp.stack([z, bit]))
        correction = jnp.log(1.0 + z) - jnp.log(1.0 + new[0]) if corrected else 0.0
        return taken(choose, new, s, correction)

    return step


def dimensions():
    """K = 1: N(0, 1), the second coordinate fixed at 0; K = 2: two of them; K fair."""

    def sample(key):
        pick, draw = jax.random.split(key)
        two = jax.random.bernoulli(pick)
        x = jax.random.normal(draw, (2,))
        return {"two": two, "x": jnp.where(two, x, jnp.array([x[0], 0.0]))}

    def log_density(s):
        normal = -0.5 * s["x"] ** 2 - 0.5 * jnp.log(2 * jnp.pi)
        return normal[0] + jnp.where(s["two"], normal[1], 0.0)

    return ExactTarget("K in {1, 2}", sample, log_density)


def jump(jacobian):
    """(x, u) → (x + u, x − u), u ~ N(0, 1), |J| = 2; and back."""

    def step(key, s, log_density):
        draw, choose = jax.random.split(key)
        u = jax.random.normal(draw)
        x, back = s["x"], (s["x"][0] - s["x"][1]) / 2
        new = {
            "two": ~s["two"],
            "x": jnp.where(s["two"], jnp.array([(x[0] + x[1]) / 2, 0.0]), jnp.array([x[0] + u, x[0] - u])),
        }
        log_q = jax.scipy.stats.norm.logpdf
        correction = jnp.where(s["two"], log_q(back), -log_q(u))
        if jacobian:
            correction = correction + jnp.where(s["two"], -jnp.log(2.0), jnp.log(2.0))
        return taken(choose, new, s, log_density(new) - log_density(s) + correction)

    return step


def switching():
    def sample(key):
        pick, draw = jax.random.split(key)
        z = jax.random.bernoulli(pick).astype(int)
        return {"z": z, "x": jnp.where(z == 1, 0.5, 3.0) * jax.random.normal(draw)}

    def log_density(s):
        return jax.scipy.stats.norm.logpdf(s["x"], 0.0, jnp.where(s["z"] == 1, 0.5, 3.0))

    return ExactTarget("z ~ flip, x | z normal", sample, log_density)


def within_gibbs(stale):
    """z from its conditional, then a leapfrog step of x; ``stale``: accepted by the potential kept from before."""

    def step(key, state, log_density):
        flip, draw, choose = jax.random.split(key, 3)
        s = state.trace
        z = categorical(flip, jnp.stack([log_density({**s, "z": jnp.asarray(k)}) for k in (0, 1)]))
        here = {"z": z, "x": s["x"]}
        kept = state.log_density if stale else log_density(here)
        gradient = jax.grad(lambda x: log_density({"z": z, "x": x}))
        p = jax.random.normal(draw)
        half = p + 0.25 * gradient(s["x"])
        x = s["x"] + 0.5 * half
        end = half + 0.25 * gradient(x)
        new = {"z": z, "x": x}
        ratio = log_density(new) - end**2 / 2 - kept + p**2 / 2
        ok = accept(choose, ratio)
        trace = jax.tree.map(lambda a, b: jnp.where(ok, a, b), new, here)
        return TracedValue(trace, jnp.where(ok, log_density(new), kept))

    return step


class Adaptive:
    """A random walk whose scale grows by 1.3 where it accepts and shrinks by 0.77 where not, for ever: object style."""

    def __init__(self, adapts):
        self.adapts = adapts

    def init(self, position):
        return Walk(position, jnp.asarray(1.0))

    def step(self, key, state):
        draw, choose = jax.random.split(key)
        log_density = two_scales().log_density
        new = state.position + state.scale * jax.random.normal(draw)
        ok = accept(choose, log_density(new) - log_density(state.position))
        scale = state.scale * jnp.where(ok, 1.3, 0.77) if self.adapts else state.scale
        return Walk(jnp.where(ok, new, state.position), scale), None


class Walk(NamedTuple):
    position: Any
    scale: Any


def replicas():
    def sample(key):
        return jax.random.normal(key, (2,)) * jnp.array([1.0, 2.0])  # N(0, 1), and its density to the power 1/4

    return ExactTarget("N(0, 1) and N(0, 1)^(1/4)", sample, lambda x: -0.5 * x[0] ** 2 - 0.125 * x[1] ** 2)


def exchange(sign):
    def step(key, x, log_density):
        new = x[::-1]
        return taken(key, new, x, sign * (log_density(new) - log_density(x)))

    return step


def kernel(target, **options):
    return refutes("kernel", target, **options)


MUTANTS = [
    Mutant(
        "M02",
        "Hastings ratio with the wrong sign",
        "exact start, one step",
        multiplicative(-1),
        multiplicative(1),
        kernel(gamma31()),
        2000,
    ),
    Mutant("M05", "support not checked", "exact start, one step", walk(True), walk(False), kernel(gamma31()), 2000),
    Mutant(
        "M08",
        "kinetic energy evaluated at the position",
        "exact start, one step",
        hmc(kinetic_at_position=True),
        hmc(),
        kernel(standard_normal()),
        8000,
    ),
    Mutant(
        "M10",
        "momentum drawn with the inverse mass",
        "exact start, one step",
        hmc(momentum_scale=0.5),
        hmc(),
        kernel(standard_normal()),
        2000,
    ),
    Mutant(
        "M11",
        "Langevin step without acceptance",
        "exact start, one step",
        langevin("none"),
        langevin("right"),
        kernel(standard_normal()),
        8000,
    ),
    Mutant(
        "M12",
        "Langevin: forward and backward proposal swapped",
        "exact start, one step",
        langevin("swapped"),
        langevin("right"),
        kernel(log_gamma()),
        2000,
    ),
    Mutant(
        "M15",
        "Gibbs block uses a stale copy of the other",
        "enumerated matrix, all atoms",
        gibbs(True),
        gibbs(False),
        kernel(correlated()),
        2000,
    ),
    Mutant(
        "M18",
        "single-site step without the size correction",
        "enumerated matrix, all atoms",
        single_site(False),
        single_site(True),
        kernel(branching()),
        2000,
    ),
    Mutant(
        "M21", "reversible jump omits |J|", "exact start, one jump", jump(False), jump(True), kernel(dimensions()), 2000
    ),
    Mutant(
        "M22",
        "stale potential after the discrete update",
        "exact start, 5 sweeps",
        within_gibbs(True),
        within_gibbs(False),
        kernel(switching()),
        5000,
    ),
    Mutant(
        "M23",
        "adaptation that never stops",
        "exact start, 60 steps",
        Adaptive(True),
        Adaptive(False),
        kernel(two_scales(), steps=60),
        4000,
    ),
    Mutant(
        "M24",
        "swap ratio of replicas with the wrong sign",
        "exact start, one swap",
        exchange(-1),
        exchange(1),
        kernel(replicas()),
        2000,
    ),
]
