"""Bijections: their laws, on every kind of support."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpyro.distributions import constraints

from ppl.core.bijections import bijector
from ppl.core.distributions import make
from ppl.core.distributions.errors import DistributionError
from tests.core.compilation import quick_jit


def support(name: str, args: dict[str, Any]) -> Any:
    return make(name, args).support


def normal() -> Any:
    return make("Normal", {"loc": 0.0, "scale": 1.0})


def _lower(x: Any) -> Any:
    return x[np.tril_indices(x.shape[0])]


def _strictly_lower(x: Any) -> Any:
    return x[np.tril_indices(x.shape[0], -1)]


# name -> (constraint, shape of a value, the free coordinates of a value)
CASES: dict[str, tuple[Any, tuple[int, ...], Any]] = {
    "real": (constraints.real, (3,), lambda x: x),
    "positive": (constraints.positive, (3,), lambda x: x),
    "above": (constraints.greater_than(np.array([1.0, -2.0, 0.0])), (3,), lambda x: x),
    "at least": (constraints.greater_than_eq(2.0), (), lambda x: x),
    "below": (constraints.less_than(2.0), (2,), lambda x: x),
    "interval": (constraints.interval(-1.0, 4.0), (2, 2), lambda x: x),
    "interval per element": (support("Uniform", {"low": 0.0, "high": np.array([1.0, 9.0])}), (2,), lambda x: x),
    "unit interval": (constraints.unit_interval, (2,), lambda x: x),
    "circle": (support("VonMises", {"loc": 0.0, "concentration": 1.0}), (2,), lambda x: x),
    "simplex": (constraints.simplex, (4,), lambda x: x[..., :-1]),
    "simplex of one": (constraints.simplex, (1,), lambda x: x[..., :-1]),
    "simplices": (constraints.simplex, (2, 3), lambda x: x[..., :-1]),
    "ordered": (constraints.ordered_vector, (4,), lambda x: x),
    "positive ordered": (constraints.positive_ordered_vector, (3,), lambda x: x),
    "ordered in an interval": (support("ordered", {"D": make("Beta", {"a": 1.0, "b": 1.0}), "K": 3}), (3,),
    lambda x: x),
    "ordered below": (support("ordered", {"D": make("truncated", {"D": normal(), "upper": 1.0}), "K": 3}), (3,),
    lambda x: x),
    "ordered above": (support("ordered", {"D": make("truncated", {"D": normal(), "lower": 1.0}), "K": 3}), (3,),
    lambda x: x),
    "covariance": (constraints.positive_definite, (3, 3), _lower),
    "correlation": (constraints.corr_matrix, (3, 3), _strictly_lower),
    "factor of a covariance": (constraints.lower_cholesky, (3, 3), _lower),
    "factor of a correlation": (constraints.corr_cholesky, (3, 3), _strictly_lower),
    "correlation of one": (constraints.corr_matrix, (1, 1), _strictly_lower),
    "iid": (support("iid", {"D": make("Gamma", {"shape": 2.0, "rate": 1.0}), "n": 2}), (2,), lambda x: x),
    "image": (support("transformed", {"D": normal(), "f": lambda x: 3 - jnp.exp(2 * x)}), (3,), lambda x: x),
    "image of an interval": (
        support("transformed", {"D": make("Uniform", {"low": 1.0, "high": 2.0}), "f": lambda x: jnp.log(x)}), (3,),
        lambda x: x
    ),
    "truncated": (support("truncated", {"D": normal(), "lower": -1.0, "upper": 2.0}), (2,), lambda x: x),
    "mixture": (
        support("mixture", {"weights": np.full(2, 0.5), "D": make("Uniform", {"low": np.array([0.0, -1.0]),
        "high": 3.0})}),
        (2,), lambda x: x,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def evaluated() -> dict[str, Any]:
    with jax.enable_x64(True):

        @quick_jit
        def evaluate(us: dict[str, Any]) -> dict[str, Any]:
            out = {}
            for name, u in us.items():
                constraint, _, free = CASES[name]
                b = bijector(constraint)
                x, log_det = b.forward(u)
                J = jax.jacfwd(lambda u, b=b, free=free: free(b.forward(u)[0]).ravel())(u).reshape(u.size, u.size)
                out[name] = (x, log_det, b.inverse(x), jnp.linalg.slogdet(J)[1], constraint(x))
            return out

        rng = np.random.default_rng(3)
        us = {n: jnp.asarray(rng.normal(size=bijector(c).unconstrained_shape(s))) for n, (c, s, _) in CASES.items()}
        return {name: (us[name], *values) for name, values in jax.device_get(evaluate(us)).items()}


@pytest.mark.parametrize("name", CASES)
def test_laws(name: str, evaluated: dict[str, Any]) -> None:
    """inverse ∘ forward is the identity, forward lands in the support, log_det = log |det ∂x/∂u|."""
    u, x, log_det, back, expected, inside = evaluated[name]
    assert x.shape == CASES[name][1] and log_det.shape == ()
    assert np.all(inside)
    np.testing.assert_allclose(back, u, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(log_det, expected, rtol=1e-9, atol=1e-9)


def test_far_out_the_log_determinant_stays_finite() -> None:
    for constraint in (constraints.unit_interval, constraints.interval(-1.0, 1.0), constraints.positive):
        for u in (-300.0, 300.0):
            assert np.isfinite(bijector(constraint).forward(jnp.array(u))[1]), (constraint, u)


def test_discrete_supports_have_none() -> None:
    with pytest.raises(DistributionError, match="discrete"):
        bijector(support("Poisson", {"rate": 1.0}))


def test_bounds_that_are_traced() -> None:
    def log_density(u: Any, low: Any) -> Any:
        d = make("truncated", {"D": normal(), "lower": low})
        x, log_det = bijector(d.support).forward(u)
        return d.log_prob(x) + log_det

    u = jnp.linspace(-25.0, 25.0, 2001)
    total = jnp.sum(jnp.exp(quick_jit(jax.vmap(log_density, (0, None)))(u, 1.5))) * (u[1] - u[0])
    np.testing.assert_allclose(total, 1, rtol=1e-8)
