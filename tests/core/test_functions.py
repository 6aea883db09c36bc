"""Functions and operators: values, types, edges, gradients."""

from __future__ import annotations

import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

from ppl.core.distributions import make
from ppl.core.distributions.errors import DistributionError
from ppl.core.errors import UsageError
from ppl.core.functions import FUNCTIONS as F
from ppl.core.numerics import log_sigmoid, softplus
from tests.core.compilation import quick_jit

inf = np.inf
X = np.array([0.1, 0.5, 0.9])

ELEMENTWISE: dict[str, Any] = {
    "exp": np.exp, "log": np.log, "log1p": np.log1p, "expm1": np.expm1, "sqrt": np.sqrt, "abs": np.abs, "sign": np.sign,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "sigmoid": special.expit, "logit": special.logit,
    "softplus": lambda x: np.log1p(np.exp(x)), "erf": special.erf, "normal_cdf": special.ndtr,
    "normal_quantile": special.ndtri,
    "gamma": special.gamma, "lgamma": special.gammaln, "digamma": special.digamma, "floor": np.floor,
    "ceil": np.ceil, "round": np.round,
    "mean": np.mean, "var": np.var, "sd": np.std, "norm": np.linalg.norm, "logsumexp": special.logsumexp,
    "logmeanexp": lambda x: np.log(np.mean(np.exp(x))), "softmax": special.softmax, "log_softmax": special.log_softmax,
    "sum": np.sum, "prod": np.prod, "min": np.min, "max": np.max, "cumsum": np.cumsum, "cumprod": np.cumprod,
    "sort": np.sort,
    "argsort": np.argsort, "argmin": np.argmin, "argmax": np.argmax, "length": len, "diag": np.diag,
}  # fmt: skip


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_values(name: str) -> None:
    np.testing.assert_allclose(F[name](jnp.asarray(X)), ELEMENTWISE[name](X), rtol=1e-12, atol=1e-14)


def test_two_arguments() -> None:
    a, b = jnp.array([1.0, -2.0, 3.0]), jnp.array([2.0, 0.5, -1.0])
    for name, reference in [("+", np.add), ("-", np.subtract), ("*", np.multiply), ("/", np.divide), ("%", np.mod),
                            ("<", np.less), ("<=", np.less_equal), (">", np.greater), (">=", np.greater_equal),
                            ("==", np.equal),
                            ("!=", np.not_equal), ("min", np.minimum), ("max", np.maximum), ("atan2", np.arctan2),
                            ("dot", np.dot), ("@", np.dot), ("outer", np.outer)]:  # fmt: skip
        np.testing.assert_allclose(F[name](a, b), reference(a, b), rtol=1e-13, err_msg=name)
    np.testing.assert_allclose(F["beta"](2.5, 0.5), special.beta(2.5, 0.5), rtol=1e-12)
    np.testing.assert_allclose(F["lbeta"](1e8, 1e-3), special.betaln(1e8, 1e-3), rtol=1e-10)
    np.testing.assert_array_equal(F["clip"](a, 0.0, 2.0), [1.0, 0.0, 2.0])
    np.testing.assert_array_equal(F["where"](a > 0, a, b), [1.0, 0.5, 3.0])
    np.testing.assert_array_equal(F["interp"](0.25, jnp.array([0.0, 1.0]), jnp.array([2.0, 4.0])), 2.5)


def test_integer_arithmetic() -> None:
    """Division of ints is real, % has the sign of the divisor, powers of ints stay ints for a literal exponent ≥ 0."""
    assert F["/"](1, 2) == 0.5
    assert F["%"](-7, 3) == 2 and F["%"](7, -3) == -2 and F["%"](-7.5, 2.0) == 0.5
    assert F["^"](3, 4) == 81 and jnp.issubdtype(F["^"](jnp.array(3), 4).dtype, jnp.integer)
    assert F["^"](2, -1) == 0.5
    assert F["^"](jnp.array(-2.0), 3) == -8 and F["^"](-2.0, 2.0) == 4 and F["^"](jnp.array(-2.0), jnp.array(3)) == -8
    assert F["^"](0.0, 0.0) == 1 and F["^"](0.0, 2.5) == 0
    for name in ("floor", "ceil", "round", "argmin"):
        assert jnp.issubdtype(F[name](jnp.array([1.5, 2.5])).dtype, jnp.integer)
    np.testing.assert_array_equal(F["round"](jnp.array([0.5, 1.5, -2.5])), [0, 2, -2])
    assert F["+"](True, 1) == 2 and F["sum"](jnp.array([True, True])) == 2


