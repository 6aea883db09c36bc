"""Conjugate full conditionals: found where they are, drawn exactly, refused elsewhere; and Gibbs sampling by name."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ppl
from ppl.core.errors import MethodError, UsageError
from ppl.inference.kernels.conjugate import FAMILIES, Conjugate, conjugate, derivatives, families_of
from ppl.inference.representations import TracedValue

SOURCE = """
model pairs[N](y: real[N], n: int[N], w: real[N]) {
  mu ~ Normal(0, 5)
  prec ~ Gamma(2, 1)
  rate ~ Gamma(1, 1)
  p ~ Beta(1, 1)
  q ~ Dirichlet([1, 2, 3])
  v ~ InverseGamma(3, 2)
  nu ~ Exponential(1)
  k ~ Categorical(q)
  plate i in N {
    observe y[i] ~ Normal(mu + 0.1 * k, 1 / sqrt(prec))
    observe n[i] ~ Poisson(rate)
    observe w[i] ~ StudentT(1 + nu, 0, sqrt(v))
  }
  observe 3 ~ Binomial(10, p)
}
"""
SMALL = """
model pairs[N](n: int[N]) {
  rate ~ Gamma(1, 1)
  p ~ Beta(1, 1)
  nu ~ Exponential(1)
  k ~ Categorical([0.5, 0.3, 0.2])
  plate i in N { observe n[i] ~ Poisson(rate) }
  observe 3 ~ Binomial(10, p)
  observe 0.5 ~ StudentT(1 + nu, k, 1)
}
"""
DATA = {"y": [0.5, 1.0, -0.3], "n": [1, 4, 2], "w": [0.1, -1.0, 2.0]}


def gaussian(z):
    """a ~ N(1, 1), b ~ N(a, 0.25) in two elements."""
    return -0.5 * (z["a"] - 1) ** 2 - 2 * jnp.sum((z["b"] - z["a"]) ** 2)


@pytest.mark.slow
def test_families_of_a_compiled_model():
    """Of all but the degrees of freedom, and the scale of a Student t."""
    with ppl.environment():
        target = ppl.compiled(ppl.parse(SOURCE).pairs().given(DATA))
        trace = target.generate(jax.random.key(0), {}).trace
        latents = {v.name: trace[v.name] for v in target.latents}
        free = target.unconstrain(latents) | {"k": trace["k"]}
        sites = tuple(n for n in latents if n != "k")
        offsets = dict.fromkeys(sites, 0.0) | {"q": np.log([2.0, 1.0])}
        found = families_of(target.log_density_unconstrained, [free], sites, offsets)
    assert {n: f.name if f else None for n, f in found.items()} == {
        "mu": "normal", "prec": "gamma", "rate": "gamma", "p": "beta", "q": "beta", "v": None, "nu": None,
    }  # fmt: skip


def test_parameters_of_the_conditional():
    """Of the second element of b given a: N(a, 1/4)."""
    with jax.enable_x64(True):
        z = {"a": jnp.asarray(0.3), "b": jnp.array([1.0, 2.0])}
        first, second = derivatives(lambda v: gaussian({**z, "b": z["b"].at[1].set(v)}), z["b"][1])
        mean, var = FAMILIES[0].natural(z["b"][1], 0.0, first, second)
    assert float(mean) == pytest.approx(0.3) and float(var) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("name", "offset", "density", "mean"),
    [
        ("gamma", 0.0, lambda u: 3 * u - 2 * jnp.exp(u), lambda u: np.exp(u).mean() - 1.5),
        ("inverse gamma", 0.0, lambda u: -4 * u - 2 * jnp.exp(-u), lambda u: np.exp(u).mean() - 2 / 3),
        (
            "beta",
            0.7,
            lambda u: 2 * jax.nn.log_sigmoid(u - 0.7) + 5 * jax.nn.log_sigmoid(0.7 - u),
            lambda u: (1 / (1 + np.exp(0.7 - u))).mean() - 2 / 7,
        ),
    ],
)
def test_draws_have_the_law(name, offset, density, mean):
    """The mean of θ over 20 000 draws; standard deviations below 0.9, |z| < 5."""
    with jax.enable_x64(True):
        traces = [{"u": jnp.asarray(0.2)}, {"u": jnp.asarray(-1.0)}]
        found = families_of(lambda z: density(z["u"]), traces, ("u",), {"u": offset})["u"]
        assert found is not None and found.name == name
        kernel = conjugate({"u": found}, {"u": ()}, {"u": offset})
        state = TracedValue(traces[0], jnp.asarray(0.0))
        keys = jax.random.split(jax.random.key(0), 20_000)
        draws = jax.jit(jax.vmap(lambda k: kernel.step(k, state, lambda z: density(z["u"]))[0].trace["u"]))(keys)
    assert abs(mean(np.asarray(draws))) < 5 * 0.9 / np.sqrt(20_000)


@pytest.mark.slow
def test_gibbs_by_name():
    """Gamma–Poisson and Beta–Binomial posteriors, of means 2 and 1/3. 4000 draws, nearly independent: |z| < 6."""
    result = ppl.infer(ppl.parse(SMALL).pairs().given(n=[1, 4, 2]), "gibbs(warmup=50)", seed=0)
    table = result.summary()
    assert abs(table["rate"]["mean"] - 2.0) < 6 * 0.71 / np.sqrt(4000)
    assert abs(table["p"]["mean"] - 1 / 3) < 6 * 0.13 / np.sqrt(4000)
    assert result.posterior.notes == (
        "by enumeration: k", "conjugate: p (beta), rate (gamma)", "by slice sampling: nu",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kernel", "error", "words"),
    [
        ("conjugate(nu)", MethodError, "`nu` is not conjugate"),
        ("gibbs(rate)", MethodError, "`rate` is continuous"),
        ("hmc(0.1, 3)", UsageError, "`k` is discrete"),
        ("on(select(nobody), rw(1.0))", UsageError, "no variable `nobody`"),
        ("gibs(k)", UsageError, "no kernel `gibs`"),
    ],
)
def test_kernels_that_do_not_fit(kernel, error, words):
    with pytest.raises(error, match=words):
        ppl.infer(ppl.parse(SMALL).pairs().given(n=[1, 4, 2]), f"mh(kernel={kernel})")


def test_a_wrong_family_is_seen():
    """The negative: a gamma for a Gaussian conditional does not leave it invariant, and is not taken for it."""
    with jax.enable_x64(True):
        traces = [{"a": jnp.asarray(0.3), "b": jnp.array([1.0, 2.0])}]
        assert families_of(gaussian, traces, ("a", "b"), {"a": 0.0, "b": 0.0})["a"].name == "normal"
        cubic = families_of(lambda z: gaussian(z) - 0.1 * z["a"] ** 4, traces, ("a",), {"a": 0.0})
        assert cubic["a"] is None
        assert isinstance(conjugate({"a": FAMILIES[0]}, {"a": ()}), Conjugate)
