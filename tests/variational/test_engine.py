"""Estimators of objectives: the problems with exact answers, each strategy, and broken estimators that must fail."""

import json
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ppl.compiler.diagnostics.diagnostic import ModelError
from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.estimate import choices
from ppl.compiler.emit.estimate.axes import Labelled
from ppl.compiler.emit.estimate.strategies import Sampled
from ppl.reference import objective as reference_objective
from ppl.reference import objective_gradient
from tests.ground_truth.table import FOLDER
from tests.variational.engine import ELBO, HMM, KEY, NO_MODEL, agrees, estimates, made, of_arguments

SLOW = partial(pytest.param, marks=pytest.mark.slow)
PROBLEMS = json.loads((FOLDER / "problems.json").read_text())["problems"]


def truth(name):
    text = (FOLDER / "models" / f"{name}.ppl").read_text()
    (problem,) = (p for p in PROBLEMS if p["name"] == name)
    return text, {q["name"]: q["value"] for q in problem["queries"]}


# --- the problems with exact answers ----------------------------------------------------------------------------------

# Strategies of the guide's first draw (of the objective's, where there is no guide); the discrete ones by enumeration
# are exact to 1e-10.
WAYS = {
    "vi_bernoulli": ("enum", "reinforce", "mvd"),
    "vi_gaussian": ("reparam", SLOW("reinforce"), SLOW("mvd")),
    "vi_mixed_guide": ("enum", "mvd", SLOW("reinforce")),
    "adev_discontinuity": ("mvd", SLOW("reinforce")),
}


def test_every_variational_problem_is_estimated_in_two_ways():
    assert WAYS.keys() == {p["name"] for p in PROBLEMS if p["category"] == "vi_gradient"}
    assert all(len(ways) >= 2 for ways in WAYS.values())


@pytest.mark.parametrize("via", WAYS["vi_bernoulli"])
def test_a_guide_of_a_coin(via):
    text, exact = truth("vi_bernoulli")
    program = made(text, guide="flip", via=None if via == "enum" else {"z": via})
    assert [(s.site, s.strategy) for s in program.strategies] == [("z", via)]
    value, gradient = estimates(program, 2 if via == "enum" else 2000)
    if via == "enum":
        assert program.strategies[0].claim == "exact"
        np.testing.assert_allclose(value, exact["ELBO"], atol=1e-10)
        np.testing.assert_allclose(gradient["phi"], exact["dELBO/dphi"], atol=1e-10)
    else:
        assert agrees(value, exact["ELBO"]) and agrees(gradient["phi"], exact["dELBO/dphi"])


def test_the_score_function_has_the_mean_and_the_variance_that_it_should():
    """Exactly: the two values of the draw, with their probabilities."""
    text, exact = truth("vi_bernoulli")
    program = made(text, guide="flip", via={"z": "reinforce"})
    _, gradient = estimates(program, 64)
    found, count = np.unique(np.round(np.asarray(gradient["phi"]), 12), return_counts=True)
    assert len(found) == 2 and count.min() > 5
    p = jax.nn.sigmoid(0.3)
    weights = np.array([p, 1 - p])  # z = 1 has the smaller gradient
    mean = weights @ found
    assert mean == pytest.approx(exact["REINFORCE mean"], abs=1e-10)
    assert weights @ (found - mean) ** 2 == pytest.approx(exact["REINFORCE variance"], abs=1e-9)


@pytest.mark.parametrize("via", WAYS["vi_gaussian"])
def test_a_gaussian_guide(via):
    text, exact = truth("vi_gaussian")
    value, gradient = estimates(made(text, guide="normal", via={"x": via}), 40_000)
    assert agrees(value, exact["ELBO"])
    assert agrees(gradient["mu"], exact["dELBO/dmu"])
    assert agrees(gradient["ls"], exact["dELBO/dls"])


@pytest.mark.parametrize("via", WAYS["vi_mixed_guide"])
def test_a_guide_of_both_kinds(via):
    text, exact = truth("vi_mixed_guide")
    value, gradient = estimates(made(text, guide="mixed", via={"z": via}), 40_000)
    assert agrees(value, exact["ELBO"])
    assert agrees(jnp.stack([gradient[n] for n in ("a", "m1", "m0")], 1), exact["grad (a,m1,m0)"])