@pytest.mark.parametrize("f, x, slope", [
    (lambda x: F["sqrt"](x), 0.0, 0.0),
    (lambda x: F["abs"](x), 0.0, 0.0),
    (lambda x: F["norm"](x * jnp.ones(3)), 0.0, 0.0),
    (lambda x: F["sd"](x * jnp.ones(3)), 1.0, 0.0),
    (lambda x: F["^"](x, 2.0), 0.0, 0.0),
    (lambda x: F["^"](x, 1.0), 0.0, 1.0),
    (lambda x: F["^"](x, jnp.array(1.5)), 0.0, 0.0),
    (lambda x: F["^"](0.0, x), 2.0, 0.0),
    (lambda x: F["logsumexp"](jnp.array([-inf, -inf]) + 0 * x), 0.0, 0.0),
    (lambda x: F["where"](x > 0, x, 0.0), -1.0, 0.0),
    (lambda x: F["softplus"](x), 800.0, 1.0),
    (lambda x: F["softplus"](x), -800.0, 0.0),
])  # fmt: skip
def test_gradients_at_edges_are_finite(f: Any, x: float, slope: float) -> None:
    assert jax.grad(lambda x: jnp.sum(f(x)))(x) == slope


def test_stability() -> None:
    assert F["logsumexp"](jnp.array([1000.0, 1000.0])) == 1000 + np.log(2)
    assert F["logsumexp"](jnp.array([-inf, 1.0])) == 1 and F["logsumexp"](jnp.array([-inf, -inf])) == -inf
    np.testing.assert_allclose(F["log_softmax"](jnp.array([0.0, 1000.0])), [-1000.0, 0.0])
    np.testing.assert_allclose(F["normal_quantile"](1e-300), special.ndtri(1e-300), rtol=1e-10)
    np.testing.assert_allclose(F["logit"](1e-300), np.log(1e-300), rtol=1e-13)
    np.testing.assert_allclose(F["norm"](jnp.array([3e200, 4e200])), 5e200, rtol=1e-14)
    assert F["logit"](0.0) == -inf and F["logit"](1.0) == inf


def test_linear_algebra() -> None:
    A, b = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([1.0, -2.0])
    L = np.linalg.cholesky(A)
    for name, value, expected in [
        ("transpose", F["transpose"](L), L.T), ("inverse", F["inverse"](A), np.linalg.inv(A)), ("det", F["det"](A),
        np.linalg.det(A)),
        ("logdet", F["logdet"](-A), np.log(np.linalg.det(A))), ("cholesky", F["cholesky"](A), L),
        ("solve", F["solve"](A, b), np.linalg.solve(A, b)), ("columns", F["solve"](A, A), np.eye(2)),
        ("solve_tri", F["solve_tri"](L, b), np.linalg.solve(L, b)), ("quad_form", F["quad_form"](A, b), b @ A @ b),
        ("diag", F["diag"](b), np.diag(b)), ("matrix", F["@"](A, b), A @ b), ("permute", F["permute"](np.ones((2, 3,
        4)), 2, 0, 1), np.ones((4, 2, 3))),
    ]:  # fmt: skip
        np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-14, err_msg=name)


def test_constructors() -> None:
    assert F["zeros"](2, 3).shape == F["ones"](2, 3).shape == F["full"](2, 3, 1.5).shape == (2, 3)
    assert F["full"](2, jnp.ones(3)).shape == (2, 3) and F["full"](2, 7).dtype.kind == "i"
    np.testing.assert_array_equal(F["eye"](2), np.eye(2))
    np.testing.assert_array_equal(F["arange"](3), [0, 1, 2])
    np.testing.assert_array_equal(F["linspace"](0, 1, 3), [0.0, 0.5, 1.0])
    np.testing.assert_array_equal(F["concat"](jnp.ones(1), jnp.zeros(2)), [1, 0, 0])
    assert F["stack"](jnp.ones(2), jnp.zeros(2)).shape == (2, 2) and F["reshape"](jnp.arange(6), 2, 3).shape == (2, 3)


