"""Measure-valued draws and baselines in ordered loops, against the reference interpreter's sums over all paths.

Means are compared at 4.5 standard errors of 8 000 estimates: a false alarm in 150 000 for each coordinate."""

from functools import partial

import numpy as np
import pytest

from ppl.api.module import parse
from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.estimate import in_order
from ppl.reference import objective as reference_objective
from ppl.reference import objective_gradient
from tests.variational.engine import ELBO, HMM, agrees, estimates, made

SLOW = partial(pytest.param, marks=pytest.mark.slow)

SERIES = [0.5, -1.0, 2.0, 0.3]
AT = {"a": 0.5, "b": 0.7}


def exact(text, params, data, names):
    program = parse(text).program
    more = {"model": "main", "guide": "q", "data": data}
    gradient = objective_gradient(program, "elbo", names, params, **more)
    return reference_objective(program, "elbo", params=params, **more), dict(zip(names, gradient, strict=True))


def is_unbiased(text, params, data, n=8000, **options):
    plain = text.replace("FIRST", "").replace("VIA", "").replace("OTHER", "")
    value, gradient = exact(plain + ELBO, params, data, list(params))
    values, gradients = estimates(made(text + ELBO, guide="q", data=data, **options), n)
    return agrees(values, value) and all(agrees(gradients[name], g) for name, g in gradient.items())


def hmm(via, first=""):
    return HMM.replace("VIA", via).replace("FIRST", first)


def variance(text, name, n, **options):
    program = made(text + ELBO, guide="q", data={"y": SERIES}, **options)
    return np.var(np.asarray(estimates(program, n)[1][name]))


@pytest.fixture
def few_steps(monkeypatch):
    """Loops of more than two steps use two of them."""
    monkeypatch.setattr(in_order, "STEPS", 2)


# --- measure-valued draws ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["via mvd", SLOW("via reinforce"), SLOW("via enum")])
def test_a_measure_valued_loop(first):
    assert is_unbiased(hmm("via mvd", first), AT, {"y": SERIES})


def test_some_steps_stand_for_all(few_steps):
    assert is_unbiased(hmm("via mvd", "via mvd"), AT, {"y": SERIES})


@pytest.mark.slow
def test_a_loop_with_the_wrong_weight_fails(few_steps, monkeypatch):
    right = in_order.Several.perturbed

    def unweighted(self, weights):
        made = right(self, weights)
        scaled = made.weights.value / self.weight
        object.__setattr__(made.weights, "value", scaled)
        return made

    monkeypatch.setattr(in_order.Several, "perturbed", unweighted)
    assert not is_unbiased(hmm("via mvd", "via mvd"), AT, {"y": SERIES})


@pytest.mark.slow
def test_it_has_a_smaller_variance_than_the_score_function():
    by_mvd, by_score = (
        variance(hmm(f"via {s}", f"via {s}"), "a", 2000) for s in ("mvd", "reinforce")
    )
    assert by_mvd < 0.1 * by_score


TWO = """
model main[T](y: real[T]) {
  z[0] ~ Bernoulli(0.5)
  c[0] ~ Bernoulli(0.5)
  for t in 1..T {
    z[t] ~ Bernoulli(if z[t-1] then 0.8 else 0.3)
    c[t] ~ Bernoulli(if z[t] and c[t-1] then 0.7 else 0.4)
  }
  plate t in T { observe y[t] ~ Normal((if z[t] then 1 else -1) + (if c[t] then 0.5 else 0), 1) }
}
guide q[T](y: real[T]) for main {
  param a: real = 0.5
  param b: real = 0.7
  z[0] ~ Bernoulli(sigmoid(a)) FIRST
  c[0] ~ Bernoulli(0.5)
  for t in 1..T {
    z[t] ~ Bernoulli(sigmoid(a * y[t] + (if c[t-1] then b else -b))) VIA
    c[t] ~ Bernoulli(sigmoid(b + (if z[t] then a else -a))) OTHER
  }
}
"""


@pytest.mark.parametrize("via", [SLOW(("mvd", "mvd")), ("mvd", "reinforce"), SLOW(("reinforce", "mvd"))])
def test_two_variables_of_one_loop(via):
    text = TWO.replace("VIA", f"via {via[0]}").replace("OTHER", f"via {via[1]}").replace("FIRST", f"via {via[1]}")
    assert is_unbiased(text, AT, {"y": SERIES[:3]})


def test_what_an_alternative_changes_later_counts():
    """x[t] = x[t-1] + a + noise, and the cost a step function of the last one: no pathwise derivative, and the exact
    one by the normal distribution function."""
    from scipy.stats import norm

    text = (
        "model main() {\n  q ~ Normal(0, 1)\n}\nobjective last(a: real, s: pos, T: size) -> real {\n  return expect {\n"
        "    x[0] ~ Normal(a, s) via mvd\n    for t in 1..T { x[t] ~ Normal(x[t-1] + a, s) via mvd }\n"
        "    return if x[T-1] > 1 then 1.0 else 0.0\n  }\n}\n"
    )
    from tests.variational.engine import of_arguments

    program = made(text, name="last", arguments={"a": 0.2, "s": 1.5, "T": 4})
    value, gradient = of_arguments(program, 20_000)
    z, sd = (4 * 0.2 - 1) / 3.0, 3.0  # x[3] ~ Normal(4 a, 2 s)
    assert agrees(value, norm.cdf(z))
    assert agrees(gradient["a"], norm.pdf(z) * 4 / sd) and agrees(gradient["s"], -norm.pdf(z) * z / 1.5)


