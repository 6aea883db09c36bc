"""iid, truncated, ordered, transformed, mixture, ZeroInflated: normalised, drawn from as their density says, exact in
the tails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from ppl.core.distributions import make, support_values
from ppl.core.distributions.errors import DistributionError
from tests.core.compilation import quick_jit
from tests.core.quadrature import NODES, WEIGHTS, integral

inf = np.inf


def normal(loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return make("Normal", {"loc": loc, "scale": scale})


def truncated(D: Any, **bounds: Any) -> Any:
    return make("truncated", {"D": D, **bounds})


def transformed(D: Any, f: Callable[[Any], Any]) -> Any:
    return make("transformed", {"D": D, "f": f})


CONTINUOUS: dict[str, tuple[Callable[[], Any], float, float]] = {
    "normal above": (lambda: truncated(normal(1.0), lower=0.0), 0.0, inf),
    "normal below": (lambda: truncated(normal(1.0), upper=0.0), -inf, 0.0),
    "normal far out": (lambda: truncated(normal(), lower=40.0, upper=41.0), 40.0, 41.0),
    "normal far out on the left": (lambda: truncated(normal(), lower=-21.0, upper=-20.0), -21.0, -20.0),
    "t": (lambda: truncated(make("StudentT", {"df": 3.0, "loc": 0.0, "scale": 1.0}), lower=-1.0, upper=2.0), -1.0, 2.0),
    "cauchy": (lambda: truncated(make("Cauchy", {"loc": 0.0, "scale": 1.0}), lower=1e3, upper=2e3), 1e3, 2e3),
    "gamma": (lambda: truncated(make("Gamma", {"shape": 2.0, "rate": 1.0}), upper=3.0), 0.0, 3.0),
    "beta": (lambda: truncated(make("Beta", {"a": 2.0, "b": 3.0}), lower=0.2), 0.2, 1.0),
    "exponential": (lambda: truncated(make("Exponential", {"rate": 2.0}), lower=400.0), 400.0, inf),
    "log normal": (lambda: truncated(make("LogNormal", {"loc": 0.0, "scale": 1.0}), lower=1.0, upper=5.0), 1.0, 5.0),
    "exp": (lambda: transformed(normal(0.0, 0.5), lambda x: jnp.exp(x)), 0.0, inf),
    "affine": (lambda: transformed(normal(), lambda x: 3.0 - 2.0 * x), -inf, inf),
    "sigmoid": (lambda: transformed(normal(0.5), lambda x: 2 * jax.nn.sigmoid(x / 2) - 1), -1.0, 1.0),
    "square of positive": (lambda: transformed(make("Gamma", {"shape": 3.0, "rate": 1.0}), lambda x: x**2), 0.0, inf),
    "mixture": (lambda: make("mixture", {"weights": np.array([0.3, 0.7]), "D": normal(np.array([-2.0, 1.0]), 0.5)}),
    -inf, inf),
    "mixture of two kinds": (
        lambda: make("mixture", {"weights": np.array([0.3, 0.7]), "D": [normal(), make("Gamma", {"shape": 3.0,
        "rate": 1.0})]}),
        -inf, inf,
    ),
}  # fmt: skip

COUNTS: dict[str, Callable[[], Any]] = {
    "poisson from 1": lambda: truncated(make("Poisson", {"rate": 2.0}), lower=1),
    "poisson between": lambda: truncated(make("Poisson", {"rate": 2.0}), lower=2, upper=5),
    "negative binomial up to": lambda: truncated(
        make("NegativeBinomial", {"mean": 4.0, "concentration": 2.0}), upper=6
    ),
    "binomial": lambda: truncated(make("Binomial", {"n": 10, "p": 0.3}), lower=2),
    "zero inflated": lambda: make("ZeroInflated", {"p": 0.3, "D": make("Poisson", {"rate": 2.0})}),
    "hurdle": lambda: make("ZeroInflated", {"p": 0.3, "D": truncated(make("Poisson", {"rate": 2.0}), lower=1)}),
    "mixture of counts": lambda: make(
        "mixture", {"weights": np.array([0.5, 0.5]), "D": make("Poisson", {"rate": np.array([1.0, 9.0])})}
    ),
}


def test_densities_integrate_to_one() -> None:
    totals = quick_jit(lambda: {k: integral(d().log_prob, lo, hi) for k, (d, lo, hi) in CONTINUOUS.items()})()
    tails = {"mixture of two kinds": 1e-3}  # not smooth at 0
    for name, total in totals.items():
        np.testing.assert_allclose(total, 1, rtol=tails.get(name, 1e-7), err_msg=name)


def test_probabilities_sum_to_one() -> None:
    totals = quick_jit(lambda: {name: jnp.exp(d().log_prob(jnp.arange(200))).sum() for name, d in COUNTS.items()})()
    for name, total in totals.items():
        np.testing.assert_allclose(total, 1, rtol=1e-12, err_msg=name)


@pytest.mark.slow
def test_draws_follow_the_density() -> None:
    """Frequencies of draws against integrals and sums of the density (DKW, false alarm 1e-6 each, 4e-5 in all)."""
    n = 10_000
    epsilon = np.sqrt(np.log(2 / 1e-6) / (2 * n))
    drawn = ("normal above", "normal far out", "cauchy", "gamma", "affine", "mixture of two kinds")
    dists = {name: CONTINUOUS[name][0]() for name in drawn}
    dists |= {name: COUNTS[name]() for name in ("poisson between", "zero inflated", "mixture of counts")}
    poisson = {"zero inflated", "mixture of counts"}  # drawn from JAX's Poisson sampler, which needs its own generator

    @quick_jit
    def draw(rbg: Any, threefry: Any) -> dict[str, Any]:
        return {name: d.sample(jax.random.fold_in(threefry if name in poisson else rbg, i), (n,))
                for i, (name, d) in enumerate(dists.items())}  # fmt: skip

    draws = jax.device_get(draw(jax.random.key(7, impl="rbg"), jax.random.key(7)))
    quantiles = {name: np.quantile(draws[name], np.linspace(0.05, 0.95, 7)) for name in drawn}

    @quick_jit
    def masses(ends: dict[str, Any]) -> dict[str, Any]:
        def between(name: str, k: int) -> Any:
            lower, upper = ends[name][k], ends[name][k + 1]
            x = lower + (upper - lower) * (NODES + 1) / 2
            return jnp.sum(jnp.exp(dists[name].log_prob(x)) * WEIGHTS) * (upper - lower) / 2

        return {name: [between(name, k) for k in (0, 2, 5)] for name in ends}

    for name, expected in jax.device_get(masses(quantiles)).items():
        x, (_, lower, upper) = draws[name], CONTINUOUS[name]
        assert (x >= lower).all() and (x <= upper).all(), name
        for k, mass in zip((0, 2, 5), expected, strict=True):
            frequency = np.mean((x > quantiles[name][k]) & (x <= quantiles[name][k + 1]))
            assert abs(mass - frequency) < 2 * epsilon, name
    for name in COUNTS.keys() & dists.keys():
        F = np.cumsum(np.exp(np.asarray(dists[name].log_prob(jnp.arange(200)))))
        empirical = np.searchsorted(np.sort(draws[name]), np.arange(200), side="right") / n
        assert np.abs(F - empirical).max() < epsilon, name


def test_truncated_normal_against_scipy() -> None:
    x = np.linspace(-1.0, 3.0, 17)
    expected = stats.truncnorm(-1.5, 2.0, loc=0.5, scale=1.0).logpdf(x)
    np.testing.assert_allclose(truncated(normal(0.5), lower=-1.0, upper=2.5).log_prob(x), expected, rtol=1e-12)


def test_truncation_beyond_the_support_has_density_zero() -> None:
    d = truncated(make("Exponential", {"rate": 1.0}), upper=-1.0)
    assert np.isneginf(d.log_prob(0.5)) and np.isneginf(d.log_prob(-2.0))
    assert np.isneginf(truncated(normal(), lower=1.0, upper=0.0).log_prob(0.5))


def test_truncation_far_in_the_tail_of_counts() -> None:
    """P(X ≥ 30) of a Poisson(1) is 1e-33: not a difference from one."""
    law = stats.poisson(1.0)
    d = truncated(make("Poisson", {"rate": 1.0}), lower=30)
    np.testing.assert_allclose(d.log_prob(jnp.array([30, 35])), law.logpmf([30, 35]) - law.logsf(29), rtol=1e-10)


def test_truncated_draws_are_differentiable_by_their_arguments() -> None:
    """The implicit derivative agrees with finite differences at the same key."""

    def draw(mu: Any) -> Any:
        return truncated(normal(mu, 2.0), lower=0.5, upper=4.0).sample(jax.random.key(3), (5,))

    h = 1e-4
    value, slope = quick_jit(lambda mus: jax.vmap(lambda mu: jax.jvp(draw, (mu,), (1.0,)))(mus))(
        jnp.array([1 - h, 1.0, 1 + h])
    )
    np.testing.assert_allclose(slope[1], (value[2] - value[0]) / (2 * h), rtol=1e-5)


def test_transformed_normal_is_log_normal() -> None:
    x = jnp.array([-1.0, 0.0, 0.1, 1.0, 7.0])
    d = transformed(normal(0.3, 0.7), jnp.exp)
    np.testing.assert_allclose(d.log_prob(x), stats.lognorm(0.7, scale=np.exp(0.3)).logpdf(x), rtol=1e-12)


def test_transformed_by_a_closure_over_a_traced_value() -> None:
    def log_density(a: Any) -> Any:
        return transformed(normal(), lambda x: a * x + 1.0).log_prob(2.0)

    np.testing.assert_allclose(quick_jit(log_density)(3.0), stats.norm(1.0, 3.0).logpdf(2.0), rtol=1e-12)
    h = 1e-5
    np.testing.assert_allclose(
        jax.grad(log_density)(3.0), (log_density(3.0 + h) - log_density(3.0 - h)) / (2 * h), rtol=1e-8
    )


def test_transformed_vector() -> None:
    base = make("MultiNormal", {"loc": np.zeros(2), "cov": np.array([[1.0, 0.5], [0.5, 1.0]])})
    d = transformed(base, jnp.exp)
    y = jnp.array([0.5, 2.0])
    expected = stats.multivariate_normal(np.zeros(2), [[1, 0.5], [0.5, 1]]).logpdf(np.log(y)) - np.log(y).sum()
    np.testing.assert_allclose(d.log_prob(y), expected, rtol=1e-12)
    assert np.isneginf(d.log_prob(jnp.array([-0.5, 2.0])))


@pytest.mark.parametrize("f", [lambda x: x**2, lambda x: x + jnp.exp(x), lambda x: jnp.sin(x)])
def test_what_cannot_be_inverted_is_rejected(f: Any) -> None:
    with pytest.raises(DistributionError, match="cannot invert"):
        transformed(normal(), f)


def test_ordered_is_the_law_of_sorted_draws() -> None:
    """Density 2! ∏ on x₁ ≤ x₂: its integral over the half-plane is one; −∞ where out of order."""
    d = make("ordered", {"D": make("Gamma", {"shape": 2.0, "rate": 1.0}), "K": 2})
    x = np.linspace(0.01, 30, 800)
    first, second = np.meshgrid(x, x, indexing="ij")
    mass = np.exp(np.asarray(d.log_prob(jnp.stack([first, second], -1))))
    np.testing.assert_allclose(mass.sum() * (x[1] - x[0]) ** 2, 1, rtol=1e-2)
    assert np.isneginf(d.log_prob(jnp.array([2.0, 1.0])))
    assert bool((jnp.diff(d.sample(jax.random.key(0), (50,)), axis=-1) > 0).all())


def test_iid_is_a_product_over_one_event() -> None:
    d = make("iid", {"D": normal(np.array([0.0, 5.0])), "n": 3})
    assert d.event_shape == (3, 2) and d.batch_shape == ()
    x = d.sample(jax.random.key(0))
    np.testing.assert_allclose(d.log_prob(x), stats.norm([0.0, 5.0]).logpdf(x).sum(), rtol=1e-12)


def test_mixture_of_vectors() -> None:
    parts = [make("iid", {"D": normal(m), "n": 2}) for m in (-1.0, 2.0)]
    d = make("mixture", {"weights": np.array([0.25, 0.75]), "D": parts})
    x = np.array([0.3, 1.0])
    expected = np.log(0.25 * np.exp(stats.norm(-1).logpdf(x).sum()) + 0.75 * np.exp(stats.norm(2).logpdf(x).sum()))
    np.testing.assert_allclose(d.log_prob(x), expected, rtol=1e-12)
    assert d.sample(jax.random.key(0), (4,)).shape == (4, 2)


def test_mixture_has_finite_gradients_where_components_are_impossible() -> None:
    parts = [make("Uniform", {"low": 0.0, "high": 1.0}), normal()]
    gradient = quick_jit(jax.grad(lambda w, x: make("mixture", {"weights": w, "D": parts}).log_prob(x), (0, 1)))
    for weights in ([0.5, 0.5], [0.0, 1.0], [1.0, 0.0]):
        assert all(np.isfinite(g).all() for g in gradient(jnp.array(weights), 2.0)), weights


def test_finite_supports() -> None:
    def values(d: Any) -> list[Any] | None:
        v = support_values(d)
        return None if v is None else np.asarray(v).tolist()

    assert values(make("Bernoulli", {"p": 0.5})) == [False, True]
    assert values(make("Categorical", {"p": np.full((4, 3), 1 / 3)})) == [0, 1, 2]
    assert values(make("Binomial", {"n": np.array([2, 3]), "p": 0.5})) == [0, 1, 2, 3]
    assert values(make("DiscreteUniform", {"low": -1, "high": 1}, (2,))) == [-1, 0, 1]
    assert values(make("Discrete", {"values": np.array([1.5, 4.0]), "p": np.array([0.5, 0.5])})) == [1.5, 4.0]
    assert values(make("OrderedLogistic", {"eta": 0.0, "cutpoints": np.array([0.0])})) == [0, 1]
    assert values(COUNTS["poisson between"]()) == [2, 3, 4, 5]
    assert values(make("ZeroInflated", {"p": 0.5, "D": make("Binomial", {"n": 2, "p": 0.5})})) == [0, 1, 2]
    assert values(
        make("mixture", {"weights": np.array([0.5, 0.5]), "D": make("Bernoulli", {"p": np.array([0.1, 0.9])})})
    ) == [False, True]
    assert values(make("Poisson", {"rate": 1.0})) is None and values(normal()) is None
    assert quick_jit(lambda n: jnp.asarray(support_values(make("Binomial", {"n": n, "p": 0.5})) is None))(3)


def test_clear_errors() -> None:
    with pytest.raises(DistributionError, match="over scalars"):
        truncated(make("Dirichlet", {"concentration": np.ones(2)}), lower=0.0)
    with pytest.raises(DistributionError, match="counts"):
        make("ZeroInflated", {"p": 0.5, "D": normal()})
    with pytest.raises(DistributionError, match="continuous"):
        make("ordered", {"D": make("Poisson", {"rate": 1.0}), "K": 2})
    with pytest.raises(DistributionError, match="as many components"):
        make("mixture", {"weights": np.array([0.5, 0.5]), "D": normal(np.zeros(3))})


def test_truncation_without_a_distribution_function_says_what_is_needed():
    import numpyro.distributions as dist

    class Bare(dist.Distribution):
        support = dist.constraints.real

        def log_prob(self, value):
            return -jnp.abs(value)

    with pytest.raises(DistributionError, match="needs the distribution function of D"):
        truncated(Bare(), lower=0.0)
