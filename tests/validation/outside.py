"""Broken parts as a user would write them, in JAX alone and without a name of ours in them; with their sound versions.

Each entry: title → (part, sound part, what else ``ppl.validate`` is given)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from jax import random

from ppl.inference.representations import Particles, TracedValue, WeightedValue
from ppl.inference.validation.chains import ExactTarget
from ppl.inference.validation.checks.weighted import KnownMeasure
from ppl.inference.validation.reference_models import correlated_normal, gamma31, standard_normal


def inverted(u, log_weights):
    return jnp.clip(jnp.searchsorted(jnp.cumsum(jax.nn.softmax(log_weights)), u), 0, log_weights.shape[0] - 1)


def multinomial(key, log_weights, n):
    return random.choice(key, log_weights.shape[0], (n,), p=jax.nn.softmax(log_weights))


def stratified(key, log_weights, n):
    return inverted((jnp.arange(n) + random.uniform(key, (n,))) / n, log_weights)


def systematic(key, log_weights, n):
    return inverted((jnp.arange(n) + random.uniform(key)) / n, log_weights)


SCHEMES = {
    "systematic: offset 1/2": (lambda k, w, n: inverted((jnp.arange(n) + 0.5) / n, w), systematic, {}),
    "stratified: one stratum too many": (
        lambda k, w, n: inverted((jnp.arange(n) + random.uniform(k, (n,))) / (n + 1), w),
        stratified,
        {},
    ),
    "multinomial: the first particle is always kept": (
        lambda k, w, n: multinomial(k, w, n).at[0].set(0),
        multinomial,
        {},
    ),
    "multinomial: one draw for all slots": (lambda k, w, n: jnp.repeat(multinomial(k, w, 1), n), multinomial, {}),
}


def walk(correction):
    """x' = x e^ε on Gamma(3, 1): the proposals' ratio is x'/x."""

    def step(key, x, log_density):
        draw, choose = random.split(key)
        y = x * jnp.exp(0.6 * random.normal(draw))
        ratio = log_density(y) - log_density(x) + correction * (jnp.log(y) - jnp.log(x))
        return jnp.where(jnp.log(random.uniform(choose)) < ratio, y, x)

    return step


def metropolis(one_key):
    def step(key, x, log_density):
        draw, choose = (key, key) if one_key else random.split(key)
        y = x + random.normal(draw)
        return jnp.where(jnp.log(random.uniform(choose)) < log_density(y) - log_density(x), y, x)

    return step


def remembering(stale):
    """A kernel that keeps log densities: stale, it keeps the proposal's where the proposal is rejected."""

    def step(key, state, log_density):
        draw, choose = random.split(key)
        y = state.trace + random.normal(draw)
        new = log_density(y)
        accepted = jnp.log(random.uniform(choose)) < new - state.log_density
        kept = new if stale else jnp.where(accepted, new, state.log_density)
        return TracedValue(jnp.where(accepted, y, state.trace), kept)

    return step


def gibbs(sd):
    """Both blocks of N₂ with correlation 0.8 and variances 1 and 4."""

    def step(key, x, log_density):
        first, second = random.split(key)
        a = 0.4 * x[1] + 0.6 * random.normal(first)
        return jnp.stack([a, 1.6 * a + sd * random.normal(second)])

    return step


def tries(naive):
    """Multiple-try Metropolis with four proposals."""

    def step(key, x, log_density):
        propose, pick, back, choose = random.split(key, 4)
        ys = x + random.normal(propose, (4,))
        log_weights = jax.vmap(log_density)(ys)
        y = ys[random.categorical(pick, log_weights)]
        reference = (y + random.normal(back, (4,))).at[0].set(x)
        ratio = jax.nn.logsumexp(log_weights) - jax.nn.logsumexp(jax.vmap(log_density)(reference))
        ratio = log_density(y) - log_density(x) if naive else ratio
        return jnp.where(jnp.log(random.uniform(choose)) < ratio, y, x)

    return step


def tempered(exponent):
    """The target raised to a power: what is left when a kernel forgets a factor, here half of the density."""

    def step(key, x, log_density):
        draw, choose = random.split(key)
        y = x + random.normal(draw)
        return jnp.where(jnp.log(random.uniform(choose)) < exponent * (log_density(y) - log_density(x)), y, x)

    return step


QUARTIC = ExactTarget(
    "exp(-x^4/4)",
    lambda k: random.rademacher(random.fold_in(k, 1), ()) * (4 * random.gamma(k, 0.25)) ** 0.25,
    lambda x: -(x**4) / 4,
)


def leapfrog(first):
    def step(key, x, log_density):
        draw, choose = random.split(key)
        gradient, p0 = jax.grad(log_density), random.normal(draw)
        p, q = p0, x
        for _ in range(3):
            p = p + first * 0.6 * gradient(q)
            q = q + 0.6 * p
            p = p + 0.3 * gradient(q)
        ratio = log_density(q) - p**2 / 2 - log_density(x) + p0**2 / 2
        return jnp.where(jnp.log(random.uniform(choose)) < ratio, q, x)

    return step


