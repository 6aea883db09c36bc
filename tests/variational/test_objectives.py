"""Objectives against exact values: values and gradients by enumeration, quadrature and closed forms."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.lax import stop_gradient
from jax.scipy.special import logsumexp
from jax.scipy.stats import norm

import ppl
from ppl.api.variational import bound, library
from ppl.core.errors import MethodError, UsageError
from ppl.core.functional import FunctionalTarget, real
from ppl.inference.flat import layout
from ppl.inference.methods.parse import parse
from ppl.inference.variational.estimates import ESTIMATES
from ppl.inference.variational.guides.mean_field import MeanField
from ppl.inference.variational.start import Near

COIN = """
model main() {
  z ~ Bernoulli(0.5)
  observe true ~ Bernoulli(if z then 0.9 else 0.2)
}
guide flip() for main {
  param phi: real = 0.3
  z ~ Bernoulli(sigmoid(phi))
}
"""
NORMAL = """
model main() {
  x ~ Normal(0, 1)
  data y: real ~ Normal(x, 1)
}
guide q() for main {
  param m: real = 0.4
  param s: pos = exp(-0.2)
  x ~ Normal(m, s)
}
"""
WEIGHTS = {  # objectives of (log p, log q), each [K]
    "elbo": lambda lp, lq: jnp.mean(lp - lq),
    "iwelbo": lambda lp, lq: logsumexp(lp - lq) - jnp.log(lp.size),
    "renyi": lambda lp, lq: 2 * (logsumexp(0.5 * (lp - lq)) - jnp.log(lp.size)),
    "chi": lambda lp, lq: -(logsumexp(2 * (lp - lq)) - jnp.log(lp.size)) / 2,
    "forward_kl": lambda lp, lq: logsumexp(lp - lq) - jnp.log(lp.size) - jax.nn.softmax(lp - lq) @ (lp - lq),
}
CALLS = {
    "elbo": "elbo",
    "iwelbo": "iwelbo(2)",
    "renyi": "renyi(0.5, 2)",
    "chi": "chi(2, 2)",
    "forward_kl": "forward_kl(2)",
}


def objective_of(text, method, **data):
    applied = ppl.parse(text).model("main")
    with ppl.environment():
        return bound(applied.given(data) if data else applied, parse(method))[1].objective


def mean_and_error(objective, params, n, seed=0):
    """Means of value and gradient over n surrogates, with standard errors."""
    keys = jax.random.split(jax.random.key(seed), n)
    value, gradient = jax.jit(jax.vmap(jax.value_and_grad(objective.surrogate), (None, 0)))(params, keys)
    return [(np.mean(a, 0), np.std(a, 0, ddof=1) / np.sqrt(n)) for a in (value, *jax.tree.leaves(gradient["guide"]))]


def coin(combine, draws):
    """The exact value of an objective of ``draws`` draws, as a function of φ."""
    lp = jnp.log(0.5) + jnp.log(jnp.array([0.2, 0.9]))

    def value(phi):
        lq = jnp.log(jnp.array([jax.nn.sigmoid(-phi), jax.nn.sigmoid(phi)]))
        paths = [jnp.array(z) for z in itertools.product((0, 1), repeat=draws)]
        return sum(jnp.exp(jnp.sum(lq[z])) * combine(lp[z], lq[z]) for z in paths)

    return value


@pytest.mark.parametrize("name", CALLS)
def test_objectives_of_the_library_on_a_coin(name):
    objective = objective_of(COIN, f"vi(flip, objective={CALLS[name]}, particles=1)")
    exact = coin(WEIGHTS[name], 1 if name == "elbo" else 2)
    expected = float(exact(0.3)), float(jax.grad(exact)(0.3))
    params = objective.initial(jax.random.key(0))
    n = 4 if name == "elbo" else 20_000
    found = mean_and_error(objective, params, n)
    for (mean, error), truth in zip(found, expected, strict=True):
        # Exact where the draw is enumerated; else false alarms at a rate of 6e-7.
        assert abs(mean - truth) < 5 * error + 1e-10
        assert error < 1e-10 if name == "elbo" else error < 0.02
    if name == "elbo":
        assert expected == pytest.approx((-0.7565565982853251, 0.29434672756091623), abs=1e-9)
        mutant = jax.grad(lambda phi: coin(lambda lp, lq: jnp.mean(lp - stop_gradient(lq)), 1)(phi + 1))(0.3)
        assert abs(found[1][0] - mutant) > 0.05


@pytest.mark.parametrize("name", ["stl", "vimco", "wake_phi"])
def test_objectives_with_parts_held_fixed_on_a_coin(name):
    """stl and vimco have the gradients of elbo and iwelbo; wake_phi that of E Σ w̄ₖ log q(zₖ) with draws and weights
    fixed."""
    objective = objective_of(COIN, f"vi(flip, objective={name if name == 'stl' else name + '(2)'}, particles=1)")

    def wake_phase(phi):
        def lq(at):
            return jnp.log(jnp.array([jax.nn.sigmoid(-at), jax.nn.sigmoid(at)]))

        lp = jnp.log(0.5) + jnp.log(jnp.array([0.2, 0.9]))
        paths = [jnp.array(z) for z in itertools.product((0, 1), repeat=2)]
        held = lq(0.3)
        return sum(jnp.exp(jnp.sum(held[z])) * jax.nn.softmax(lp[z] - held[z]) @ lq(phi)[z] for z in paths)

    exact = {"stl": coin(WEIGHTS["elbo"], 1), "vimco": coin(WEIGHTS["iwelbo"], 2), "wake_phi": wake_phase}[name]
    found = mean_and_error(objective, objective.initial(jax.random.key(0)), 20_000)
    for (mean, error), truth in zip(found, (exact(0.3), jax.grad(exact)(0.3)), strict=True):
        assert abs(mean - truth) < 5 * error + 1e-10  # false-alarm rate 6e-7


@pytest.mark.parametrize(
    ("call", "combine", "draws", "held"),
    [
        pytest.param("stl", "elbo", 1, False, marks=pytest.mark.slow),
        ("dreg(2)", "iwelbo", 2, False),
        pytest.param("vimco(2)", "iwelbo", 2, False, marks=pytest.mark.slow),
        pytest.param("wake_phi(2)", "wake", 2, True, marks=pytest.mark.slow),
    ],
)
def test_objectives_with_parts_held_fixed_by_quadrature(call, combine, draws, held):
    objective = objective_of(NORMAL, f"vi(q, objective={call}, particles=1)", y=2.0)
    params = objective.initial(jax.random.key(0))
    function = wake if combine == "wake" else WEIGHTS[combine]

    def exact(free):
        named = objective.constrain({**params, "guide": free})
        gaussian = {"loc": named["m"][None], "log_scale": jnp.log(named["s"])[None]}
        return quadrature(gaussian, function, draws, held)

    value, gradient = jax.jit(jax.value_and_grad(exact))(params["guide"])
    found = mean_and_error(objective, params, 20_000)
    for (mean, error), truth in zip(found, [value, *jax.tree.leaves(gradient)], strict=True):
        assert abs(mean - truth) < 5 * error  # false-alarm rate 6e-7


def test_elbo_of_a_normal():
    """Value, gradients and the variance of a reparameterised gradient, 4 s², from their closed forms."""
    objective = objective_of(NORMAL, "vi(q, particles=1)", y=2.0)
    params = objective.initial(jax.random.key(0))
    n = 20_000
    (value, value_se), *gradients = mean_and_error(objective, params, n)
    assert abs(value + 2.649258579240312) < 5 * value_se
    by_name = dict(zip(sorted(params["guide"]), gradients, strict=True))
    assert abs(by_name["m"][0] - 1.2) < 5 * by_name["m"][1]
    slope = float(jnp.exp(-0.2)) / float(
        jax.jacfwd(lambda u: objective.constrain({**params, "guide": {**params["guide"], "s": u}})["s"])(
            params["guide"]["s"]
        )
    )
    assert abs(slope * by_name["s"][0] + 0.34064009207127843) < 5 * slope * by_name["s"][1]
    assert by_name["m"][1] ** 2 * n == pytest.approx(2.681280184142557, rel=0.1)


# Objectives that are Python functions, on γ = Normal(0, 1) · Normal(2; x, 1) and q = Normal(m, s), by quadrature.


def log_p(x):
    return norm.logpdf(x) + norm.logpdf(2.0, x, 1.0)


def target():
    return FunctionalTarget({"x": real()}, lambda t: log_p(t["x"]))


PARAMS = {"loc": jnp.array([0.4]), "log_scale": jnp.array([-0.2])}


def quadrature(params, combine, draws, held=False):
    """E combine(log p, log q) over independent draws of q, on Gauss–Hermite nodes; ``held``: derivatives by λ see q's
    density only."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    grid = jnp.stack(jnp.meshgrid(*[nodes] * draws, indexing="ij"), -1).reshape(-1, draws)
    weight = jnp.prod(jnp.stack(jnp.meshgrid(*[weights / weights.sum()] * draws, indexing="ij"), -1), -1).ravel()
    x = params["loc"] + jnp.exp(params["log_scale"]) * grid
    x = stop_gradient(x) if held else x
    lq = norm.logpdf(x, params["loc"], jnp.exp(params["log_scale"]))
    return weight @ jax.vmap(combine)(log_p(x), lq)


