"""Strategies in branches and nested expectations, implicit sample paths, and paths that are refused.

Means are compared at 4.5 standard errors: a false alarm in 150 000 for each."""

from functools import partial

import jax
import numpy as np
import pytest

from ppl.api.module import parse
from ppl.compiler.emit.errors import EmissionError
from ppl.reference import objective as reference_objective
from ppl.reference import objective_gradient
from tests.variational.engine import ELBO, KEY, NO_MODEL, agrees, estimates, made, of_arguments

SLOW = partial(pytest.param, marks=pytest.mark.slow)

BRANCH = """
model main() {
  z ~ Bernoulli(0.4)
  if z { x ~ Bernoulli(0.7) } else { x ~ Bernoulli(0.2) }
  observe 0.5 ~ Normal(if x then 1 else 0, 1)
}
guide q() for main {
  param a: real = 0.3
  param b: real = -0.4
  z ~ Bernoulli(sigmoid(a)) via FIRST
  if z { x ~ Bernoulli(sigmoid(b)) via THEN } else { x ~ Bernoulli(sigmoid(a - b)) via THEN }
}
"""


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("enum", "enum"),
        ("reinforce", "mvd"),
        *(SLOW(a, b) for a, b in [("mvd", "enum"), ("mvd", "mvd"), ("enum", "reinforce"), ("reinforce", "reinforce")]),
    ],
)
def test_draws_in_branches(first, then):
    """By the reference interpreter's sum over all paths."""
    params = {"a": 0.3, "b": -0.4}
    text = BRANCH.replace("FIRST", first).replace("THEN", then) + ELBO
    reference = parse(text).program
    more = {"params": params, "model": "main", "guide": "q", "data": {}}
    exact = objective_gradient(reference, "elbo", ["a", "b"], **more)
    sampled = (first, then) != ("enum", "enum")
    value, gradient = estimates(made(text, guide="q"), 8000 if sampled else 1)
    found = [gradient["a"], gradient["b"]]
    if sampled:
        assert agrees(value, reference_objective(reference, "elbo", **more))
        assert agrees(found[0], exact[0]) and agrees(found[1], exact[1])
    else:
        np.testing.assert_allclose(value[0], reference_objective(reference, "elbo", **more), atol=1e-10)
        np.testing.assert_allclose(np.ravel(found), exact, atol=1e-8)


NESTED = NO_MODEL + """
objective o(a: prob, b: prob) -> real {
  return expect {
    x ~ Bernoulli(a) via OUTER
    let m = expect {
      y ~ Bernoulli(if x then b else a) via INNER
      return if y then 2.0 else 0.5
    }
    return m * (if x then 3.0 else 1.0)
  }
}
"""


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        ("enum", "enum"),
        ("reinforce", "mvd"),
        *(SLOW(a, b) for a, b in [("mvd", "reinforce"), ("enum", "mvd"), ("reinforce", "reinforce"), ("mvd", "enum")]),
    ],
)
def test_an_expectation_in_an_expectation(outer, inner):
    """E m(x) c(x), where m(x) is itself a mean: linear in m, so that an estimate of m will do."""

    def exact(a, b):
        mean = lambda p: 2 * p + 0.5 * (1 - p)  # noqa: E731
        return a * 3 * mean(b) + (1 - a) * mean(a)

    program = made(NESTED.replace("OUTER", outer).replace("INNER", inner), name="o", arguments={"a": 0.3, "b": 0.6})
    value, gradient = of_arguments(program, 8000)
    by_a, by_b = jax.grad(exact, (0, 1))(0.3, 0.6)
    assert agrees(value, exact(0.3, 0.6)) and agrees(gradient["a"], by_a) and agrees(gradient["b"], by_b)


def test_a_function_of_a_sampled_inner_expectation_is_refused():
    text = NESTED.replace("OUTER", "enum").replace("INNER", "reinforce").replace("return m *", "return exp(m) *")
    with pytest.raises(EmissionError, match="not linear"):
        made(text, name="o", arguments={"a": 0.3, "b": 0.6})


# --- implicit paths ---------------------------------------------------------------------------------------------------

