"""The engine's ``density(p, z)`` is the target's log density, for every example and for models of every shape: with a
guide that always gives one trace and log q = 0, the ELBO is log p of it."""

import json
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ppl
from ppl.api.compile import forward_target
from ppl.api.variational import library
from ppl.compiler.emit.estimate.program import objective
from ppl.core.objective import GuideProgram

FOLDER = Path(__file__).parents[2] / "examples"
QUICK = {"eight_schools", "coal_mining", "nile", "galaxies"}
EXAMPLES = [
    pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow])
    for name in sorted(p.parent.name for p in FOLDER.glob("*/model.ppl"))
]


class Point(GuideProgram):
    """Always ``trace``."""

    trace: dict

    def initial(self, key):
        return {}

    def sim(self, params, key):
        return self.trace, jnp.zeros(())

    def log_density(self, params, trace):
        return jnp.zeros(())


def both(applied):
    """log p of a draw from the prior: by the engine, and by the target."""
    with ppl.environment():
        target = forward_target(applied, data=True)
        drawn = jax.jit(lambda t, k: t.simulate(k).trace)(target, jax.random.key(3))
        trace = {v.name: drawn[v.name] for v in target.latents}
        shelf = library()
        made = objective(target, shelf.model("elbo"), Point(trace), {}, program=applied.program, library=shelf)
        key = jax.random.key(0)
        engine = eqx.filter_jit(lambda m: m.surrogate(m.initial(key), key))(made)
        return float(engine), float(jax.jit(lambda t, z: t.log_density(z))(target, trace))


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples(name):
    data = json.loads((FOLDER / name / "data.json").read_text(encoding="utf-8"))
    engine, direct = both(ppl.load(FOLDER / name / "model.ppl").model().given(data))
    assert engine == pytest.approx(direct, rel=1e-10)


MODELS = {
    "two plates": ("model m[N, K]() { plate i in N, k in K { z[i, k] ~ Normal(0, 1); data y[i, k] ~ "
                   "Normal(z[i, k], 1) } }",
                   {"y": np.arange(6.0).reshape(2, 3)}),
    "a plate in a plate": ("model m[N, K]() { plate i in N { a[i] ~ Normal(0, 1)\n"
                           " plate k in K { data y[i, k] ~ Normal(a[i], 1) } } }", {"y": np.ones((3, 2))}),
    "vectors": ("model m[N, D]() { plate i in N { z[i]: real[D] ~ Normal(0, 1)\n"
                " data y[i]: real[D] ~ Normal(z[i], 2) } }", {"y": np.ones((3, 2))}),
    "vectors of counts": ("model m[N, D]() { plate i in N { r[i] ~ Gamma(2, 1)\n"
                          " data y[i]: int[D] ~ Poisson(r[i]) } }", {"y": np.arange(6).reshape(3, 2)}),
    "a whole array": ("model m[N]() { s ~ HalfNormal(1)\n data y: int[N] ~ Poisson(s) }", {"y": np.array([0, 3, 1])}),
    "discrete latents": ("model m[N]() { w ~ Beta(1, 1)\n plate i in N { z[i] ~ Bernoulli(w)\n"
                         " data y[i] ~ Normal(if z[i] then 1 else -1, 1) } }", {"y": np.array([0.3, -2.0])}),
    "discrete vectors": ("model m[N, D]() { plate i in N { z[i]: bool[D] ~ Bernoulli(0.3)\n"
                         " data y[i] ~ Normal(if z[i, 0] then 1 else 0, 1) } }\n", {"y": np.zeros(2), "D": 3}),
    "missing entries": ("model m[N]() { mu ~ Normal(0, 1)\n plate i in N { data y[i]: real? ~ Normal(mu, 1) } }",
                        {"y": [1.0, None, 2.0]}),
    "a chain": ("model m[T]() { z[0] ~ Normal(0, 1)\n for t in 1..T { z[t] ~ Normal(0.9 * z[t - 1], 1) }\n"
                " plate t in T { data y[t] ~ Normal(z[t], 1) } }", {"y": np.arange(4.0)}),
    "a discrete chain": ("model m[T]() { z[0] ~ Categorical([0.4, 0.6])\n"
                         " for t in 1..T { z[t] ~ Categorical(if z[t - 1] == 0 then [0.9, 0.1] else [0.2, 0.8]) }\n"
                         " plate t in T { data y[t] ~ Normal(z[t], 1) } }", {"y": np.arange(4.0)}),
    "a state": ("model m[T]() { a ~ Normal(0, 1)\n var s = a\n"
                " for t in 0..T { s = 0.5 * s + 1; data y[t] ~ Normal(s, 1) } }", {"y": np.arange(4.0)}),
    "factors": ("model m[N](w: real[N]) { x ~ Normal(0, 1)\n plate i in N { factor w[i] * x }\n require x < 100\n"
                " observe w[0] ~ Normal(x, 2) }", {"w": [0.3, -0.2]}),
    "a submodel": ("model part(s: pos) -> real { a ~ Normal(0, s)\n b ~ Normal(a, s)\n return b }\n"
                   "model m[N]() { plate i in N { g[i] ~ part(2)\n data y[i] ~ Normal(g[i], 1) } }", {"y": np.ones(3)}),
    "a branch": ("model m() { k ~ Bernoulli(0.3)\n if k { x ~ Normal(0, 1) } else { x ~ Normal(5, 2) }\n"
                 " data y ~ Normal(x, 1) }", {"y": 1.0}),
    "a matrix": ("model m[N]() { L ~ LKJCholesky(2, 2)\n plate i in N { data y[i]: real[2] ~ MultiNormalChol([0.0, "
                 "0.0], L) } }",
                 {"y": np.ones((3, 2))}),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_models(name):
    text, data = MODELS[name]
    engine, direct = both(ppl.parse(text).m().given(data))
    assert engine == pytest.approx(direct, rel=1e-10)
