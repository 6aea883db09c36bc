"""Broken compiler passes, C01 to C10: rewrites of the typed IR, refuted by the exact law or density of the program
before."""

from __future__ import annotations

import math
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from ppl.compiler.emit.bind import bind
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.walk import map_blocks, rebuild
from ppl.compiler.passes import enumerate_local
from ppl.compiler.passes.base import replace_model
from ppl.compiler.passes.query import Query, prepare
from ppl.compiler.pipeline import check_text
from ppl.inference.representations.population import log_mean_exp
from ppl.reference import density, enumerate_exact
from tests.passes.models import mixture
from tests.passes.test_mutants import MERGE, drop, two_coins
from tests.validation.mutants.base import Mutant


def program(text):
    return check_text(text).program


SOFT = """model m() {
  rain ~ Bernoulli(0.3)
  if rain { factor log(0.2) }
  sprinkler ~ Bernoulli(if rain then 0.1 else 0.4)
  if sprinkler { factor log(0.1) }
  return rain
}
"""
BRANCHES = """model m() {
  z ~ Bernoulli(0.3)
  if z { observe 1.2 ~ Normal(0, 1) } else {
    observe 1.2 ~ Normal(1, 1)
    observe 0.4 ~ Normal(1, 1)
  }
}
"""
MISSING = """model m[T]() {
  x[0] ~ Normal(0, 1)
  for t in 1..T { x[t] ~ Normal(0.9 * x[t-1], 0.3) }
  plate t in T { data y[t]: real? ~ Normal(x[t], 0.4) }
}
"""


def evidence(broken, n):
    """The evidence of the soft sprinkler, all paths enumerated: log Z = −0.68796."""
    found = enumerate_exact(broken(program(SOFT)), "m").log_evidence
    return not math.isclose(found, -0.6879606538726454, rel_tol=1e-10)


def pmf(broken, n):
    paths = enumerate_exact(broken(two_coins()), "coins")
    return not np.allclose([paths.pmf("return", k) for k in (0, 1, 2)], [0.25, 0.5, 0.25], rtol=1e-12)


def both_branches(p):
    """The statements of the branch not taken stand behind those of the one taken."""

    def visit(block):
        out = []
        for s in block.statements:
            s = map_blocks(s, visit)
            if isinstance(s, ir.If):
                then, other = s.then, s.otherwise
                s = replace(
                    s,
                    then=replace(then, statements=then.statements + other.statements),
                    otherwise=replace(other, statements=other.statements + then.statements),
                )
            out.append(s)
        return replace(block, statements=tuple(out))

    m = p.models[0]
    return replace_model(p, replace(m, body=visit(m.body)))


def branch_evidence(broken, n):
    found = enumerate_exact(broken(program(BRANCHES)), "m").log_evidence
    return not math.isclose(found, -1.9006639306862287, rel_tol=1e-10)


Y = np.array([0.5, np.nan, 0.2, np.nan, 0.4])
X = np.array([0.1, 0.3, -0.2, 0.4, 0.5])


def bound(masked):
    """The compiled series with two absent rows; the mutant fills them with zeros."""
    plan = prepare(program(MISSING), Query("m", frozenset({"y"}), False))
    absent = np.isnan(Y)
    more = {"missing": {"y": absent}} if masked else {}
    return bind(plan.program, "m", {}, {"T": 5}, {"y": np.where(absent, 0.0, Y)}, {}, frozenset(plan.deferred), **more)


def row_density(masked, n):
    with jax.enable_x64(True):
        found = float(bound(masked).log_density({"x": jnp.asarray(X)}))

    def normal(x, mean, sd):
        return -0.5 * ((x - mean) / sd) ** 2 - math.log(sd) - 0.5 * math.log(2 * math.pi)

    exact = normal(X[0], 0, 1) + normal(X[1:], 0.9 * X[:-1], 0.3).sum() + np.nansum(normal(Y, X, 0.4))
    return not math.isclose(found, exact, rel_tol=1e-10)


def summed(change):
    """The mixture with its indicators summed out, the range of the sum rewritten by ``change``."""
    case = mixture()
    found = enumerate_local.enumerate_local(case.model, case.data).model

    def visit(node):
        if isinstance(node, ir.FiniteValues):
            return change(node)
        return node if isinstance(node, ir.Atom) else rebuild(node, visit)

    return replace_model(case.program, visit(found))


def marginal(change, n):
    case = mixture()
    exact = enumerate_exact(case.program, case.name, case.args, case.data).log_evidence
    return not math.isclose(density(summed(change), case.name, case.args, case.data), exact, rel_tol=1e-10)


def underflow(log_evidence, n):
    """μ ~ N(0, 1) and a thousand observations of 3 with sd 1, in single precision: log Z = −926.888, by a grid of μ
    for the prior."""
    grid = np.linspace(2.5, 3.5, 4001)
    log_weights = -0.5 * (1000 * (3 - grid) ** 2 + grid**2) - 1001 * 0.5 * math.log(2 * math.pi) + math.log(1.0)
    found = float(log_evidence(jnp.asarray(log_weights, jnp.float32)))
    return not abs(found + 926.8884150898343) < 0.01


def linear(log_weights):
    return jnp.log(jnp.mean(jnp.exp(log_weights)))


def same(p):
    return p


def dropped(p):
    return drop(ir.Factor).run(p, "m")[0]


MUTANTS = [
    Mutant(
        "C01",
        "two sample statements merged",
        "law of the sum, enumerated",
        lambda p: MERGE.run(p, "coins")[0],
        same,
        pmf,
        0,
    ),
    Mutant("C03", "factor removed as dead code", "Z, enumerated", dropped, same, evidence, 0),
    Mutant("C04", "both branches contribute", "Z, enumerated", both_branches, same, branch_evidence, 0),
    Mutant("C06", "absent rows score as zeros", "density against the closed form", False, True, row_density, 0),
    Mutant(
        "C08",
        "marginal sum over the wrong range",
        "Z against enumeration",
        lambda v: replace(v, count=v.count - 1),
        same,
        marginal,
        0,
    ),
    Mutant("C10", "weights in the linear domain, 32 bits", "log Z = −926.888", linear, log_mean_exp, underflow, 0),
]
