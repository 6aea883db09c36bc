"""Guides with auxiliary variables: exact values by enumeration, bounds that grow with the number of draws."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ppl
from ppl.api.variational import bound
from ppl.compiler.emit.errors import EmissionError
from ppl.inference.methods.parse import parse
from tests.variational.test_objectives import mean_and_error

MODEL = """
model main() {
  z ~ Bernoulli(0.5)
  observe true ~ Bernoulli(if z then 0.9 else 0.2)
}
"""
GUIDE = """
guide q() for main {
  param a: real = 0.4
  param c: real = -0.3
  aux u ~ Bernoulli(sigmoid(a)) VIA
  z ~ Bernoulli(if u then sigmoid(c) else 0.8) VIA
}
"""


def exact(draws, own=True):
    """E log p(z) − log (1/K) Σ q(z | uₖ), z ~ q(z | u₁), as a function of (a, c); not ``own``: u₁ is left out of the
    mean."""
    lp = jnp.log(0.5) + jnp.log(jnp.array([0.2, 0.9]))

    def value(a, c):
        q_u = jnp.array([jax.nn.sigmoid(-a), jax.nn.sigmoid(a)])
        q_z = jnp.array([[0.2, 0.8], [jax.nn.sigmoid(-c), jax.nn.sigmoid(c)]])
        total = 0.0
        for us in itertools.product((0, 1), repeat=draws):
            for z in (0, 1):
                scored = us if own else us[1:]
                mean = sum(q_z[u, z] for u in scored) / len(scored)
                total += jnp.prod(q_u[jnp.array(us)]) * q_z[us[0], z] * (lp[z] - jnp.log(mean))
        return total

    return value


def objective_of(call, via):
    text = MODEL + GUIDE.replace("VIA", via)
    with ppl.environment():
        return bound(ppl.parse(text).model("main"), parse(f"vi(q, objective={call}, particles=1)"))[1].objective


@pytest.mark.parametrize(
    ("call", "draws", "via"),
    [
        ("hvi", 1, ""),
        pytest.param("hvi", 1, "via reinforce", marks=pytest.mark.slow),
        ("iwhvi(2)", 2, "via reinforce"),
        pytest.param("iwhvi(2)", 2, "", marks=pytest.mark.slow),
    ],
)
def test_value_and_gradient_by_enumeration(call, draws, via):
    objective = objective_of(call, via)
    params = objective.initial(jax.random.key(0))
    value = exact(draws)
    truth = [float(value(0.4, -0.3)), *(float(g) for g in jax.grad(value, (0, 1))(0.4, -0.3))]
    found = mean_and_error(objective, params, 40_000)
    for (mean, error), expected in zip(found, truth, strict=True):
        assert abs(mean - expected) < 5 * error + 1e-10  # false-alarm rate 6e-7
    mutant = exact(draws + 1, own=False)(0.4, -0.3)
    assert abs(found[0][0] - mutant) > 5 * found[0][1]


def test_the_bound_grows_to_that_of_the_marginal_guide():
    """x ~ Normal(0, √2) as v + ε with v, ε ~ Normal(0, 1), for the target Normal(0, √2): the exact bound is log Z =
    0."""
    text = """
    model main() { x ~ Normal(0, sqrt(2)) }
    guide q() for main {
      aux v ~ Normal(0, 1)
      x ~ Normal(v, 1)
    }
    """
    values = []
    for call in ("hvi", "iwhvi(10)", "diwhvi(10, 5)"):
        with ppl.environment():
            method = parse(f"vi(q, objective={call}, particles=1)")
            objective = bound(ppl.parse(text).model("main"), method)[1].objective
        params = objective.initial(jax.random.key(0))
        values.append(mean_and_error(objective, params, 20_000)[0])
    (one, one_se), (ten, ten_se), (both, both_se) = values
    assert abs(one + 0.5 * np.log(2)) < 5 * one_se  # E log Normal(x; 0, √2) − log Normal(ε; 0, 1) = −log √2
    assert one + 5 * one_se < ten < 5 * ten_se and ten - 5 * ten_se < both < 5 * both_se


def test_auxiliary_variables_are_no_part_of_the_trace():
    objective = objective_of("hvi", "")
    assert set(objective.sample(objective.initial(jax.random.key(0)), jax.random.key(1))) == {"z"}


def test_the_density_of_such_a_guide_is_refused():
    """Its logarithm would be estimated from above: no bound."""
    with ppl.environment(), pytest.raises(EmissionError, match="errs on the wrong side"):
        objective_of("stl", "via reinforce")


def test_marginal_names_what_it_keeps():
    text = (
        MODEL
        + GUIDE.replace("VIA", "")
        + """
    objective part[Z: trace](p: Target<Z>, q: Guide<Z>) -> real {
      return expect {
        (z, lq) ~ sim(marginal(q, keep = WHAT, by = importance(3)))
        lp ~ density(p, z)
        return lp - lq
      }
    }
    """
    )
    for what, message in (("u", "`keep` must name all variables"), ("z", None)):
        with ppl.environment():
            model = ppl.parse(text.replace("WHAT", what)).model("main")
            if message is None:
                bound(model, parse("vi(q, objective=part)"))
            else:
                with pytest.raises(EmissionError, match=message):
                    bound(model, parse("vi(q, objective=part)"))
