"""Broken sequential Monte Carlo, S01 to S21: whole filters as functions (key, target, n) → Particles, sweeps of
conditional SMC, a change of target, and a pseudo-marginal chain."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.stats import norm

from ppl.core.control import each
from ppl.core.random import categorical
from ppl.inference.algorithms.conditional import conditional_smc
from ppl.inference.kernels.metropolis import decide
from ppl.inference.representations import Particles, TracedValue
from ppl.inference.representations.population import effective_sample_size, log_mean_exp
from ppl.inference.resampling import multinomial, systematic
from ppl.inference.resampling.scheme import cumulative_weights
from ppl.inference.trajectories import trace_back
from ppl.inference.validation.chains import ExactTarget
from ppl.inference.validation.checks.weighted import KnownMeasure
from tests.validation.mutants.base import Mutant, refutes


def smc(scheme=multinomial, ess=1.1, bug=""):
    """Bootstrap filter with resampling below ``ess`` · n, written out; ``bug`` names the line that is broken."""

    def run(key, target, n):
        begin, key = jax.random.split(key)
        values, log_weights = each(begin, n, target.start)
        log_normaliser = jnp.zeros(())
        for t in range(target.length):
            key, choose, draw = jax.random.split(key, 3)
            triggered = effective_sample_size(log_weights) < ess * n if ess <= 1 else jnp.asarray(True)
            mean = jnp.mean(log_weights) if bug == "S11" else log_mean_exp(log_weights)
            index = scheme(choose, log_weights, n)
            if bug == "S04":
                index = (index + 1) % n
            index = jnp.where(triggered, index, jnp.arange(n))
            values = jax.tree.map(lambda a, i=index: a[i], values)
            after = {"S01": log_weights, "S12": jnp.full(n, mean)}.get(bug, jnp.zeros(n))
            log_weights = jnp.where(triggered, after, log_weights)
            if bug != "S02":
                log_normaliser = log_normaliser + jnp.where(triggered, mean, 0.0)
            values, _, increments = each(draw, n, lambda k, s, t=t: target.advance(k, s, t), values)
            if bug == "S03":  # the increments enter by their plain mean, the weights that were kept do not
                log_normaliser = log_normaliser + log_mean_exp(increments)
                old = log_weights - log_mean_exp(log_weights)
                log_weights = old + increments - log_mean_exp(old + increments)
            else:
                log_weights = log_weights + (2 if bug == "S10" and t == 0 else 1) * increments
        if bug == "S11":
            return Particles(values, jnp.zeros(n), log_normaliser + jnp.mean(log_weights))
        if bug == "S13":  # Σ w² f / Σ w²: the weights are applied to an average that had them already
            return Particles(
                values, 2 * log_weights - log_mean_exp(2 * log_weights), log_normaliser + log_mean_exp(log_weights)
            )
        return Particles(values, log_weights, log_normaliser)

    run.__name__ = f"smc {bug}".strip()
    return run


def wide_offset(key, log_weights, n):
    """Systematic resampling whose offset is drawn from [0, 1) where it must lie in [0, 1/n): positions past the end
    go to the last."""
    cumulative = cumulative_weights(log_weights)
    points = jnp.arange(n) / n + jax.random.uniform(key)
    return jnp.minimum(jnp.searchsorted(cumulative, points, side="right"), log_weights.shape[0] - 1)


def change_of_target(omit):
    """x ~ N(0, 1), y = 1.3 ~ N(x, 1), then a change to the same target: the weight is new density over old density."""

    def density(x):
        return norm.logpdf(x) + norm.logpdf(1.3, x)

    def run(key):
        x = jax.random.normal(key, (4,))
        change = density(x) - (0.0 if omit else density(x))
        return Particles(x, norm.logpdf(1.3, x) + change, jnp.zeros(()))

    return run


POINTS = np.array([0.0, 0.65, 1.3])
NO_OP = KnownMeasure(
    "N(0, 1), y = 1.3",
    float(norm.logpdf(1.3, 0.0, np.sqrt(2.0))),
    lambda x: (x <= POINTS).astype(float),
    np.asarray(norm.cdf(POINTS, 0.65, np.sqrt(0.5))),
)


def sweep(bug=""):
    """Conditional SMC with the reference in slot 0."""
    if not bug:
        return lambda key, target, n, path: conditional_smc(key, target, n, path, False)[0]

    def run(key, target, n, reference):
        begin, key = jax.random.split(key)
        states, log_weights = each(begin, n, target.start)
        records, ancestors = [], []
        for t in range(target.length):
            key, choose, draw = jax.random.split(key, 3)
            index = multinomial(choose, log_weights, n)
            if bug != "S19":
                index = index.at[0].set(0)
            states = jax.tree.map(lambda a, i=index: a[i], states)
            moved, record, log_weights = each(draw, n, lambda k, s, t=t: target.advance(k, s, t), states)
            if bug != "S18":
                first, increment = target.replay(states[0], reference[t], t)
                moved, record = moved.at[0].set(first), record.at[0].set(reference[t])
                log_weights = log_weights.at[0].set(increment)
            states = moved
            records.append(record)
            ancestors.append(index)
        key, pick = jax.random.split(key)
        return trace_back(jnp.stack(records), jnp.stack(ancestors), categorical(pick, log_weights))

    return run


# θ in {0, 1} fair, x ~ flip(0.5), p(y | θ, x): the likelihood is estimated with one draw of x, so Ẑ takes two values
# for each θ.
LIKELIHOOD = jnp.array([[0.1, 0.9], [0.5, 0.7]])


def estimated():
    """The extended target of (θ, x): ∝ p(θ) q(x) Ẑ(θ, x)."""
    flat = jnp.log(LIKELIHOOD.ravel())

    def sample(key):
        index = categorical(key, flat)
        return TracedValue({"theta": index // 2, "x": index % 2}, flat[index])

    return ExactTarget("theta with its estimate, N = 1", sample, read=lambda s: s.trace["theta"])


def pmmh(fresh):
    def step(key, state):
        flip, draw, again, choose = jax.random.split(key, 4)

        def estimate(k, theta):
            x = jax.random.bernoulli(k).astype(int)
            return TracedValue({"theta": theta, "x": x}, jnp.log(LIKELIHOOD[theta, x]))

        new = estimate(draw, jnp.where(jax.random.bernoulli(flip), 1 - state.trace["theta"], state.trace["theta"]))
        old = estimate(again, state.trace["theta"]) if fresh else state
        return decide(choose, old, new, jnp.zeros(()))[0]

    return step


SMC, SWEEP = refutes("smc"), refutes("sweep")
SHORT = smc()

MUTANTS = [
    Mutant("S01", "weights not reset after resampling", "E Ẑ f = Z π(f), paths", smc(bug="S01"), SHORT, SMC, 2000),
    Mutant(
        "S02",
        "increment dropped where ESS triggers",
        "E Ẑ f = Z π(f), paths",
        smc(ess=0.9, bug="S02"),
        smc(ess=0.9),
        SMC,
        2000,
    ),
    Mutant(
        "S03",
        "increments averaged with uniform weights without resampling",
        "E Ẑ f = Z π(f), paths",
        smc(ess=0.5, bug="S03"),
        smc(ess=0.5),
        SMC,
        2000,
    ),
    Mutant("S04", "off-by-one ancestor", "E Ẑ f = Z π(f), paths", smc(bug="S04"), SHORT, SMC, 2000),
    Mutant(
        "S07",
        "systematic: offset from [0, 1)",
        "offspring, E Ẑ f = Z π(f)",
        wide_offset,
        systematic,
        refutes("scheme"),
        2000,
    ),
    Mutant("S10", "first datum weighted twice", "E Ẑ f = Z π(f), paths", smc(bug="S10"), SHORT, SMC, 2000),
    Mutant("S11", "evidence uses the mean of log weights", "E Ẑ f = Z π(f), paths", smc(bug="S11"), SHORT, SMC, 2000),
    Mutant(
        "S12",
        "weights reset to the mean and mean in the evidence",
        "E Ẑ f = Z π(f), paths",
        smc(bug="S12"),
        SHORT,
        SMC,
        2000,
    ),
    Mutant("S13", "final weights applied twice", "E Ẑ f = Z π(f), paths", smc(bug="S13"), SHORT, SMC, 2000),
    Mutant(
        "S17",
        "change of target omits the old density",
        "E Ẑ = Z after a no-op",
        change_of_target(True),
        change_of_target(False),
        refutes("estimator", NO_OP),
        2000,
    ),
    Mutant(
        "S18", "conditional SMC: reference not retained", "exact start, one sweep", sweep("S18"), sweep(), SWEEP, 2000
    ),
    Mutant(
        "S19",
        "conditional SMC: reference ancestor resampled",
        "exact start, one sweep",
        sweep("S19"),
        sweep(),
        SWEEP,
        4000,
    ),
    Mutant(
        "S21",
        "PMMH estimates the current likelihood anew",
        "exact start on (theta, Z), 8 steps",
        pmmh(True),
        pmmh(False),
        refutes("kernel", estimated(), steps=8),
        4000,
    ),
]