def wake(lp, lq):
    return stop_gradient(jax.nn.softmax(lp - lq)) @ lq


@pytest.mark.parametrize(
    ("name", "arguments", "combine", "draws", "held"),
    [
        ("elbo", (), WEIGHTS["elbo"], 1, False),
        ("stl", (), WEIGHTS["elbo"], 1, False),
        ("iwelbo", (2,), WEIGHTS["iwelbo"], 2, False),
        ("dreg", (2,), WEIGHTS["iwelbo"], 2, False),
        ("renyi", (0.5, 2), WEIGHTS["renyi"], 2, False),
        ("chi", (2, 2), WEIGHTS["chi"], 2, False),
        ("wake", (2,), wake, 2, True),
    ],
)
def test_python_objectives_by_quadrature(name, arguments, combine, draws, held):
    guide = MeanField(target(), layout(target()), Near())
    estimate = ESTIMATES[name](*arguments)
    value, gradient = jax.jit(jax.value_and_grad(lambda p: quadrature(p, combine, draws, held)))(PARAMS)
    n = 20_000
    keys = jax.random.split(jax.random.key(1), n)
    surrogate = lambda p, k: estimate(target(), guide, p, k)  # noqa: E731
    found, slopes = jax.jit(jax.vmap(jax.value_and_grad(surrogate), (None, 0)))(PARAMS, keys)
    assert abs(found.mean() - value) < 5 * found.std() / np.sqrt(n)  # false-alarm rate 6e-7 each
    for g, exact in zip(jax.tree.leaves(slopes), jax.tree.leaves(gradient), strict=True):
        assert np.all(np.abs(g.mean(0) - exact) < 5 * g.std(0) / np.sqrt(n) + 1e-9)


