"""Log densities of compiled models are those of the formulas; the laws of ``Target`` hold."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats as st

import ppl
from ppl.api.compile import posterior_target
from ppl.compiler.emit.bind import bind
from tests.emit.models import (
    SCHOOLS_SE,
    SCHOOLS_TRACE,
    SCHOOLS_Y,
    autoregression,
    bound_schools,
    branching,
    mixture,
    random_lines,
    schools,
)


@partial(jax.jit, static_argnames="method")
def run(target, method, *args):
    """A compiled call of a method of the target."""
    return getattr(target, method)(*args)


RNG = np.random.default_rng(0)
AR_Y, AR_X = RNG.normal(size=8), RNG.normal(size=10)


def autoregressive():
    return bind(autoregression(), "ar", {}, {"T": 10}, {"y": AR_Y})


def lines():
    args = {"group": np.array([0, 1, 1, 2]), "xs": np.array([0.5, -1.0, 2.0, 0.1])}
    return bind(random_lines(), "lines", args, {"N": 4, "K": 3}, {"y": np.array([0.1, 0.2, -0.4, 1.0])})


def mixed(summed: bool):
    return bind(mixture(summed), "mixture", {}, {"N": 3}, {"y": np.array([0.5, -1.0, 2.0])})


TARGETS = {
    "schools": (bound_schools, SCHOOLS_TRACE),
    "ar": (autoregressive, {"phi": jnp.asarray(0.4), "x": jnp.asarray(AR_X)}),
    "branching": (
        lambda: bind(branching(), "branching", {}, {}, {"y": 0.3}),
        {"z": jnp.asarray(0.7), "x": jnp.asarray(-0.2)},
    ),
    "lines": (lines, {"a": jnp.asarray([1.0, 2.0, -1.0]), "b": jnp.asarray([0.3, 0.1, 0.0])}),
    "mixture": (lambda: mixed(True), {"mu": jnp.asarray(0.8)}),
}


@pytest.fixture(params=TARGETS, scope="module")
def case(request):
    make, trace = TARGETS[request.param]
    return make(), trace


def test_schools_closed_form():
    theta = np.arange(8.0)
    expected = st.norm(0, 5).logpdf(1) + st.halfcauchy(0, 5).logpdf(2)
    expected += st.norm(1, 2).logpdf(theta).sum() + st.norm(theta, SCHOOLS_SE).logpdf(SCHOOLS_Y).sum()
    assert run(bound_schools(), "log_density", SCHOOLS_TRACE) == pytest.approx(expected, rel=1e-12)


def test_autoregression_closed_form_without_a_loop():
    target, trace = autoregressive(), TARGETS["ar"][1]
    x = AR_X
    expected = st.norm.logpdf(0.4) + st.norm.logpdf(x[:2]).sum() + st.norm(x[2:], 0.3).logpdf(AR_Y).sum()
    expected += st.norm(0.4 * x[1:-1] + x[:-2], 0.5).logpdf(x[2:]).sum()
    assert run(target, "log_density", trace) == pytest.approx(expected, rel=1e-12)
    assert "scan" not in str(
        jax.make_jaxpr(lambda u: target.log_density_unconstrained(u))(run(target, "unconstrain", trace))
    )


@pytest.mark.parametrize("z, x", [(0.7, -0.2), (-0.5, 1.0)])
def test_branches_closed_form(z, x):
    target = bind(branching(), "branching", {}, {}, {"y": 0.3})
    inner = st.norm(np.sqrt(z), 1) if z > 0 else st.norm(0, np.sqrt(-z))
    expected = st.norm.logpdf(z) + inner.logpdf(x) + st.norm(x, 1).logpdf(0.3)
    assert run(target, "log_density", {"z": jnp.asarray(z), "x": jnp.asarray(x)}) == pytest.approx(expected, rel=1e-12)


def test_drawn_functions_closed_form():
    a, b = np.array([1.0, 2.0, -1.0]), np.array([0.3, 0.1, 0.0])
    group, xs = np.array([0, 1, 1, 2]), np.array([0.5, -1.0, 2.0, 0.1])
    expected = st.norm.logpdf(a).sum() + st.norm.logpdf(b).sum()
    expected += st.norm(a[group] * xs + b[group], 0.5).logpdf([0.1, 0.2, -0.4, 1.0]).sum()
    assert run(lines(), "log_density", TARGETS["lines"][1]) == pytest.approx(expected, rel=1e-12)


def test_returned_function_can_be_called():
    value = run(lines(), "complete", jax.random.key(0), TARGETS["lines"][1]).value
    assert value(2.0) == pytest.approx(1.0 * 2.0 + 0.3)


def test_summed_out_mixture_closed_form():
    y, mu = np.array([0.5, -1.0, 2.0]), 0.8
    parts = np.log(0.3 * st.norm(mu, 1).pdf(y) + 0.7 * st.norm(-1, 1).pdf(y))
    expected = st.norm(0, 2).logpdf(mu) + parts.sum()
    assert run(mixed(True), "log_density", {"mu": jnp.asarray(mu)}) == pytest.approx(expected, rel=1e-12)


def test_summed_out_variable_is_drawn_from_its_exact_conditional():
    """False-alarm rate below 1e-4: a binomial test of 4000 draws for each of three elements."""
    y, mu, n = np.array([0.5, -1.0, 2.0]), 0.8, 4000
    one = 0.3 * st.norm(mu, 1).pdf(y)
    p = one / (one + 0.7 * st.norm(-1, 1).pdf(y))
    target = mixed(True)
    keys = jax.random.split(jax.random.key(1), n)
    z = jax.vmap(lambda k: run(target, "complete", k, {"mu": jnp.asarray(mu)}).trace["z"])(keys)
    for count, probability in zip(np.asarray(z).sum(0), p, strict=True):
        assert st.binomtest(int(count), n, probability).pvalue > 1e-5


def test_generate_with_all_given_weighs_the_density(case):
    target, trace = case
    weight = run(target, "generate", jax.random.key(0), trace).log_weight
    assert weight == pytest.approx(float(run(target, "log_density", trace)), rel=1e-12)


def test_constrain_inverts_unconstrain(case):
    target, trace = case
    back, _ = run(target, "constrain", run(target, "unconstrain", trace))
    assert back.keys() == trace.keys()
    for name, value in trace.items():
        np.testing.assert_allclose(back[name], value, rtol=1e-12)


def test_log_jacobian_is_that_of_automatic_differentiation(case):
    target, trace = case
    u, unravel = jax.flatten_util.ravel_pytree(run(target, "unconstrain", trace))
    matrix = jax.jacobian(lambda v: jax.flatten_util.ravel_pytree(run(target, "constrain", unravel(v))[0])[0])(u)
    assert run(target, "constrain", unravel(u))[1] == pytest.approx(float(jnp.linalg.slogdet(matrix)[1]), abs=1e-10)


def test_unconstrained_density_in_one_walk(case):
    target, trace = case
    u = run(target, "unconstrain", trace)
    expected = run(target, "log_density", trace) + run(target, "constrain", u)[1]
    assert run(target, "log_density_unconstrained", u) == pytest.approx(float(expected), rel=1e-12)


def test_compiled_equals_eager():
    target, trace = bound_schools(), SCHOOLS_TRACE
    assert target.log_density(trace) == pytest.approx(float(run(target, "log_density", trace)), rel=1e-12)


def test_gradient_is_finite_and_that_of_differences(case):
    target, trace = case
    u, unravel = jax.flatten_util.ravel_pytree(run(target, "unconstrain", trace))
    density = jax.jit(lambda v: run(target, "log_density_unconstrained", unravel(v)))
    gradient = jax.grad(density)(u)
    steps = 1e-6 * np.eye(len(u))
    differences = [(density(u + s) - density(u - s)) / 2e-6 for s in steps]
    np.testing.assert_allclose(gradient, differences, rtol=1e-5, atol=1e-7)


def test_terms_add_up(case):
    target, trace = case
    terms = run(target, "log_density_terms", trace)
    assert sum(float(jnp.sum(t)) for t in terms.values()) == pytest.approx(
        float(run(target, "log_density", trace)), rel=1e-12
    )


def test_update_is_the_difference(case):
    target, trace = case
    for name, value in trace.items():
        changed = {name: value + 0.1}
        new, change = run(target, "update", trace, changed)
        expected = run(target, "log_density", trace | changed) - run(target, "log_density", trace)
        assert change == pytest.approx(float(expected), rel=1e-9, abs=1e-9)
        np.testing.assert_array_equal(new[name], changed[name])


def test_simulated_trace_has_the_density_of_its_parts(case):
    """Conditioning on what was simulated: the values drawn are inside the support and the density is finite."""
    target, _ = case
    execution = run(target, "simulate", jax.random.key(3))
    assert execution.trace.keys() >= {v.name for v in target.latents}
    assert np.isfinite(run(target, "log_density", {v.name: execution.trace[v.name] for v in target.latents}))


def test_expected_weight_is_the_evidence():
    """E[e^w] over prior draws. z is +1 or −1 fair-ish, mu fixed by enumeration: three-point prior is exact."""
    target = mixed(False)
    given = {"mu": jnp.asarray(0.8)}
    exact = run(mixed(True), "log_density", given)
    configurations = [np.array(c, bool) for c in np.ndindex(2, 2, 2)]
    weights = [
        run(target, "generate", jax.random.key(0), given | {"z": jnp.asarray(z)}).log_weight for z in configurations
    ]
    assert jax.nn.logsumexp(jnp.stack(weights)) == pytest.approx(float(exact), rel=1e-12)


def test_outside_of_the_support_the_density_is_zero():
    trace = SCHOOLS_TRACE | {"tau": jnp.asarray(-1.0)}
    assert run(bound_schools(), "log_density", trace) == -jnp.inf


def test_one_trace_for_data_of_equal_shape():
    traces = []

    @jax.jit
    def density(target, trace):
        traces.append(None)
        return target.log_density(trace)

    program = schools()
    for shift in (0.0, 1.0):
        target = bind(program, "schools", {"se": SCHOOLS_SE}, {"J": 8}, {"y": SCHOOLS_Y + shift})
        density(target, SCHOOLS_TRACE)
    assert len(traces) == 1


def test_absent_data_are_drawn_and_do_not_count():
    target = bound_schools(None)
    trace = {v.name: SCHOOLS_TRACE[v.name] for v in target.latents}
    assert "theta" in trace
    execution = run(target, "complete", jax.random.key(0), trace)
    assert execution.data["y"].shape == (8,)
    terms = run(target, "log_density_terms", trace)
    assert "y" not in terms


def test_outputs_are_computed():
    execution = run(bound_schools(), "complete", jax.random.key(0), SCHOOLS_TRACE)
    assert execution.outputs["average"] == pytest.approx(3.5)


@pytest.mark.parametrize("y", [[0.5], [0.5, -1.0]])
def test_chains_of_every_length(y):
    """x[t] a walk with unit steps, y[t] ~ Normal(x[t], 1): a chain of one draw has a loop of no iterations, and its
    array is that one draw."""
    text = (
        "model m[T]() {\n  x[0] ~ Normal(0, 1)\n  data y[0]: real ~ Normal(x[0], 1)\n  for t in 1..T {\n"
        "    x[t] ~ Normal(x[t - 1], 1)\n    data y[t]: real ~ Normal(x[t], 1)\n  }\n}\n"
    )
    x = np.array([0.3, 1.1][: len(y)])
    steps = np.diff(x, prepend=0.0)
    exact = -0.5 * (steps @ steps + (y - x) @ (y - x)) - len(y) * np.log(2 * np.pi)
    target = posterior_target(ppl.parse(text).m().given({"y": y}), marginalise=True).target
    density = run(target, "log_density", {"x": jnp.asarray(x)})
    assert density.shape == () and density == pytest.approx(exact, abs=1e-10)