@pytest.mark.parametrize("via", WAYS["adev_discontinuity"])
def test_a_discontinuity(via):
    """The compiler chooses the measure-valued derivative: a pathwise one would be 0."""
    text, exact = truth("adev_discontinuity")
    program = made(NO_MODEL + text, name="loss", arguments={"mu": 0.2}, via=None if via == "mvd" else {"x": via})
    assert program.strategies[0].strategy == via
    value, gradient = of_arguments(program, 40_000)
    assert agrees(value, exact["L"])
    assert agrees(gradient["mu"], exact["dL/dmu"])


def test_a_pathwise_derivative_of_a_discontinuity_is_refused():
    text = truth("adev_discontinuity")[0].replace("Normal(mu, 1)", "Normal(mu, 1) via reparam")
    with pytest.raises(ModelError, match="E507"):
        made(NO_MODEL + text, name="loss", arguments={"mu": 0.2})


# --- broken estimators ------------------------------------------------------------------------------------------------


def bernoulli_is_right():
    text, exact = truth("vi_bernoulli")
    value, gradient = estimates(made(text, guide="flip", via={"z": "reinforce"}), 2000)
    return agrees(value, exact["ELBO"]) and agrees(gradient["phi"], exact["dELBO/dphi"])


def test_the_score_function_passes_and_its_mutants_fail(monkeypatch):
    assert bernoulli_is_right()
    right = choices.Scored._score

    def wrong_sign(self, cost):
        return right(self, replace(cost, value=-cost.value))

    def not_stopped(self, cost):
        return Labelled(cost.value * self.log_density.value)

    def own_baseline(self, cost):
        return right(self, replace(cost, value=cost.value / 2))

    def frozen(self, cost):
        part = right(self, cost)
        return replace(part, value=jax.lax.stop_gradient(part.value))

    for mutant in (wrong_sign, not_stopped, own_baseline, frozen):
        with monkeypatch.context() as patched:
            patched.setattr(choices.Scored, "_score", mutant)
            assert not bernoulli_is_right(), mutant.__name__


def test_a_strategy_of_ones_own():
    """Straight-through, in a few lines. ∂/∂p of E (x + 1)³ is 8 − 1; it gives 3 E (x + 1)² instead, and says so."""

    class Through(Sampled):
        name, claim = "through", "biased"

        def sample(self, dist, key):
            mean = jnp.exp(dist.log_prob(1))
            return jax.lax.stop_gradient(dist.sample(key) - mean) + mean

    text = NO_MODEL + (
        "objective cube(p: prob) -> real {\n  return expect {\n    x ~ Categorical([1 - p, p])\n"
        "    return (x + 1.0) ^ 3\n  }\n}\n"
    )
    exact = made(text, name="cube", arguments={"p": 0.3})
    np.testing.assert_allclose(of_arguments(exact, 1)[1]["p"], 7.0, atol=1e-10)
    for strategy in (Through(), "straight_through"):
        biased = made(text, name="cube", arguments={"p": 0.3}, via={"x": strategy})
        assert biased.strategies[0].claim == "biased"
        assert agrees(of_arguments(biased, 4000)[1]["p"], 3 * (0.7 + 0.3 * 4))


# --- plates, sequences, nests -----------------------------------------------------------------------------------------

PLATE = """
model main[J](y: real[J]) {
  z ~ Bernoulli(0.3)
  plate j in J {
    c[j] ~ Bernoulli(if z then 0.3 else 0.7)
    observe y[j] ~ Normal(if c[j] then 1 else 0, 1)
  }
}
guide q[J](y: real[J]) for main {
  param a: real = 0.4
  param b: real[J] = zeros(J)
  z ~ Bernoulli(sigmoid(a))
  plate j in J {
    c[j] ~ Bernoulli(sigmoid(b[j] + (if z then 0.5 else -0.5)))
  }
}
"""
Y = [0.5, 1.0, -0.3]
PLATE_PARAMS = {"a": 0.4, "b": np.zeros(3)}


def test_independent_draws_in_a_plate_are_enumerated_one_by_one():
    """Value by the reference interpreter's sum over all combinations, gradient by central differences of it."""
    from ppl.api.module import parse

    program = made(PLATE + ELBO, guide="q", data={"y": Y})
    value, gradient = estimates(program, 2)
    reference = parse(PLATE + ELBO).program
    more = {"model": "main", "guide": "q", "data": {"y": Y}}
    exact = reference_objective(reference, "elbo", params=PLATE_PARAMS, **more)
    np.testing.assert_allclose(value, exact, atol=1e-10)
    by_a = objective_gradient(reference, "elbo", ["a"], PLATE_PARAMS, **more)
    np.testing.assert_allclose(gradient["a"], np.full(2, by_a[0]), atol=1e-8)