KERNELS = {
    "no correction": (walk(0), walk(1), {"against": gamma31()}),
    "correction counted twice": (walk(2), walk(1), {"against": gamma31()}),
    "one key for the proposal and the coin": (metropolis(True), metropolis(False), {"against": standard_normal()}),
    "log density of the rejected kept": (remembering(True), remembering(False), {"against": standard_normal()}),
    "conditional variance for its root": (gibbs(0.72), gibbs(1.2), {"against": correlated_normal()}),
    "multiple tries, plain ratio": (tries(True), tries(False), {"against": standard_normal()}),
    "half of the density forgotten": (tempered(0.5), tempered(1), {"against": standard_normal()}),
    "leapfrog begins with a whole step": (leapfrog(1.0), leapfrog(0.5), {"against": QUARTIC}),
}


class Law:
    """Draws from one distribution, with the density of another."""

    def __init__(self, sampler, log_prob):
        self.sample, self.log_prob = sampler.sample, log_prob
        self.support = sampler.support


SHAPE = jnp.array([1.0, 2.0, 0.5])
CHOICES = jnp.array([0.2, 0.3, 0.5])
CORRELATED = dist.MultivariateNormal(jnp.zeros(2), covariance_matrix=jnp.array([[1.0, 0.5], [0.5, 2.0]]))
DISTRIBUTIONS = {
    "half normal without log 2": (
        Law(dist.HalfNormal(1.0), dist.Normal(0.0, 1.0).log_prob), dist.HalfNormal(1.0), {}
    ),
    "log normal without its Jacobian": (
        Law(dist.LogNormal(0.0, 1.0), lambda x: jax.scipy.stats.norm.logpdf(jnp.log(x))), dist.LogNormal(0.0, 1.0), {}
    ),
    "rate for scale": (Law(dist.Gamma(2.0, 3.0), dist.Gamma(2.0, 1 / 3.0).log_prob), dist.Gamma(2.0, 3.0), {}),
    "degrees of freedom off by one": (Law(dist.StudentT(3.0), dist.StudentT(4.0).log_prob), dist.StudentT(3.0), {}),
    "draws clipped to the support": (
        Law(dist.Uniform(-0.2, 1.0), dist.Uniform(0.0, 1.0).log_prob), dist.Uniform(0.0, 1.0), {}
    ),
    "Poisson without the factorial": (
        Law(dist.Poisson(3.5), lambda x: x * jnp.log(3.5) - 3.5), dist.Poisson(3.5), {}
    ),
    "categorical off by one": (
        Law(dist.Categorical(CHOICES), lambda x: jnp.log(CHOICES)[(x + 1) % 3]), dist.Categorical(CHOICES), {}
    ),
    "Dirichlet without its constant": (
        Law(dist.Dirichlet(SHAPE), lambda x: jnp.sum((SHAPE - 1) * jnp.log(x))), dist.Dirichlet(SHAPE), {}
    ),
    "covariance for its factor": (
        Law(
            dist.MultivariateNormal(jnp.zeros(2), scale_tril=jnp.array([[1.0, 0.0], [0.5, 2.0]])), CORRELATED.log_prob
        ),
        CORRELATED,
        {},
    ),
    "multinomial without its coefficient": (
        Law(dist.Multinomial(5, CHOICES), lambda x: jnp.sum(x * jnp.log(CHOICES))), dist.Multinomial(5, CHOICES), {}
    ),
}  # fmt: skip

LOGIT = jnp.array(0.3)


def cost(z):
    return (z - 0.45) ** 2


def log_q(z, logit):
    return jnp.where(z == 1, jax.nn.log_sigmoid(logit), jax.nn.log_sigmoid(-logit))


def mean_cost(logit):
    return jax.nn.sigmoid(logit) * cost(1.0) + jax.nn.sigmoid(-logit) * cost(0.0)


def scores(key, logit, n=4):
    z = (random.uniform(key, (n,)) < jax.nn.sigmoid(logit)).astype(float)
    return z, jax.vmap(jax.grad(log_q, argnums=1), (0, None))(z, logit)


def leave_one_out(others):
    """Four draws; the mutant's baseline is the mean of all of them, its own included."""

    def estimate(key, logit):
        z, score = scores(key, logit)
        costs = cost(z)
        baseline = (jnp.sum(costs) - costs) / 3 if others else jnp.mean(costs)
        return jnp.mean((costs - baseline) * score)

    return estimate


def score_function(factor):
    return lambda key, logit: factor * jnp.mean(cost(scores(key, logit)[0]) * scores(key, logit)[1])


