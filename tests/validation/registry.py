"""Every part that its package exports, with what makes one to validate. A part without an entry, or without a claim,
fails the build: ``unaccounted`` names it (``test_registry.py``)."""

from __future__ import annotations

from pathlib import Path

import jax
import jax.numpy as jnp

from ppl.compiler.ir.distributions import DISTRIBUTIONS as DECLARED
from ppl.compiler.passes.schedule import PASSES
from ppl.core.distributions import DISTRIBUTIONS
from ppl.inference import kernels, representations, resampling, transformations
from ppl.inference.claims import Claim
from ppl.inference.kernels import (
    FunctionKernel,
    conjugate,
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
from ppl.inference.kernels.conjugate import FAMILIES
from ppl.inference.kernels.pseudo_marginal import Estimated
from ppl.inference.methods import registry as methods
from ppl.inference.representations import (
    Enumerated,
    Particles,
    Population,
    Representation,
    Sampled,
    TracedValue,
    Weighted,
    WeightedValue,
    suspend,
)
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
from ppl.inference.validation.checks.weighted import KnownMeasure
from ppl.inference.validation.reference_models import (
    correlated_normal,
    gamma31,
    hmm2,
    last_state,
    standard_normal,
    weighted_values,
)


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


def normal_gamma():
    """A precision e^u, u ~ log Gamma(3, 1), of a normal location: both full conditionals are of a standard family."""

    def sample(key):
        u = jax.random.loggamma(key, 3.0)
        return {"u": u, "m": jnp.exp(-u / 2) * jax.random.normal(jax.random.fold_in(key, 1))}

    return ExactTarget("normal gamma", sample, lambda t: 3.5 * t["u"] - jnp.exp(t["u"]) * (1 + t["m"] ** 2 / 2))


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
    "conjugate": lambda: (conjugate({"m": FAMILIES[0], "u": FAMILIES[1]}, {"m": (), "u": ()}), normal_gamma()),
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


BELOW = KnownMeasure(
    "N(0, 1)",
    0.0,
    lambda x: (x <= jnp.array([-1.0, 0.5])).astype(float),
    jax.scipy.stats.norm.cdf(jnp.array([-1.0, 0.5])),
)
TILTED = BELOW._replace(
    name="N(0, 1) with weight exp(x/2)",
    log_evidence=0.125,
    expected=jax.scipy.stats.norm.cdf(jnp.array([-1.0, 0.5]), 0.5),
)


def four():
    values, log_weights, log_normaliser, measure = weighted_values()
    return values, log_weights, jnp.asarray(log_normaliser), measure


def tilted(key):
    x = jax.random.normal(key)
    return WeightedValue(x, x / 2)


# name → (a representation, its measure): ⟦r⟧ f by its realisations
REPRESENTATIONS = {
    "Enumerated": lambda: (
        Enumerated(four()[0], four()[1] + four()[2] - jnp.log(4.0)),
        four()[3],
    ),
    "Population": lambda: (Population(lambda key: Particles(*four()[:3])), four()[3]),
    "Sampled": lambda: (Sampled(lambda key: jax.random.normal(key)), BELOW),
    "Sequential": lambda: (transformations.finish(suspend(hmm2(2))), last_state(hmm2(2))),
    "Weighted": lambda: (Weighted(tilted), TILTED),
}
# what is no measure by itself: `Traced` is the measure of its density, which every kernel here is tested to keep
NO_REPRESENTATIONS = {
    "Particles", "Representation", "Segment", "Suspended", "Traced", "TracedValue", "WeightedValue", "suspend",
}  # fmt: skip


def families(kind):
    """Every class of ours below ``kind``, wherever it lives."""
    for sub in kind.__subclasses__():
        yield from families(sub)
        if sub.__module__.startswith("ppl.") and not sub.__abstractmethods__:
            yield sub


def tests_of_core():
    """The text of the tests of distributions: a name that stands nowhere in it is not tested."""
    return "".join(p.read_text() for p in (Path(__file__).parents[1] / "core").glob("*.py"))


def used(parts):
    """The classes of which the registered transformations are made, their parts included."""
    return {type(p).__name__ for part in parts for p in (part, *getattr(part, "parts", ()))} | MADE_INSIDE


# made by functions that are registered, or bound to a program: `finish` and `refresh` have tests of their own
MADE_INSIDE = {"Finish", "_FinishAfter", "AdaptedWalk", "Refresh", "FunctionTransformation"}


def unaccounted():
    """Names of parts without a claim, or without an entry in what the tests go through."""
    named = {
        "kernel": set(kernels.__all__) ^ (set(KERNELS) | NO_KERNELS),
        "transformation": set(transformations.__all__) ^ (set(TRANSFORMATIONS) | NO_TRANSFORMATIONS),
        "representation": set(representations.__all__) ^ (set(REPRESENTATIONS) | NO_REPRESENTATIONS),
        "representation class": {c.__name__ for c in families(Representation)}
        - set(representations.__all__)
        - {"Applied"},
        "resampling scheme": set(resampling.SCHEMES) ^ (set(resampling.__all__) - {"SCHEMES", "Scheme"}),
        "distribution": set(DECLARED) ^ set(DISTRIBUTIONS) | {n for n in DECLARED if f'"{n}"' not in tests_of_core()},
        "method": {n for n in methods.names() if not isinstance(getattr(methods.lookup(n), "claim", None), Claim)},
        "claim of the transformation": {n for n, t in TRANSFORMATIONS.items() if not isinstance(t.claim, Claim)},
        "transformation class": {
            c.__name__ for c in families(Transformation) if c.__name__ not in used(TRANSFORMATIONS.values())
        },
        "pass": {p.name for p in PASSES if not p.doc},
    }
    return {f"{kind} `{name}`" for kind, names in named.items() for name in names}