@pytest.mark.parametrize(
    "via",
    [
        {"c": "reinforce", "z": "mvd"},
        SLOW({"c": "reinforce"}),
        SLOW({"z": "reinforce"}),
        SLOW({"c": "mvd", "z": "mvd"}),
    ],
)
def test_mixed_strategies_in_a_plate_agree_with_enumeration(via):
    exact = estimates(made(PLATE + ELBO, guide="q", data={"y": Y}), 1)
    value, gradient = estimates(made(PLATE + ELBO, guide="q", data={"y": Y}, via=via), 20_000)
    assert agrees(value, exact[0][0])
    assert agrees(gradient["a"], exact[1]["a"][0]) and agrees(gradient["b"], exact[1]["b"][0])


def test_an_element_of_a_plate_is_charged_with_its_own_cost():
    """So the variance of its gradient does not grow with the number of the others."""

    def variance(n):
        program = made(PLATE + ELBO, guide="q", data={"y": [0.5] * n}, via={"c": "reinforce"})
        return float(np.var(np.asarray(estimates(program, 4000)[1]["b"][:, 0])))

    assert variance(24) == pytest.approx(variance(3), rel=0.3)  # sd of the ratio about 0.04


def test_what_mixes_the_elements_of_a_plate_can_not_be_enumerated():
    text = NO_MODEL + (
        "objective count[N](p: prob[N]) -> real {\n  return expect {\n"
        "    plate i in N { z[i] ~ Bernoulli(p[i]) via enum }\n"
        "    return exp(sum([if z[i] then 1.0 else 0.0 for i in N]))\n"
        "  }\n}\n"
    )
    with pytest.raises(EmissionError, match="every combination") as error:
        made(text, name="count", arguments={"p": np.array([0.2, 0.6]), "N": 2})
    assert "via reinforce" in error.value.helps[0]
    program = made(text.replace(" via enum", ""), name="count", arguments={"p": np.array([0.2, 0.6]), "N": 2})
    assert program.strategies[0].strategy == "reinforce"
    value, gradient = of_arguments(program, 20_000)
    e = np.e - 1
    assert agrees(value, (1 + 0.2 * e) * (1 + 0.6 * e))
    assert agrees(gradient["p"], [e * (1 + 0.6 * e), e * (1 + 0.2 * e)])


def test_a_term_that_depends_on_too_many_draws_is_refused_or_sampled():
    draws = "".join(f"    z{i} ~ Bernoulli(p) VIA\n" for i in range(12))
    total = " + ".join(f"(if z{i} then 1 else 0)" for i in range(12))
    body = f"  return expect {{\n{draws}    return exp(({total}) / 12.0)\n  }}\n"
    text = f"{NO_MODEL}objective o(p: prob) -> real {{\n{body}}}\n"
    with pytest.raises(EmissionError, match="enumerated draws at once"):
        made(text.replace("VIA", "via enum"), name="o", arguments={"p": 0.3})
    program = made(text.replace("VIA", ""), name="o", arguments={"p": 0.3})
    assert {s.strategy for s in program.strategies} == {"enum", "reinforce"}
    exact = (1 + 0.3 * (np.exp(1 / 12) - 1)) ** 12
    assert agrees(of_arguments(program, 500)[0], exact)


CHAIN = HMM.replace(" FIRST", "").replace(" VIA", "")
SERIES = [0.5, -1.0, 2.0, 0.3]


def test_a_chain_in_a_loop_is_enumerated_by_backward_recursion():
    from ppl.api.module import parse

    value, gradient = estimates(made(CHAIN + ELBO, guide="q", data={"y": SERIES}), 2)
    reference, params = parse(CHAIN + ELBO).program, {"a": 0.5, "b": 0.7}
    more = {"model": "main", "guide": "q", "data": {"y": SERIES}}
    np.testing.assert_allclose(value, reference_objective(reference, "elbo", params=params, **more), atol=1e-10)
    exact = objective_gradient(reference, "elbo", ["a", "b"], params, **more)
    np.testing.assert_allclose([gradient["a"][0], gradient["b"][0]], exact, atol=1e-8)


def test_a_draw_in_a_loop_is_not_frozen():
    """Score function in a scan, against the exact gradient."""
    exact = estimates(made(CHAIN + ELBO, guide="q", data={"y": SERIES}), 1)
    value, gradient = estimates(made(CHAIN + ELBO, guide="q", data={"y": SERIES}, via={"z": "reinforce"}), 40_000)
    assert agrees(value, exact[0][0])
    assert agrees(gradient["a"], exact[1]["a"][0]) and agrees(gradient["b"], exact[1]["b"][0])