SECOND_MOMENTS = {
    "Gamma": ("Gamma(a, 2)", "x * x", lambda a: a * (a + 1) / 4),
    "Beta": ("Beta(a, 2)", "x * x", lambda a: a * (a + 1) / ((a + 2) * (a + 3))),
    "Dirichlet": ("Dirichlet([a, 1.0, 2.0])", "x[0] * x[0]", lambda a: a * (a + 1) / ((a + 3) * (a + 4))),
    "mixture": (
        "mixture([0.3, 0.7], [Normal(a, 1), Normal(-a, 0.5)])",
        "x * x * x",
        lambda a: 0.3 * (a**3 + 3 * a) - 0.7 * (a**3 + 0.75 * a),
    ),
}


@pytest.mark.parametrize("family", ["Gamma", SLOW("Beta"), SLOW("Dirichlet"), "mixture"])
def test_implicit_paths(family):
    """Moments in closed form."""
    dist, cost, exact = SECOND_MOMENTS[family]
    body = f"    x ~ {dist} via reparam\n    return {cost}\n"
    text = f"{NO_MODEL}objective o(a: pos) -> real {{\n  return expect {{\n{body}  }}\n}}\n"
    value, gradient = of_arguments(made(text, name="o", arguments={"a": 1.3}), 8000)
    assert agrees(value, exact(1.3)) and agrees(gradient["a"], jax.grad(exact)(1.3))


# --- a path that is none ----------------------------------------------------------------------------------------------

WITHOUT_PATH = {
    "z ~ Bernoulli(0.5)|z ~ Bernoulli(sigmoid(a))|if z then 1.0 else 0.0": "it is discrete",
    "z ~ Normal(0, 1)|z ~ Normal(a, 1)|if z > 0.5 then 1.0 else 0.0": "a comparison",
    "z ~ ZeroInflated(0.2, Poisson(1))|z ~ ZeroInflated(sigmoid(a), Poisson(1))|z": "it is discrete",
}


@pytest.mark.parametrize("case", WITHOUT_PATH)
def test_reparam_from_python_is_refused_where_via_would_be(case):
    prior, guide, cost = case.split("|")
    text = (
        f"model main() {{\n  {prior}\n  observe 1.0 ~ Normal({cost}, 1)\n}}\n"
        f"guide q() for main {{\n  param a: real = 0.3\n  {guide}\n}}\n"
    )
    with pytest.raises(EmissionError, match="can't use `reparam`") as error:
        made(text + ELBO, guide="q", via={"z": "reparam"})
    assert WITHOUT_PATH[case] in str(error.value) and error.value.helps


@pytest.mark.parametrize("strategy", ["straight_through", "gumbel_softmax"])
def test_relaxed_draws_say_that_they_are_biased(strategy):
    coin = NO_MODEL + (
        "objective o(a: prob) -> real {\n  return expect {\n    x ~ Categorical([1 - a, a])\n"
        "    return (x + 1.0) ^ 2\n  }\n}\n"
    )
    (found,) = made(coin, name="o", arguments={"a": 0.3}, via={"x": strategy}).strategies
    assert (found.strategy, found.claim) == (strategy, "biased")


def test_gradient_ascent_makes_a_learned_baseline_a_moving_average():
    """The gradient by b of each estimate is f − b: a step of length r gives (1 − r) b + r f."""
    text = BRANCH.replace("via FIRST", "via reinforce(baseline = c)").replace(" via THEN", " via enum")
    program = made(text.replace("param a", "param c: real = 0\n  param a") + ELBO, guide="q")
    params = program.initial(KEY)
    moved = {**params, "guide": {**params["guide"], "c": params["guide"]["c"] + 0.75}}
    before, after = (estimates(program, 20, params=p)[1]["c"] for p in (params, moved))
    assert np.ptp(np.asarray(before)) > 0.1
    np.testing.assert_allclose(after, before - 0.75, atol=1e-12)


def test_a_baseline_that_is_written_takes_the_place_of_leave_one_out():
    """So what is learned is the mean cost, and not that of centred costs, which is 0."""
    text = BRANCH.replace("via FIRST", "via reinforce(baseline = c)").replace(" via THEN", " via enum")
    text = text.replace("param a", "param c: real = 0\n  param a") + ELBO
    program = made(text, guide="q", samples=4, leave_one_out=True)
    assert np.all(np.asarray(estimates(program, 20)[1]["c"]) < -0.5)