@pytest.mark.slow
def test_a_loop_in_a_plate():
    text = """
model main[N](y: real[N]) {
  plate i in N {
    z[i, 0] ~ Bernoulli(0.5)
    for t in 1..3 { z[i, t] ~ Bernoulli(if z[i, t-1] then 0.8 else 0.3) }
    observe y[i] ~ Normal(if z[i, 2] then 1 else -1, 1)
  }
}
guide q[N](y: real[N]) for main {
  param a: real = 0.5
  param b: real = 0.7
  plate i in N {
    z[i, 0] ~ Bernoulli(sigmoid(a)) FIRST
    for t in 1..3 { z[i, t] ~ Bernoulli(sigmoid(a * y[i] + (if z[i, t-1] then b else -b))) VIA }
  }
}
"""
    assert is_unbiased(text.replace("VIA", "via reinforce").replace("FIRST", "via reinforce"), AT, {"y": [0.4, -1.0]})


def test_without_via_a_loop_takes_the_score_function():
    text = (
        "model main() {\n  q ~ Normal(0, 1)\n}\nobjective total(a: pos, T: size) -> real {\n  return expect {\n"
        "    x[0] ~ Poisson(a)\n    for t in 1..T { x[t] ~ Poisson(a + x[t-1]) }\n    return 1.0 * x[T-1]\n  }\n}\n"
    )
    program = made(text, name="total", arguments={"a": 0.5, "T": 3})
    assert [s.strategy for s in program.strategies] == ["mvd", "reinforce"]


# --- baselines --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "baseline", [SLOW("-5.0"), "(if z[t-1] then b else -3.0) + 0.5 * t"]
)
def test_a_baseline_keeps_the_mean(baseline):
    assert is_unbiased(hmm(f"via reinforce(baseline = {baseline})", "via enum"), AT, {"y": SERIES})


@pytest.mark.slow
def test_a_baseline_that_knows_the_cost_lowers_the_variance():
    with_it, without = (
        variance(hmm(via), "b", 4000) for via in ("via reinforce(baseline = -4.5)", "via reinforce")
    )
    assert with_it < 0.7 * without


LEARNED = HMM.replace("param a:", "param r: real[T] = zeros(T)\n  param a:").replace(
    "VIA", "via reinforce(baseline = r[t])"
)


def test_a_learned_baseline_of_each_step_is_fitted_to_the_cost_from_there_on():
    """Its gradient is E f_t − r_t, f_t the cost of t and later: for the last step, the enumerated mean of one term."""
    text = LEARNED.replace("FIRST", "via enum")
    program = made(text + ELBO, guide="q", data={"y": SERIES})
    value, gradient = estimates(program, 8000)
    plain = HMM.replace("VIA", "").replace("FIRST", "")
    reference, by = exact(plain + ELBO, AT, {"y": SERIES}, ["a", "b"])
    assert agrees(value, reference) and all(agrees(gradient[n], by[n]) for n in "ab")
    costs = [later_cost(t) for t in range(1, 4)]
    assert agrees(gradient["r"][:, 1:], np.array(costs))
    assert np.all(np.asarray(gradient["r"][:, 0]) == 0)


def later_cost(start):
    """E Σ_{t ≥ start} log p(z_t | z_{t-1}) + log p(y_t | z_t) − log q(z_t | z_{t-1}), forwards in time."""
    sigmoid = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    here = {1: sigmoid(0.5), 0: 1 - sigmoid(0.5)}
    total = 0.0
    for t in range(1, 4):
        after = {0: 0.0, 1: 0.0}
        for before, weight in here.items():
            one = sigmoid(0.5 * SERIES[t] + (0.7 if before else -0.7))
            for z, q in ((1, one), (0, 1 - one)):
                p = (0.8 if before else 0.3) if z else (0.2 if before else 0.7)
                log_y = -0.5 * (SERIES[t] - (1 if z else -1)) ** 2 - 0.5 * np.log(2 * np.pi)
                total += weight * q * (np.log(p) + log_y - np.log(q)) * (t >= start)
                after[z] += weight * q
        here = after
    return total


@pytest.mark.slow
def test_leave_one_out_in_a_loop():
    text = hmm("via reinforce", "via reinforce")
    assert is_unbiased(text, AT, {"y": SERIES}, n=2000, samples=4, leave_one_out=True)
    one, others = (
        variance(text, "b", 2000, samples=4, leave_one_out=loo) for loo in (False, True)
    )
    assert others < 0.7 * one


# --- what is refused --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("via", ["via mvd", "via reinforce(baseline = -1.0)"])
def test_a_draw_of_a_plate_in_a_loop_is_refused(via):
    text = (
        "model main() {\n  q ~ Normal(0, 1)\n}\nobjective o(a: prob, T: size) -> real {\n  return expect {\n"
        "    x[0] ~ Bernoulli(a) via enum\n    plate i in 2 { z[0, i] ~ Bernoulli(a) }\n    for t in 1..T {\n"
        "      plate i in 2 { z[t, i] ~ Bernoulli(a) VIA }\n"
        "      x[t] ~ Bernoulli(if z[t, 0] and x[t-1] then a else 0.5) via reinforce\n    }\n"
        "    return if x[T-1] then 1.0 else 0.0\n  }\n}\n"
    )
    with pytest.raises(EmissionError, match="inside of an ordered loop") as error:
        made(text.replace("VIA", via), name="o", arguments={"a": 0.3, "T": 3})
    assert error.value.helps
