"""``sim(q)`` gives a trace with the log density that ``density(q, z)`` has there, whatever the guide and its
strategies."""

import jax
import pytest

import ppl
from ppl.api.compile import variational_target
from ppl.compiler.emit.estimate.program import objective

OBJECTIVE = """
objective gap[Z: trace](p: Target<Z>, q: Guide<Z>) -> real {
  return expect {
    (z, lq) ~ sim(q)
    let ld = density(q, z)
    return GAP
  }
}
"""

GUIDES = {
    "scalars": ("a ~ Normal(0, 1)\n b ~ Gamma(2, 1)",
                "param m: real = 0.5\n a ~ Normal(m, 2) via reparam\n b ~ LogNormal(m, 1)"),
    "a plate": ("plate i in 3 { a[i] ~ Normal(0, 1) }",
                "param m: real[3] = zeros(3)\n plate i in 3 { a[i] ~ Normal(m[i], 1) via reinforce }"),
    "a vector": ("a: real[3] ~ Normal(0, 1)", "param m: real[3] = zeros(3)\n a: real[3] ~ Normal(m, 1) via reparam"),
    "enumerated": ("plate i in 3 { a[i] ~ Bernoulli(0.5) }",
                   "param p: prob[3] = full(3, 0.3)\n plate i in 3 { a[i] ~ Bernoulli(p[i]) via enum }"),
    "scored": ("plate i in 3 { a[i] ~ Bernoulli(0.5) }",
               "param p: prob[3] = full(3, 0.3)\n plate i in 3 { a[i] ~ Bernoulli(p[i]) via reinforce }"),
    "dependent": ("k ~ Bernoulli(0.5)\n x ~ Normal(0, 3)",
                  "param p: prob = 0.3\n k ~ Bernoulli(p) via enum\n x ~ Normal(if k then 2 else -1, 1) via reparam"),
    "measure valued": ("k ~ Poisson(2)\n x ~ Normal(0, 3)",
                       "param r: pos = 1.5\n k ~ Poisson(r) via mvd\n x ~ Normal(k, 1) via reparam"),
    "a chain": ("z[0] ~ Normal(0, 1)\n for t in 1..4 { z[t] ~ Normal(z[t - 1], 1) }",
                "param m: real = 0\n z[0] ~ Normal(m, 1) via reparam\n"
                " for t in 1..4 { z[t] ~ Normal(0.5 * z[t - 1] + m, 1) via reparam }"),
    "a scored chain": ("z[0] ~ Bernoulli(0.5)\n for t in 1..4 { z[t] ~ Bernoulli(0.5) }",
                       "param p: prob = 0.4\n z[0] ~ Bernoulli(p) via reinforce\n"
                       " for t in 1..4 { z[t] ~ Bernoulli(if z[t - 1] then p else 0.2) via reinforce }"),
    "an enumerated chain": ("z[0] ~ Bernoulli(0.5)\n for t in 1..4 { z[t] ~ Bernoulli(0.5) }",
                            "param p: prob = 0.4\n z[0] ~ Bernoulli(p) via enum\n"
                            " for t in 1..4 { z[t] ~ Bernoulli(if z[t - 1] then p else 0.2) via enum }"),
}  # fmt: skip


@pytest.mark.parametrize("name", GUIDES)
def test_the_density_of_a_draw(name):
    model, guide = GUIDES[name]
    # a square of a sum over a plate would need every combination of what is enumerated in it
    gap = "lq - ld" if "enumerated" in name else "(lq - ld) * (lq - ld)"
    text = f"model m() {{\n {model}\n}}\nguide q() for m {{\n {guide}\n}}\n{OBJECTIVE.replace('GAP', gap)}"
    program = ppl.parse(text)
    q = program.program.model("q")
    with ppl.environment():
        target = variational_target(program.m(), q).target
        made = objective(target, program.program.model("gap"), q, {}, program=program.program)
        key = jax.random.key(0)
        assert float(made.surrogate(made.initial(key), key)) == pytest.approx(0.0, abs=1e-20)