def test_equality_and_selection_of_structures() -> None:
    a, b = (1.0, {"x": jnp.arange(2)}), (1.0, {"x": jnp.array([0, 2])})
    assert F["=="](a, a) and not F["=="](a, b) and F["!="](a, b)
    assert F["select"](jnp.array(False), a, b)[1]["x"][1] == 2


def test_distributions_as_arguments() -> None:
    d = make("Normal", {"loc": jnp.zeros(3), "scale": 1.0})
    assert F["logprob"](d, jnp.zeros(3)) == F["logpdf"](d, jnp.zeros(3))
    np.testing.assert_allclose(F["logprob"](d, jnp.zeros(3)), -1.5 * np.log(2 * np.pi))
    np.testing.assert_allclose(F["cdf"](make("Poisson", {"rate": 2.0}), 1), 3 * np.exp(-2))
    with pytest.raises(DistributionError, match="distribution function"):
        F["cdf"](make("Dirichlet", {"concentration": np.ones(2)}), np.full(2, 0.5))


def test_fori() -> None:
    assert F["fori"](0, 5, lambda i, x: x + i, 0) == 10
    assert F["fori"](3, 3, lambda i, x: x + i, 1.5) == 1.5
    assert F["fori"](1, 4, lambda i, x: x / 2, 8) == 1  # an int state that turns real
    assert jax.grad(lambda a: F["fori"](0, 3, lambda i, x: a * x, 1.0))(2.0) == 12


def test_ode_solve() -> None:
    """y'' = −a² y: a rotation, and its derivative by a."""
    ts = jnp.array([0.0, 0.5, 3.0])

    def states(a: Any) -> Any:
        return F["ode_solve"](lambda t, y: jnp.stack([y[1], -(a**2) * y[0]]), jnp.stack([0.0, a]), 0.0, ts)

    def last(a: Any) -> Any:
        y = states(a)[:, 0]
        return y[-1], y

    (_, y), slope = quick_jit(jax.value_and_grad(last, has_aux=True))(1.5)
    np.testing.assert_allclose(y, np.sin(1.5 * ts), atol=1e-5)
    np.testing.assert_allclose(slope, 3 * np.cos(4.5), atol=1e-4)


def test_ode_solve_names_its_extra_where_diffrax_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "diffrax", None)
    with pytest.raises(UsageError, match=r"pip install ppl\[ode\]"):
        F["ode_solve"](lambda t, y: y, jnp.ones(1), 0.0, jnp.ones(1))


def test_log_beta_is_exact_for_all_sizes() -> None:
    from ppl.core.numerics import log_beta, log_choose

    grid = 10.0 ** np.linspace(-3, 8, 23)
    a, b = np.meshgrid(grid, grid)
    value = log_beta(a, b)
    np.testing.assert_allclose(value, special.betaln(a, b), rtol=2e-9, atol=1e-12)  # as exact as scipy's own
    step = log_beta(a + 1, b) - value  # B(a + 1, b) = B(a, b) a / (a + b)
    np.testing.assert_allclose(step, np.log(a / (a + b)), rtol=1e-10, atol=1e-15 * np.abs(value).max())
    np.testing.assert_allclose(log_choose(1e6, 3.0), np.log(1e6 * (1e6 - 1) * (1e6 - 2) / 6), rtol=1e-13)


def test_softplus_and_its_derivatives_at_all_scales():
    """Against SciPy; the first derivative is the logistic function, the second its slope."""
    points = [-800.0, -40.0, -1.5, 0.0, 1e-9, 2.0, 35.0, 800.0]
    x = jnp.asarray(points)
    slope = jax.vmap(jax.grad(softplus))
    np.testing.assert_allclose(softplus(x), -special.log_expit(-np.array(points)), rtol=1e-14)
    np.testing.assert_allclose(log_sigmoid(x), special.log_expit(points), rtol=1e-14)
    np.testing.assert_allclose(slope(x), special.expit(points), rtol=1e-14)
    curve = jax.vmap(jax.grad(jax.grad(softplus)))(x)
    np.testing.assert_allclose(curve, special.expit(points) * special.expit(-np.array(points)), rtol=1e-12, atol=1e-15)
    assert float(softplus(jnp.inf)) == np.inf and float(softplus(-jnp.inf)) == 0
    assert float(jax.grad(softplus)(-jnp.inf)) == 0