IWELBO = """
objective iwelbo[Z: trace](p: Target<Z>, q: Guide<Z>, K: size) -> real {
  return expect {
    plate k in K {
      (z[k], lq[k]) ~ sim(q)
      lp[k] ~ density(p, z[k])
    }
    return logsumexp(lp - lq) - log(K)
  }
}
"""


def test_an_importance_weighted_bound_by_the_score_function():
    """K = 2 of vi_bernoulli, by the sum over the four pairs."""

    def exact(phi):
        w = jnp.log(jnp.array([0.5 * 0.2, 0.5 * 0.9])) - jax.nn.log_sigmoid(jnp.array([-phi, phi]))
        q = jnp.array([jax.nn.sigmoid(-phi), jax.nn.sigmoid(phi)])
        return sum(q[i] * q[j] * jnp.logaddexp(w[i], w[j]) for i in (0, 1) for j in (0, 1)) - jnp.log(2.0)

    text = truth("vi_bernoulli")[0] + IWELBO
    program = made(text, guide="flip", name="iwelbo", arguments={"K": 2})
    assert program.strategies[0].strategy == "reinforce"  # enumerating K draws jointly is 2^K
    value, gradient = estimates(program, 40_000)
    assert agrees(value, exact(0.3)) and agrees(gradient["phi"], jax.grad(exact)(0.3))


def test_the_elements_of_an_array_are_charged_one_by_one():
    """``x: real[N] ~ Normal(m, 1) via reinforce``: the variance of one element's gradient does not grow with N."""
    text = (
        "model main[N](y: real[N]) {\n  x: real[N] ~ Normal(0, 1)\n  observe y ~ Normal(x, 1)\n}\n"
        "guide q[N](y: real[N]) for main {\n  param m: real[N] = zeros(N)\n"
        "  x: real[N] ~ Normal(m, 1) via reinforce\n}\n"
    )
    few, many = (estimates(made(text + ELBO, guide="q", data={"y": [0.5] * n}), 4000)[1]["m"][:, 0] for n in (2, 20))
    assert agrees(few, 0.5) and agrees(many, 0.5)
    assert np.var(np.asarray(many)) == pytest.approx(np.var(np.asarray(few)), rel=0.3)


def test_a_sum_from_outside_of_a_plate_is_counted_in_each_iteration():
    """E mean_k (log w_k + log q(z₀)) is the ELBO and minus the entropy of the guide."""
    text = truth("vi_bernoulli")[0] + (
        "objective shifted[Z: trace](p: Target<Z>, q: Guide<Z>, K: size) -> real {\n  return expect {\n"
        "    (z0, lq0) ~ sim(q)\n    plate k in K {\n      (z[k], lq[k]) ~ sim(q)\n"
        "      lp[k] ~ density(p, z[k])\n    }\n    return mean([lp[k] - lq[k] + lq0 for k in K])\n  }\n}\n"
    )
    value, gradient = estimates(made(text, guide="flip", name="shifted", arguments={"K": 3}), 1)

    def exact(phi):
        p = jax.nn.sigmoid(phi)
        entropy = -(p * jnp.log(p) + (1 - p) * jnp.log(1 - p))
        return p * jnp.log(0.45) + (1 - p) * jnp.log(0.1) + entropy - entropy

    np.testing.assert_allclose(value[0], exact(0.3), atol=1e-10)
    np.testing.assert_allclose(gradient["phi"][0], jax.grad(exact)(0.3), atol=1e-10)


# --- baselines --------------------------------------------------------------------------------------------------------


def test_baselines_keep_the_mean_and_change_the_variance():
    text, exact = truth("vi_bernoulli")
    text = text.replace("z ~ Bernoulli(sigmoid(phi))", "z ~ Bernoulli(sigmoid(phi)) via reinforce(baseline = -0.85)")
    gradient = estimates(made(text, guide="flip"), 4000)[1]["phi"]
    assert agrees(gradient, exact["dELBO/dphi"])
    assert np.var(np.asarray(gradient)) < 0.5 * exact["REINFORCE variance"]