def straight_through(key, logit):
    p = jax.nn.sigmoid

    def value(t):
        return cost((random.uniform(key) < p(t)).astype(float) + p(t) - jax.lax.stop_gradient(p(t)))

    return jax.grad(value)(logit)


def measure_valued(sign):
    """d/dm E[x³], x ~ N(m, s): two Rayleigh variables, here one, on both sides of m."""

    def estimate(key, m):
        r = jnp.sqrt(-2 * jnp.log(random.uniform(key)))
        return ((m + 0.5 * r) ** 3 - sign * (m - 0.5 * r) ** 3) / (0.5 * jnp.sqrt(2 * jnp.pi))

    return estimate


def reparameterised(detached):
    """d/ds E[x³], x = m + s ε."""

    def estimate(key, s):
        held = jax.lax.stop_gradient if detached else (lambda v: v)
        return jax.grad(lambda v: (0.3 + held(v) * random.normal(key)) ** 3 + 0.1 * v)(s)

    return estimate


COIN = {"kind": "gradient", "parameters": LOGIT, "exact": jax.grad(mean_cost)(LOGIT)}
GRADIENTS = {
    "a baseline of its own draw": (leave_one_out(False), leave_one_out(True), COIN),
    "twice the score": (score_function(2.0), score_function(1.0), COIN),
    "straight through": (straight_through, score_function(1.0), COIN),
    "wrong sign of the negative part": (
        measure_valued(-1.0),
        measure_valued(1.0),
        {"kind": "gradient", "parameters": jnp.array(0.3), "exact": 3 * 0.09 + 3 * 0.25},
    ),
    "a scale that is held fixed": (
        reparameterised(True),
        reparameterised(False),
        {"kind": "gradient", "parameters": jnp.array(0.5), "exact": 6 * 0.3 * 0.5 + 0.1},
    ),
}


def resampled(mode):
    def act(key, particles):
        n = particles.log_weights.shape[0]
        index = random.categorical(key, particles.log_weights, shape=(n,))
        mean = jax.nn.logsumexp(particles.log_weights) - jnp.log(n)
        total = {
            "drops the normaliser": mean,
            "drops the mean": particles.log_normaliser,
            "divides by n - 1": particles.log_normaliser + mean + jnp.log(n / (n - 1)),
            "adds weights as they are": particles.log_normaliser + jnp.mean(jnp.exp(particles.log_weights)),
        }.get(mode, particles.log_normaliser + mean)
        weights = particles.log_weights[index] if mode == "keeps the weights" else jnp.zeros(n)
        values = particles.values if mode == "keeps the values" else particles.values[index]
        return Particles(values, weights, total)

    return act


def roulette(compensated):
    """Each particle is killed with probability 1/2."""

    def act(key, particles):
        kept = random.bernoulli(key, 0.5, particles.log_weights.shape)
        gain = jnp.log(2.0) if compensated else 0.0
        return particles._replace(log_weights=jnp.where(kept, particles.log_weights + gain, -jnp.inf))

    return act


TRANSFORMATIONS = {
    f"resampling that {mode}": (resampled(mode), resampled(""), {"kind": "transformation"})
    for mode in (
        "drops the normaliser",
        "drops the mean",
        "divides by n - 1",
        "adds weights as they are",
        "keeps the weights",
        "keeps the values",
    )
} | {"roulette without compensation": (roulette(False), roulette(True), {"kind": "transformation"})}

TILTED = KnownMeasure(
    "N(0, 1) tilted by e^{x/2}", 0.125, lambda x: (x <= jnp.array([-0.5, 0.5, 1.5])).astype(float),
    jax.scipy.stats.norm.cdf(jnp.array([-0.5, 0.5, 1.5]), 0.5),
)  # fmt: skip


def proposed(mode):
    """N(0, 2) as the proposal for N(0, 1) with weight e^{x/2}."""

    def draw(key):
        x = 2 * random.normal(key)
        log_q = jax.scipy.stats.norm.logpdf(x, 0, 4 if mode == "variance" else 2)
        log_p = jax.scipy.stats.norm.logpdf(x) + x / 2
        return WeightedValue(x, log_q - log_p if mode == "inverted" else log_p - (0 if mode == "omitted" else log_q))

    return draw


ESTIMATORS = {
    "the proposal's density omitted": (proposed("omitted"), proposed(""), {"against": TILTED}),
    "the variance for the proposal's scale": (proposed("variance"), proposed(""), {"against": TILTED}),
    "weights inverted, without a variance": (proposed("inverted"), proposed(""), {"against": TILTED}),
}

KINDS = {
    "scheme": SCHEMES,
    "kernel": KERNELS,
    "distribution": DISTRIBUTIONS,
    None: GRADIENTS | TRANSFORMATIONS | ESTIMATORS,
}
PARTS = {
    title: (broken, sound, ({"kind": kind} if kind else {}) | given)
    for kind, parts in KINDS.items()
    for title, (broken, sound, given) in parts.items()
}