def test_at_the_posterior_the_landing_sticks():
    """At q = posterior the gradients of stl and dreg vanish draw by draw; that of elbo does not."""
    guide = MeanField(target(), layout(target()), Near())
    best = {"loc": jnp.array([1.0]), "log_scale": jnp.array([0.5 * jnp.log(0.5)])}
    for name, arguments, still in (("stl", (), True), ("dreg", (3,), True), ("elbo", (), False)):
        estimate = ESTIMATES[name](*arguments)
        slopes = jax.jit(jax.grad(lambda p, k: estimate(target(), guide, p, k)))(best, jax.random.key(0))  # noqa: B023
        size = float(np.max(np.abs(np.concatenate(jax.tree.leaves(slopes)))))
        assert size < 1e-12 if still else size > 0.1


def test_a_batch_is_for_the_elbo():
    text = "model main[N](x: real[N]) { b ~ Normal(0, 1)\n plate i in N { data y[i]: real ~ Normal(b * x[i], 1) } }"
    applied = ppl.parse(text).model("main").given(x=np.ones(10), y=np.arange(10.0))
    with ppl.environment():
        full = bound(applied, parse("vi(mean_field)"))[1]
        assert type(full).__name__ == "Vi"
        part = bound(applied, parse("vi(mean_field, batch=3)"))[1].objective
        with pytest.raises(UsageError, match="`batch` goes with the objective elbo(.|\n)*silently biased"):
            bound(applied, parse("vi(mean_field, objective=iwelbo(3), batch=3)"))
        with pytest.raises(UsageError, match="from 1 to 10, the size of `N`"):
            bound(applied, parse("vi(mean_field, batch=11)"))
    params = part.initial(jax.random.key(0))
    params["guide"]["log_scale"] = jnp.array([-1.0])
    m, s = float(params["guide"]["loc"][0]), float(jnp.exp(-1.0))
    y = np.arange(10.0)
    exact = -0.5 * ((y - m) ** 2 + s**2 + np.log(2 * np.pi)).sum() - 0.5 * (m**2 + s**2 - 1) + np.log(s)
    (value, error), *_ = mean_and_error(part, params, 20_000)
    assert abs(value - exact) < 5 * error and error < 1  # false-alarm rate 6e-7


def test_doubly_reparameterised_gradients_need_smooth_draws():
    with ppl.environment(), pytest.raises(MethodError, match="`z` is drawn by(.|\n)*vimco"):
        bound(ppl.parse(COIN).model("main"), parse("vi(flip, objective=dreg(2))"))


def test_names_that_do_not_exist():
    applied = ppl.parse(COIN).model("main")
    for method, message in (
        ("vi(flap)", "no guide `flap`; did you mean `flip`"),
        ("vi(flip, objective=elbow)", "no objective `elbow`; did you mean `elbo`"),
        ("vi(flip, objective=iwelbo)", "`iwelbo` needs `K`(.|\n)*iwelbo\\(K: size\\)"),
        ("vi(flip, objective=iwelbo(0))", "`K` of the objective `iwelbo` is 0"),
        ("vi(flip(3))", "takes its parameters from the data"),
        ("vi(flip, objective=wake(3))", "`wake` is for automatic guides"),
    ):
        with pytest.raises(UsageError, match=message):
            bound(applied, parse(method))


def test_the_library_is_checked_and_in_its_layout():
    from importlib.resources import files

    from ppl.compiler.diagnostics.span import Source
    from ppl.compiler.syntax.format import format_source

    text = files("ppl.inference.variational").joinpath("objectives.ppl").read_text()
    assert format_source(Source.of("objectives.ppl", text)) == text
    assert {m.name for m in library().models} >= {*CALLS}
    assert all(m.doc for m in library().models)
