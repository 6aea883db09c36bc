"""Boundaries: values outside of the support, arguments outside of their constraint, degenerate parameters,
precision."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from ppl.core.distributions import make
from ppl.core.distributions.errors import DistributionError
from tests.core.cases import SCALAR
from tests.core.compilation import quick_jit

inf = np.inf

OUTSIDE: dict[str, tuple[dict[str, Any], list[float]]] = {
    "LogNormal": ({"loc": 0.0, "scale": 1.0}, [-1.0, 0.0]),
    "HalfNormal": ({"scale": 1.0}, [-1.0, -1e-9]),
    "HalfCauchy": ({"scale": 1.0}, [-1.0, -1e-9]),
    "HalfStudentT": ({"df": 3.0, "scale": 1.0}, [-1.0, -1e-9]),
    "Exponential": ({"rate": 1.0}, [-1.0, -1e-9]),
    "Gamma": ({"shape": 2.0, "rate": 1.0}, [-1.0, 0.0]),
    "InverseGamma": ({"shape": 2.0, "scale": 1.0}, [-1.0, 0.0]),
    "ChiSquared": ({"df": 4.0}, [-1.0, 0.0]),
    "Weibull": ({"shape": 2.0, "scale": 1.0}, [-1.0, 0.0]),
    "Pareto": ({"scale": 2.0, "shape": 1.0}, [1.99, -1.0]),
    "Beta": ({"a": 2.0, "b": 2.0}, [-0.1, 1.1]),
    "BetaMean": ({"mean": 0.5, "concentration": 4.0}, [-0.1, 1.1]),
    "Uniform": ({"low": 1.0, "high": 2.0}, [0.99, 2.01]),
    "VonMises": ({"loc": 0.0, "concentration": 1.0}, [3.2, -3.2]),
    "Bernoulli": ({"p": 0.5}, [-1.0, 2.0]),
    "Binomial": ({"n": 3, "p": 0.5}, [-1.0, 4.0]),
    "BinomialLogit": ({"n": 3, "logit": 0.5}, [-1.0, 4.0]),
    "BetaBinomial": ({"n": 3, "a": 1.0, "b": 1.0}, [-1.0, 4.0]),
    "Geometric": ({"p": 0.5}, [-1.0, 0.5]),
    "Poisson": ({"rate": 1.0}, [-1.0, 0.5]),
    "PoissonLog": ({"log_rate": 1.0}, [-1.0, 0.5]),
    "NegativeBinomial": ({"mean": 1.0, "concentration": 1.0}, [-1.0, 0.5]),
    "Categorical": ({"p": np.array([0.5, 0.5])}, [-1.0, 2.0]),
    "CategoricalLogit": ({"logits": np.array([0.5, 0.5])}, [-1.0, 2.0]),
    "DiscreteUniform": ({"low": 1, "high": 3}, [0.0, 4.0]),
    "Discrete": ({"values": np.array([1, 3]), "p": np.array([0.5, 0.5])}, [0.0, 2.0]),
    "OrderedLogistic": ({"eta": 0.0, "cutpoints": np.array([0.0])}, [-1.0, 2.0]),
    "Delta": ({"x": 2.0}, [1.0, 3.0]),
}

# One argument that breaks its constraint, and a value inside of the support.
INVALID: list[tuple[str, dict[str, Any], Any]] = [
    ("Normal", {"loc": 0.0, "scale": 0.0}, 0.5),
    ("Normal", {"loc": 0.0, "scale": -1.0}, 0.5),
    ("StudentT", {"df": -1.0, "loc": 0.0, "scale": 1.0}, 0.5),
    ("LogNormal", {"loc": 0.0, "scale": -1.0}, 0.5),
    ("HalfCauchy", {"scale": 0.0}, 0.5),
    ("Exponential", {"rate": -1.0}, 0.5),
    ("Gamma", {"shape": 0.0, "rate": 1.0}, 0.5),
    ("InverseGamma", {"shape": 1.0, "scale": -1.0}, 0.5),
    ("Weibull", {"shape": -1.0, "scale": 1.0}, 0.5),
    ("Pareto", {"scale": -1.0, "shape": 1.0}, 0.5),
    ("Beta", {"a": 0.0, "b": 1.0}, 0.5),
    ("BetaMean", {"mean": 1.0, "concentration": 1.0}, 0.5),
    ("Uniform", {"low": 1.0, "high": 0.0}, 0.5),
    ("VonMises", {"loc": 0.0, "concentration": -1.0}, 0.5),
    ("Bernoulli", {"p": 1.5}, 1.0),
    ("Binomial", {"n": 2.0, "p": -0.1}, 1.0),
    ("BetaBinomial", {"n": 2.0, "a": 0.0, "b": 1.0}, 1.0),
    ("Geometric", {"p": 0.0}, 1.0),
    ("Poisson", {"rate": -1.0}, 1.0),
    ("NegativeBinomial", {"mean": -1.0, "concentration": 1.0}, 1.0),
    ("Categorical", {"p": np.array([0.5, 0.6])}, 1.0),
    ("Categorical", {"p": np.array([-0.5, 1.5])}, 1.0),
    ("OrderedLogistic", {"eta": 0.0, "cutpoints": np.array([1.0, 0.0])}, 1.0),
    ("Dirichlet", {"concentration": np.array([0.0, 1.0])}, np.array([0.5, 0.5])),
    ("MultiNormal", {"loc": np.zeros(2), "cov": np.array([[1.0, 2.0], [2.0, 1.0]])}, np.zeros(2)),
    ("MultiNormalPrec", {"loc": np.zeros(2), "precision": -np.eye(2)}, np.zeros(2)),
    ("MultiNormalChol", {"loc": np.zeros(2), "L": np.diag([1.0, -1.0])}, np.zeros(2)),
    ("MultiStudentT", {"df": 0.0, "loc": np.zeros(2), "L": np.eye(2)}, np.zeros(2)),
    ("Wishart", {"df": 0.5, "scale": np.eye(2)}, np.eye(2)),
    ("GaussianRandomWalk", {"scale": -1.0, "T": 2}, np.zeros(2)),
]
STATIC = {"T", "K"}


def test_log_density_is_minus_infinity_outside_of_the_support_with_finite_gradient() -> None:
    @quick_jit
    def evaluate(points: dict[str, Any]) -> dict[str, Any]:
        return {
            name: (
                jax.vmap(make(name, args).log_prob)(points[name]),
                jax.vmap(jax.grad(make(name, args).log_prob))(points[name]),
            )
            for name, (args, _) in OUTSIDE.items()
        }

    values = evaluate({name: jnp.asarray(points) for name, (_, points) in OUTSIDE.items()})
    for name, (log_density, gradient) in values.items():
        inside_closure = name in (
            "Gamma",
            "ChiSquared",
            "Weibull",
        )  # a limit of the density: its slope is infinite there
        assert np.isneginf(log_density).all(), name
        assert np.isfinite(gradient[: 1 if inside_closure else 2]).all(), name


@pytest.mark.slow
def test_log_density_is_minus_infinity_for_arguments_outside_of_their_constraint() -> None:
    """Known while tracing or not, and with finite gradients by the other arguments."""

    def log_density(index: int, traced: dict[str, Any], value: Any) -> Any:
        name, args, _ = INVALID[index]
        return make(name, {**args, **traced}).log_prob(value)

    @quick_jit
    def evaluate(arguments: list[dict[str, Any]], values: list[Any]) -> list[Any]:
        return [jax.value_and_grad(lambda a, i=i, v=v: log_density(i, a, v))(a)
                for i, (a, v) in enumerate(zip(arguments, values, strict=True))]  # fmt: skip

    arguments = [{k: jnp.asarray(v) for k, v in args.items() if k not in STATIC} for _, args, _ in INVALID]
    traced = evaluate(arguments, [jnp.asarray(value) for _, _, value in INVALID])
    for i, (name, _, value) in enumerate(INVALID):
        assert np.isneginf(traced[i][0]), name
        assert all(np.isfinite(g).all() for g in jax.tree.leaves(traced[i][1])), name
        if name in ("Normal", "Categorical", "MultiNormal", "Uniform"):
            assert np.isneginf(log_density(i, {}, jnp.asarray(value))), name


EXACT = [
    ("Bernoulli", {"p": 0.0}, [0, 1], [0.0, -inf]),
    ("Bernoulli", {"p": 1.0}, [False, True], [-inf, 0.0]),
    ("Bernoulli", {"p": 1e-300}, [0, 1], [-1e-300, np.log(1e-300)]),
    ("BernoulliLogit", {"logit": 800.0}, [0, 1], [-800.0, 0.0]),
    ("Binomial", {"n": 2, "p": 0.0}, [0, 1, 2], [0.0, -inf, -inf]),
    ("Binomial", {"n": 2, "p": 1.0}, [0, 1, 2], [-inf, -inf, 0.0]),
    ("Binomial", {"n": 0, "p": 0.3}, [0, 1], [0.0, -inf]),
    ("Poisson", {"rate": 0.0}, [0, 1], [0.0, -inf]),
    ("Geometric", {"p": 1.0}, [0, 1], [0.0, -inf]),
    ("Categorical", {"p": np.array([1.0])}, [0, 1], [0.0, -inf]),
    ("Categorical", {"p": np.array([0.0, 1.0])}, [0, 1], [-inf, 0.0]),
    ("CategoricalLogit", {"logits": np.array([3.0])}, [0], [0.0]),
    ("CategoricalLogit", {"logits": np.array([-inf, 1.0])}, [0, 1], [-inf, 0.0]),
    ("DiscreteUniform", {"low": 4, "high": 4}, [3, 4, 5], [-inf, 0.0, -inf]),
    ("Discrete", {"values": np.array([1.0, 1.0]), "p": np.array([0.5, 0.5])}, [1.0], [0.0]),
    ("OrderedLogistic", {"eta": 50.0, "cutpoints": np.array([-1.0, 1.0])}, [0, 1, 2],
     [-51.0, -51.0 + np.log(np.expm1(2.0)), 0.0]),
    ("Exponential", {"rate": 3.0}, [0.0], [np.log(3.0)]),
    ("Gamma", {"shape": 1.0, "rate": 3.0}, [0.0], [np.log(3.0)]),
    ("Gamma", {"shape": 0.5, "rate": 3.0}, [0.0], [inf]),
    ("Weibull", {"shape": 1.0, "scale": 0.5}, [0.0], [np.log(2.0)]),
    ("Beta", {"a": 1.0, "b": 1.0}, [0.0, 0.5, 1.0], [0.0, 0.0, 0.0]),
    ("Beta", {"a": 2.0, "b": 1.0}, [0.0, 1.0], [-inf, np.log(2.0)]),
    ("Uniform", {"low": 0.0, "high": 2.0}, [0.0, 2.0], [-np.log(2.0), -np.log(2.0)]),
    ("Pareto", {"scale": 2.0, "shape": 3.0}, [2.0], [np.log(1.5)]),
    ("Logistic", {"loc": 0.0, "scale": 1.0}, [-1000.0, 1000.0], [-1000.0, -1000.0]),
    ("Flat", {}, [-1e300, 0.0], [0.0, 0.0]),
    ("Delta", {"x": 3}, [3, 4], [0.0, -inf]),
    ("Gamma", {"shape": 1e-3, "rate": 1.0}, [1e-200, 1.0], stats.gamma(1e-3).logpdf([1e-200, 1.0])),
    ("Gamma", {"shape": 1e6, "rate": 1.0}, [1e6, 1.001e6], stats.gamma(1e6).logpdf([1e6, 1.001e6])),
    ("Beta", {"a": 1e6, "b": 1e6}, [0.5, 0.501], stats.beta(1e6, 1e6).logpdf([0.5, 0.501])),
    ("NegativeBinomial", {"mean": 3.0, "concentration": 1e9}, [0, 3, 9], stats.poisson(3.0).logpmf([0, 3, 9])),
    ("VonMises", {"loc": 0.0, "concentration": 1e4}, [0.0], stats.vonmises(1e4).logpdf([0.0])),
]  # fmt: skip


def test_exact_values_at_the_edges() -> None:
    values = quick_jit(lambda xs: [make(n, a).log_prob(x) for (n, a, _, _), x in zip(EXACT, xs, strict=True)])(
        [jnp.asarray(x) for _, _, x, _ in EXACT]
    )
    for (name, args, _, expected), value in zip(EXACT, values, strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-8, atol=1e-13, err_msg=f"{name}{args}")


def test_matrices_of_one_row() -> None:
    one = jnp.ones((1, 1))
    for name in ("LKJ", "LKJCholesky"):
        d = make(name, {"K": 1, "eta": 2.0})
        assert d.log_prob(one) == 0 and np.isneginf(d.log_prob(2 * one))
        assert d.sample(jax.random.key(0), (3,)).shape == (3, 1, 1)
    assert make("Dirichlet", {"concentration": np.array([2.0])}).log_prob(jnp.ones(1)) == 0


@pytest.mark.parametrize("name, args, bad", [
    ("LKJ", {"K": 2, "eta": 1.0}, np.array([[1.0, 1.1], [1.1, 1.0]])),
    ("LKJ", {"K": 2, "eta": 1.0}, np.array([[2.0, 0.0], [0.0, 1.0]])),
    ("LKJCholesky", {"K": 2, "eta": 1.0}, np.array([[1.0, 0.0], [0.5, 0.5]])),
    ("Wishart", {"df": 3.0, "scale": np.eye(2)}, np.array([[1.0, 2.0], [2.0, 1.0]])),
    ("Dirichlet", {"concentration": np.ones(2)}, np.array([0.5, 0.6])),
    ("Multinomial", {"n": 3, "p": np.array([0.5, 0.5])}, np.array([1, 1])),
    ("Multinomial", {"n": 3, "p": np.array([0.5, 0.5])}, np.array([4, -1])),
])  # fmt: skip
def test_vectors_and_matrices_outside_of_the_support(name: str, args: dict[str, Any], bad: np.ndarray) -> None:
    assert np.isneginf(make(name, args).log_prob(jnp.asarray(bad)))


def test_flat_is_never_drawn_from() -> None:
    with pytest.raises(DistributionError, match="improper"):
        make("Flat", {}).sample(jax.random.key(0))


def test_precision_follows_the_inputs() -> None:
    """Single-precision arguments and values give single precision, also where 64 bits are enabled."""
    key = jax.random.key(0, impl="rbg")

    def shapes(case: Any) -> Any:
        args = {k: np.asarray(v, np.float32) if np.asarray(v).dtype.kind == "f" else v for k, v in case.args.items()}
        d = make(case.name, args)
        x = jax.eval_shape(lambda: d.sample(key))
        return x.dtype, jax.eval_shape(d.log_prob, x).dtype

    for case in SCALAR:
        if "Poisson" in case.name or case.name == "NegativeBinomial":
            continue  # the generator of Poisson variables is another one
        drawn, density = shapes(case)
        assert drawn in (np.float32, np.int64, np.bool_), case.name
        assert density == np.float32 or case.name == "DiscreteUniform", case.name


def test_batches() -> None:
    """Elementwise arguments give batch axes; ``batch`` puts independent copies in front of these."""
    d = make("Normal", {"loc": np.array([0.0, 1.0, 2.0]), "scale": 1.0}, (4,))
    assert d.batch_shape == (4, 3)
    x = d.sample(jax.random.key(0), (2,))
    assert x.shape == (2, 4, 3)
    np.testing.assert_allclose(d.log_prob(x), stats.norm([0.0, 1.0, 2.0]).logpdf(x), rtol=1e-12)
    assert make("Categorical", {"p": np.full((5, 2), 0.5)}, (3,)).log_prob(jnp.zeros((3, 5), int)).shape == (3, 5)
    assert make("MultiNormal", {"loc": np.zeros((4, 2)), "cov": np.eye(2)}).sample(jax.random.key(0)).shape == (4, 2)
