"""Python models: staged into the IR, with the density that NumPyro's distributions give by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest

import ppl
from ppl.api.compile import forward_target, posterior_target
from ppl.compiler.ir.verify import verify
from ppl.core.errors import UsageError

Y = np.array([28.0, 8.0, -3.0])
SE = np.array([15.0, 10.0, 16.0])


@ppl.model
def schools(se):
    mu = ppl.sample("mu", ppl.Normal(0, 5))
    tau = ppl.sample("tau", ppl.HalfCauchy(5))

    @ppl.plate("J", se)
    def theta(se_j):
        z = ppl.sample("z", ppl.Normal(0, 1))
        t = mu + tau * z
        ppl.observe("y", ppl.Normal(t, se_j))
        return t

    ppl.output("theta", theta)
    return {"best": jnp.max(theta), "sum": theta.sum()}


def density(target, **trace):
    return float(target.log_density({n: jnp.asarray(v) for n, v in trace.items()}))


def test_density_is_that_of_the_program():
    target = posterior_target(schools(SE).given(y=Y), False).target
    z = np.array([0.1, -0.2, 0.3])
    by_hand = (
        dist.Normal(0, 5).log_prob(1.0) + dist.HalfCauchy(5).log_prob(2.0) + dist.Normal(0, 1).log_prob(z).sum()
        + dist.Normal(1.0 + 2.0 * z, SE).log_prob(Y).sum()
    )  # fmt: skip
    np.testing.assert_allclose(density(target, mu=1.0, tau=2.0, z=z), by_hand, rtol=1e-12)


def test_staged_programs_are_valid_and_printed():
    applied = schools(SE)
    assert verify(applied.program, "schools") == []
    assert {s.name: str(s.type) for s in applied.model.sites} == {
        "mu": "real",
        "tau": "real",
        "z": "real[3]",
        "y": "real[3]",
    }
    assert applied.model.sites[2].axes == ("J",) and repr(applied) == "<model schools given se>"


def test_outputs_and_returned_values():
    run = posterior_target(schools(SE).given(y=Y), False).target.complete(
        jax.random.key(0), {"mu": jnp.asarray(1.0), "tau": jnp.asarray(2.0), "z": jnp.asarray([0.0, 1.0, -1.0])}
    )
    np.testing.assert_allclose(run.outputs["theta"], [1.0, 3.0, -1.0])
    assert float(run.value["best"]) == 3.0 and float(run.value["sum"]) == 3.0


@ppl.model
def walk(T, s=1.0):
    def step(x, t):
        x = ppl.sample("x", ppl.Normal(x, s))
        ppl.observe("y", ppl.Normal(x, 0.5))
        return x, x**2

    last, squares = ppl.scan("T", step, 0.0, T)
    return last + squares.sum()


def test_scan():
    y, x = np.array([0.3, -0.1, 0.2, 0.9]), np.array([0.1, 0.2, 0.0, 0.7])
    target = posterior_target(walk(4).given(y=y), False).target
    by_hand = dist.Normal(np.r_[0.0, x[:-1]], 1.0).log_prob(x).sum() + dist.Normal(x, 0.5).log_prob(y).sum()
    np.testing.assert_allclose(density(target, x=x), by_hand, rtol=1e-12)


@ppl.model
def nested(x):
    @ppl.plate("A", 2)
    def _(a):
        loc = ppl.sample("loc", ppl.Normal(0.0, 1.0 + a))

        @ppl.plate("B", x)
        def _(x_b):
            ppl.sample("w", ppl.Normal(loc * x_b, 1.0))


def test_nested_plates():
    loc, w, x = np.array([0.5, -1.0]), np.array([[0.1, 0.2, 0.3], [1.0, 2.0, 3.0]]), np.array([1.0, 2.0, 3.0])
    target = posterior_target(nested(x), False)
    assert target.plan.deferred == ("loc", "w")
    full = forward_target(nested(x))
    by_hand = (
        dist.Normal(0, np.array([1.0, 2.0])).log_prob(loc).sum() + dist.Normal(loc[:, None] * x, 1.0).log_prob(w).sum()
    )
    np.testing.assert_allclose(density(full, loc=loc, w=w), by_hand, rtol=1e-12)


@ppl.model
def line():
    a = ppl.sample("a", ppl.Normal(0.0, 1.0))
    b = ppl.sample("b", ppl.Normal(0.0, 1.0))
    return a, b


@ppl.model
def fit(x):
    a, b = ppl.sample("f", line())
    ppl.observe("y", ppl.Normal(a * x + b, 0.1))


def test_submodels_have_dotted_names():
    x, y = np.arange(3.0), np.array([0.1, 0.9, 2.2])
    target = posterior_target(fit(x).given(y=y), False).target
    by_hand = dist.Normal(0, 1).log_prob(np.array([1.0, 0.1])).sum() + dist.Normal(1.0 * x + 0.1, 0.1).log_prob(y).sum()
    np.testing.assert_allclose(density(target, **{"f.a": 1.0, "f.b": 0.1}), by_hand, rtol=1e-12)


@ppl.model
def assorted(x, design):
    k = ppl.sample("k", ppl.Categorical(jnp.array([0.2, 0.3, 0.5])))
    p = ppl.sample("p", ppl.truncated(ppl.Normal(0.0, 1.0), lower=0.0))
    w = ppl.sample("w", ppl.iid(ppl.Normal(0.0, 1.0), 2))
    m = ppl.sample("m", ppl.mixture(jnp.array([0.5, 0.5]), [ppl.Normal(-1.0, 1.0), ppl.Normal(1.0, 1.0)]))
    ppl.observe("seen", ppl.Normal(jnp.dot(design["w"], w) + k + m, p), x)
    ppl.factor(-(w**2).sum())
    ppl.require(p < 10)


def test_combinators_factors_and_trees_of_data():
    w, design = np.array([0.5, -0.5]), {"w": np.array([2.0, 1.0])}
    target = posterior_target(assorted(1.5, design), False).target
    mixed = np.logaddexp(dist.Normal(-1, 1).log_prob(0.3), dist.Normal(1, 1).log_prob(0.3)) + np.log(0.5)
    by_hand = (
        np.log(0.5) + dist.Normal(0, 1).log_prob(0.7) + np.log(2) + dist.Normal(0, 1).log_prob(w).sum() + mixed
        + dist.Normal(0.5 + 2 + 0.3, 0.7).log_prob(1.5) - 0.5
    )  # fmt: skip
    np.testing.assert_allclose(density(target, k=2, p=0.7, w=w, m=0.3), by_hand, rtol=1e-6)
    assert density(target, k=2, p=11.0, w=w, m=0.3) == -np.inf


def test_mistakes_are_named():
    with pytest.raises(UsageError, match="outside of a model"):
        ppl.sample("x", ppl.Normal(0, 1))

    @ppl.model
    def twice():
        ppl.sample("x", ppl.Normal(0, 1))
        ppl.sample("x", ppl.Normal(0, 1))

    @ppl.model
    def both(y):
        ppl.observe("y", ppl.Normal(0, 1))

    @ppl.model
    def mapped(x):
        return jax.vmap(lambda a: ppl.sample("z", ppl.Normal(a, 1.0)))(x)

    for model, args, said in [
        (twice, (), "two random variables"),
        (both, (1.0,), "both an argument"),
        (mapped, (Y,), "plate"),
    ]:
        with pytest.raises((ValueError, NotImplementedError), match=said):
            model(*args)
    with pytest.raises(TypeError, match="scale"):
        ppl.Normal(0)
    with pytest.raises(TypeError, match="distribution is needed"):
        ppl.model(lambda: ppl.sample("x", 3))()


def test_inference_and_prediction():
    target = walk(4).given(y=np.array([0.3, -0.1, 0.2, 0.9]))
    result = ppl.infer(target, ppl.nuts(chains=2, warmup=200, draws=100), seed=3)
    assert result["x"].shape == (2, 100, 4) and result.draws["return"].shape == (2, 100)
    assert result.predict(seed=1)["y"].shape == (2, 100, 4)
    assert ppl.prior(target, 50)["y"].shape == (1, 50, 4)
    exact = ppl.infer(ppl.model(_coin)().given(y=True), "enumerate")
    assert abs(float(exact.summary()["k"]["mean"]) - 0.5 * 0.9 / 0.6) < 1e-9
    assert abs(exact.log_evidence[0] - np.log(0.6)) < 1e-9


def _coin():
    k = ppl.sample("k", ppl.Bernoulli(0.5))
    ppl.observe("y", ppl.Bernoulli(jnp.where(k, 0.9, 0.3)))