def test_leave_one_out():
    text, exact = truth("vi_bernoulli")
    one, others = (
        estimates(made(text, guide="flip", via={"z": "reinforce"}, samples=8, leave_one_out=loo), 4000)[1]["phi"]
        for loo in (False, True)
    )
    assert agrees(one, exact["dELBO/dphi"]) and agrees(others, exact["dELBO/dphi"])
    assert np.var(np.asarray(others)) < 0.6 * np.var(np.asarray(one))


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("guide", "code"),
    [
        ("x ~ Normal(0, 1)\n  g ~ Normal(1, 1)", "E504"),  # outside of the support of the model
        ("x ~ Normal(0, 1)\n  g ~ Gamma(1, 1)\n  extra ~ Normal(0, 1)", "E502"),
        ("g ~ Gamma(1, 1)", "E501"),
        ("param t: pos = 1\n  x ~ Uniform(0, t) via reinforce\n  g ~ Gamma(1, 1)", "E508"),
        ("x ~ Bernoulli(0.5) via reparam\n  g ~ Gamma(1, 1)", "E506"),
    ],
)
def test_unsound_guides_are_compile_errors(guide, code):
    model = "model main() {\n  x ~ Normal(0, 1)\n  g ~ Gamma(2, 1)\n  observe 1.0 ~ Normal(x, g)\n}\n"
    with pytest.raises(ModelError) as error:
        made(f"{model}guide q() for main {{\n  {guide}\n}}\n{ELBO}", guide="q")
    assert code in {d.code for d in error.value.diagnostics.errors}


def test_a_function_of_an_estimate_is_refused():
    text = truth("vi_gaussian")[0] + (
        "objective squared[Z: trace](p: Target<Z>, q: Guide<Z>) -> real {\n  let e = expect {\n    (z, lq) ~ sim(q)\n"
        "    return density(p, z) - lq\n  }\n  return e * e\n}\n"
    )
    with pytest.raises(EmissionError, match="not linear"):
        made(text, guide="normal", name="squared")


# --- parameters -------------------------------------------------------------------------------------------------------


def test_parameters_of_the_model_and_their_spaces():
    """Maximum likelihood of y ~ Normal(w x, s) by gradients, and s > 0."""
    text = (
        "model main(x: real, y: real) {\n  param w: real = 0.5\n  param s: pos = 2\n  u ~ Normal(0, 1)\n"
        "  observe y ~ Normal(w * x + u, s)\n}\n"
        "guide q(x: real, y: real) for main {\n  param w: real = 0.1\n  u ~ Normal(w, 1)\n}\n" + ELBO
    )
    program = made(text, guide="q", data={"x": 2.0, "y": 3.0})
    params = program.initial(KEY)
    found = program.constrain(params)
    assert {n: float(v) for n, v in found.items()} == {"w": 0.5, "s": pytest.approx(2.0), "guide.w": pytest.approx(0.1)}
    value = jax.jit(jax.vmap(jax.grad(program.surrogate), (None, 0)))(params, jax.random.split(KEY, 4000))
    assert agrees(value["model"]["w"], 2.0 * (3.0 - 1.0 - 0.1) / 4.0)


def test_a_draw_of_the_guide():
    text, _ = truth("vi_mixed_guide")
    program = made(text, guide="mixed")
    draws = jax.vmap(program.sample, (None, 0))(program.initial(KEY), jax.random.split(KEY, 4000))
    assert set(draws) == {"z", "x"}
    assert agrees(draws["z"], jax.nn.sigmoid(-0.4))
    assert agrees(draws["x"], jax.nn.sigmoid(-0.4) * -1.5 + jax.nn.sigmoid(0.4) * 1.0)


def test_a_learned_baseline_finds_the_mean_cost_and_moves_nothing_else():
    """b is fitted to E w, w the log weight; the gradient by phi stays unbiased."""
    text, exact = truth("vi_bernoulli")
    text = text.replace("param phi: real = 0.3", "param phi: real = 0.3\n  param b: real = -0.5").replace(
        "z ~ Bernoulli(sigmoid(phi))", "z ~ Bernoulli(sigmoid(phi)) via reinforce(baseline = b)"
    )
    value, gradient = estimates(made(text, guide="flip"), 4000)
    assert agrees(value, exact["ELBO"]) and agrees(gradient["phi"], exact["dELBO/dphi"])
    assert agrees(gradient["b"], exact["ELBO"] + 0.5)
    in_a_plate = PLATE.replace("param a", "param r: real[J] = zeros(J)\n  param a").replace(
        "(if z then 0.5 else -0.5)))", "(if z then 0.5 else -0.5))) via reinforce(baseline = r[j])"
    )
    found = estimates(made(in_a_plate + ELBO, guide="q", data={"y": Y}), 10)[1]["r"]
    assert np.all(np.asarray(found) != 0)
    shared = text.replace("Bernoulli(sigmoid(phi))", "Bernoulli(sigmoid(phi + 0 * b))")
    assert np.allclose(estimates(made(shared, guide="flip"), 10)[1]["b"], 0.0)  # b moves the guide too: not fitted
