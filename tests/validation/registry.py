"""Every part that its package exports, with what makes one to validate. A part without an entry fails the build
(``test_registry.py``)."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ppl.inference.kernels import (
    FunctionKernel,
    cycle,
    elliptical_slice,
    gibbs,
    hmc,
    independence,
    involutive,
    mala,
    metropolis_hastings,
    mix,
    nuts,
    on,
    pseudo_marginal,
    random_walk,
    repeated,
    seq,
    single_site,
    slice_sampler,
)
from ppl.inference.kernels.pseudo_marginal import Estimated
from ppl.inference.representations import TracedValue, Weighted, WeightedValue
from ppl.inference.transformations import (
    Transformation,
    advance,
    advancing,
    collapse,
    compose,
    hoist,
    hoist_trace,
    identity,
    mh,
    nested,
    normalise,
    refresh,
    repeat,
    resample,
    spawn,
    twist,
    watch,
    weigh,
)
from ppl.inference.validation.chains import ExactTarget
from ppl.inference.validation.reference_models import correlated_normal, gamma31, standard_normal


def normal_logpdf(x):
    return jax.scipy.stats.norm.logpdf(x)


def log_walk(key, x):
    new = x * jnp.exp(0.5 * jax.random.normal(key))
    return new, jnp.log(new) - jnp.log(x)


def flipped():
    """h(z, u) = (u, z): a draw of N(0, 4) exchanged for the state."""
    return involutive(
        lambda key, z: 2 * jax.random.normal(key), lambda z, u: normal_logpdf(u / 2) - jnp.log(2.0), lambda z, u: (u, z)
    )


def pair():
    """A dict of two normal sites."""
    return ExactTarget(
        "two sites",
        lambda k: {"a": jax.random.normal(k), "b": jax.random.normal(jax.random.fold_in(k, 1))},
        lambda t: normal_logpdf(t["a"]) + normal_logpdf(t["b"]),
    )


def coins():
    """Two dependent coins as one array site."""
    logits = jnp.log(jnp.array([[0.4, 0.1], [0.2, 0.3]]))

    def sample(key):
        i = jax.random.categorical(key, logits.ravel())
        return {"z": jnp.stack([i // 2, i % 2])}

    return ExactTarget("two coins", sample, lambda t: logits[t["z"][0], t["z"][1]])


def estimate(theta):
    """An estimate of N(1; θ, 1): with noise of mean one."""

    def draw(key):
        u = jax.random.uniform(key)
        return WeightedValue(u, jax.scipy.stats.norm.logpdf(1.0, theta) + jnp.log(2 * u))

    return Weighted(draw)


def marginal():
    return pseudo_marginal(estimate, normal_logpdf, lambda k, t: (t + jax.random.normal(k), jnp.zeros(())))


def extended():
    """θ | y = 1 is N(1/2, 1/2); u of density 2u."""

    def sample(key):
        a, b = jax.random.split(key)
        theta, u = 0.5 + jnp.sqrt(0.5) * jax.random.normal(a), jnp.sqrt(jax.random.uniform(b))
        log_density = normal_logpdf(theta) + jax.scipy.stats.norm.logpdf(1.0, theta) + jnp.log(2 * u)
        return TracedValue(Estimated(theta, u), log_density)

    return ExactTarget("theta with its estimate", sample)


def by_hand(key, state, log_density):
    return random_walk(0.7).step(key, state, log_density)


# name in ``ppl.inference.kernels`` → (kernel, target); None: no kernel is made by that name
KERNELS = {
    "FunctionKernel": lambda: (FunctionKernel(by_hand), standard_normal()),
    "cycle": lambda: (cycle(random_walk(0.5), random_walk(2.0)), standard_normal()),
    "elliptical_slice": lambda: (
        elliptical_slice(lambda key: 2 * jax.random.normal(key), lambda x: normal_logpdf(x / 2) - jnp.log(2.0), 0.0),
        standard_normal(),
    ),
    "gibbs": lambda: (gibbs({"z": jnp.arange(2)}), coins()),
    "hmc": lambda: (hmc(0.5, 3), correlated_normal()),
    "independence": lambda: (
        independence(lambda key: 2 * jax.random.normal(key), lambda x: normal_logpdf(x / 2)),
        standard_normal(),
    ),
    "involutive": lambda: (flipped(), standard_normal()),
    "mala": lambda: (mala(0.5), correlated_normal()),
    "metropolis_hastings": lambda: (metropolis_hastings(log_walk), gamma31()),
    "mix": lambda: (mix(random_walk(0.5), slice_sampler()), standard_normal()),
    "nuts": lambda: (nuts(0.5, max_depth=3), correlated_normal()),
    "on": lambda: (on("b", random_walk(1.0)), pair()),
    "pseudo_marginal": lambda: (marginal(), extended()),
    "random_walk": lambda: (random_walk(1.5), correlated_normal()),
    "repeated": lambda: (repeated(random_walk(1.0), 3), standard_normal()),
    "seq": lambda: (seq(random_walk(0.5), random_walk(2.0)), standard_normal()),
    "single_site": lambda: (single_site(1.5), correlated_normal()),
    "slice_sampler": lambda: (slice_sampler(2.0), correlated_normal()),
}
NO_KERNELS = {"Kernel", "KernelInfo", "select", "start"}

WALK = mh(random_walk(1.0))
TRANSFORMATIONS: dict[str, Transformation] = {
    "advance": advance,
    "advancing": advancing(True),
    "collapse": collapse,
    "compose": compose(resample(ess=1.1), collapse),
    "hoist": hoist(resample(ess=0.9)),
    "hoist_trace": hoist_trace(WALK),
    "identity": identity,
    "mh": WALK,
    "nested": nested(collapse @ spawn(3)),
    "normalise": normalise,
    "repeat": repeat(advance @ hoist(resample(ess=0.9))),
    "resample": resample(ess=1.1),
    "spawn": spawn(3),
    "twist": twist(lambda state, step: 0.7 * state + 0.1 * step),
    "watch": watch(lambda realised: {"step": realised.step}),
    "weigh": weigh,
}
# refresh belongs to one program, finish is part of every suspended test, extend is a function of one step
NO_TRANSFORMATIONS = {"adapted_walk", "Applied", "Transformation", "extend", "finish", "refresh"}


def refreshing():
    """``refresh`` as a kernel on weighted values, started from the weighted law exactly: x ~ N(1/2, 1) with weight
    e^{x/2}."""

    def draw(key):
        x = jax.random.normal(key)
        return WeightedValue(x, 0.5 * x)

    step = refresh(Weighted(draw))

    def sample(key):
        x = 0.5 + jax.random.normal(key)
        return WeightedValue(x, 0.5 * x)

    target = ExactTarget("N(1/2, 1)", sample, read=lambda s: s.value)
    return (lambda key, state: step.act(key, state, None)[0]), target
