"""Objectives of program texts, for the tests of estimators."""

import jax
import jax.numpy as jnp
import numpy as np

from ppl.api.module import parse
from ppl.compiler.emit.bind import bind
from ppl.compiler.emit.estimate import objective
from ppl.compiler.emit.estimate.strategies import STRATEGIES
from ppl.compiler.passes.query import Query, prepare
from ppl.runtime.data import load

# FIRST and VIA stand for gradient strategies of the first draw and of those in the loop
HMM = """
model main[T](y: real[T]) {
  z[0] ~ Bernoulli(0.5)
  for t in 1..T { z[t] ~ Bernoulli(if z[t-1] then 0.8 else 0.3) }
  plate t in T { observe y[t] ~ Normal(if z[t] then 1 else -1, 1) }
}
guide q[T](y: real[T]) for main {
  param a: real = 0.5
  param b: real = 0.7
  z[0] ~ Bernoulli(sigmoid(a)) FIRST
  for t in 1..T { z[t] ~ Bernoulli(sigmoid(a * y[t] + (if z[t-1] then b else -b))) VIA }
}
"""
ELBO = """
objective elbo[Z: trace](p: Target<Z>, q: Guide<Z>) -> real {
  return expect {
    (z, lq) ~ sim(q)
    return density(p, z) - lq
  }
}
"""
NO_MODEL = "model main() {\n  q ~ Normal(0, 1)\n}\n"
KEY = jax.random.key(1)


def made(text, *, model="main", guide=None, name="elbo", data=None, arguments=None, via=None, **options):
    """The objective ``name`` of a text; ``via`` names strategies by site."""
    module = parse(text)
    bound = module.model(model).with_raws(load([data or {}])).bound
    plan = prepare(module.program, Query(model, frozenset(bound.data)))
    target = bind(plan.program, plan.model.name, bound.args, bound.sizes, bound.data, {}, frozenset(), bound.missing)
    return objective(
        target,
        module.program.model(name),
        module.program.model(guide) if guide is not None else None,
        arguments or {},
        program=module.program,
        strategies={site: STRATEGIES[s] if isinstance(s, str) else s for site, s in (via or {}).items()},
        **options,
    )


def estimates(program, n, seed=1, params=None):
    """Values (n,) and gradients {name: (n, …)} by the guide's parameters."""
    params = program.initial(KEY) if params is None else params
    both = jax.jit(jax.vmap(jax.value_and_grad(program.surrogate), (None, 0)))
    values, gradients = both(params, jax.random.split(jax.random.key(seed), n))
    return values, gradients["guide"]


def of_arguments(program, n, seed=1):
    """Values (n,) and gradients by the objective's own real arguments."""
    import equinox as eqx

    def value(arguments, key):
        return eqx.tree_at(lambda p: p.arguments, program, arguments).surrogate({"model": {}}, key)

    arguments = jax.tree.map(lambda a: jnp.asarray(a, float), program.arguments)
    return jax.jit(jax.vmap(jax.value_and_grad(value), (None, 0)))(arguments, jax.random.split(jax.random.key(seed), n))


def lines(program):
    """Lines of StableHLO of value and gradient."""
    params = jax.eval_shape(program.initial, KEY)
    return len(jax.jit(jax.value_and_grad(program.surrogate)).lower(params, KEY).as_text().splitlines())


def agrees(samples, exact, z=4.5):
    """Whether the mean is within z standard errors (a false alarm in 150 000 for normal errors, at z = 4.5)."""
    samples = np.asarray(samples, float)
    se = samples.std(0) / np.sqrt(len(samples))
    return bool(np.all(np.abs(samples.mean(0) - np.asarray(exact)) <= z * se + 1e-10))
