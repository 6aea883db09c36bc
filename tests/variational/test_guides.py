"""Automatic guides: densities that integrate to one and belong to their draws, exact gradients, the graph of the
model."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ppl.core.errors import MethodError, UsageError
from ppl.core.functional import FunctionalTarget, positive, real
from ppl.inference.flat import layout
from ppl.inference.methods.base import Call
from ppl.inference.variational import guides
from ppl.inference.variational.guides import spline
from ppl.inference.variational.guides.structured import dependences, elimination
from ppl.inference.variational.start import AtMode, Near
from ppl.runtime.execution import execute
from tests.inference.targets import COVARIANCE, MEAN, gaussian_and_gamma, two_coins

GAUSSIAN = ["mean_field", "full_rank", "low_rank", "structured"]
ALL = [*GAUSSIAN, "flow"]
PRECISION = np.linalg.inv(COVARIANCE)


def guide_of(target, name, start=Near()):
    arguments = {"low_rank": (2,), "flow": (2, 3, 4)}.get(name, ())
    return guides.guide(target, start, Call(name, arguments))[0]


def moved(params, seed=1, size=0.2):
    """``params`` with noise, so that no part of them is special."""
    leaves, structure = jax.tree.flatten(params)
    keys = jax.random.split(jax.random.key(seed), len(leaves))
    return jax.tree.unflatten(
        structure, [a + size * jax.random.normal(k, a.shape) for a, k in zip(leaves, keys, strict=True)]
    )


def plane():
    return FunctionalTarget({"a": real(), "b": positive()}, lambda t: -(t["a"] ** 2) * t["b"] - t["b"])


@pytest.mark.parametrize("name", ALL)
def test_the_density_integrates_to_one_and_is_that_of_the_draws(name):
    guide = guide_of(plane(), name)
    params = moved(jax.jit(guide.at)(jnp.zeros(2), jnp.array([0.8, 0.6]), jax.random.key(0)))
    grid = np.linspace(-8, 8, 321)
    u = jnp.stack(jnp.meshgrid(grid, grid, indexing="ij"), -1).reshape(-1, 2)
    density = np.exp(jax.jit(jax.vmap(lambda v: guide.log_density_free(params, v)))(u))
    cell = (grid[1] - grid[0]) ** 2
    assert density.sum() * cell == pytest.approx(1.0, abs=2e-3 if name == "flow" else 1e-6)
    draws, log_q = jax.jit(jax.vmap(lambda k: guide.draw(params, k)))(jax.random.split(jax.random.key(2), 4000))
    np.testing.assert_allclose(log_q, jax.jit(jax.vmap(lambda v: guide.log_density_free(params, v)))(draws), atol=1e-8)
    moments = np.concatenate([u, u**2], 1)
    exact = density @ moments * cell
    found = np.concatenate([draws, draws**2], 1)
    assert np.all(np.abs(found.mean(0) - exact) < 5 * found.std(0) / np.sqrt(4000) + 5e-3)  # false alarms: 2e-6


@pytest.mark.parametrize("name", ["full_rank", "low_rank"])
def test_on_traces_the_density_carries_the_jacobian(name):
    guide = guide_of(gaussian_and_gamma(), name)
    params = moved(guide.at(jnp.zeros(4), jnp.full(4, 0.5), jax.random.key(0)))

    @jax.jit
    def densities(key):
        trace, log_q = guide.sim(params, key)
        u = guide.layout.ravel(guide.target.unconstrain(trace))
        return (
            trace["s"],
            log_q,
            guide.log_density(params, trace),
            guide.log_density_free(params, u) - jnp.log(trace["s"]),
        )

    s, log_q, *same = densities(jax.random.key(1))
    assert float(s) > 0
    np.testing.assert_allclose(same, log_q, atol=1e-9)


@pytest.mark.parametrize("name", GAUSSIAN)
def test_gradient_of_the_elbo_against_its_closed_form(name):
    """For γ = Normal(MEAN, COVARIANCE) and q = Normal(m, Σ): ELBO = −½ tr(Λ Σ) − ½ (m − μ)ᵀ Λ (m − μ) + ½ log det Σ +
    c."""
    target = FunctionalTarget({"x": real(3)}, lambda t: -0.5 * (t["x"] - MEAN) @ PRECISION @ (t["x"] - MEAN))
    guide = guide_of(target, name)
    params = moved(guide.at(jnp.zeros(3), jnp.ones(3), jax.random.key(0)))

    def closed(p):
        own = -jax.hessian(lambda u: guide.log_density_free(p, u))(p["loc"])
        covariance, gap = jnp.linalg.inv(own), p["loc"] - MEAN
        spread = jnp.trace(PRECISION @ covariance)
        return -0.5 * (spread + gap @ PRECISION @ gap) + 0.5 * jnp.linalg.slogdet(covariance)[1]

    def sampled(p, key):
        trace, log_q = guide.sim(p, key)
        return target.log_density(trace) - log_q

    exact = jax.jit(jax.grad(closed))(params)
    n = 4000
    found = jax.jit(jax.vmap(jax.grad(sampled), (None, 0)))(params, jax.random.split(jax.random.key(3), n))

    def agrees(gradients, tolerance=5.0):  # false-alarm rate below 1e-5 over all coordinates
        return all(
            np.all(np.abs(g.mean(0) - e) <= tolerance * g.std(0) / np.sqrt(n) + 1e-9)
            for g, e in zip(jax.tree.leaves(gradients), jax.tree.leaves(exact), strict=True)
        )

    assert agrees(found)
    mutant = jax.jit(jax.vmap(jax.grad(lambda p, k: target.log_density(guide.sim(p, k)[0])), (None, 0)))
    assert not agrees(mutant(params, jax.random.split(jax.random.key(3), n)))  # the entropy is left out


def test_splines_invert_and_know_their_slope():
    raw = 2 * jax.random.normal(jax.random.key(0), (50, 3 * 6 - 1))
    knots = spline.knots(raw, 6, 4.0)
    x = jnp.linspace(-5, 5, 50)
    y, log_slope = jax.jit(spline.forward)(knots, x)
    back, same_slope = jax.jit(spline.inverse)(knots, y)
    np.testing.assert_allclose(back, x, atol=1e-9)
    np.testing.assert_allclose(same_slope, log_slope, atol=1e-7)
    slopes = jax.jit(jax.vmap(jax.grad(lambda k, v: spline.forward(k, v)[0], 1)))(knots, x)
    np.testing.assert_allclose(jnp.log(slopes), log_slope, atol=1e-9)
    identity = spline.knots(jnp.zeros((50, 17)), 6, 4.0)
    np.testing.assert_allclose(jax.jit(spline.forward)(identity, x)[0], x, atol=1e-12)


def test_elimination_of_a_tree_has_no_fill():
    """Ten groups that share two coordinates, 0 and 1: the groups go first and 2 · 10 + 1 places are left below the
    diagonal."""
    adjacent = np.eye(12, dtype=bool)
    adjacent[:2, :] = adjacent[:, :2] = True
    order, below = elimination(adjacent)
    assert set(order[-2:]) == {0, 1} and len(below) == 21


def test_the_pattern_holds_the_cholesky_factor():
    rng = np.random.default_rng(0)
    for _ in range(20):
        adjacent = rng.random((8, 8)) < 0.2
        adjacent |= adjacent.T
        matrix = np.where(adjacent, rng.normal(size=(8, 8)), 0.0)
        matrix = matrix + matrix.T + 20 * np.eye(8)
        order, below = elimination(matrix != 0)
        factor = np.linalg.cholesky(matrix[np.ix_(order, order)])
        places = {(i, j) for i, j in np.argwhere(np.abs(np.tril(factor, -1)) > 1e-14).tolist()}
        assert places <= set(below)


def test_the_graph_is_read_from_the_density():
    """A chain of four: neighbours share a factor, others do not."""

    def log_density(t):
        x = t["x"]
        return -0.5 * x[0] ** 2 - jnp.sum(jnp.cosh(x[1:] - 0.5 * x[:-1]))

    target = FunctionalTarget({"x": real(4)}, log_density)
    near = np.abs(np.subtract.outer(np.arange(4), np.arange(4))) <= 1
    np.testing.assert_array_equal(dependences(target, layout(target)), near)


def test_the_laplace_start_is_the_posterior_of_a_gaussian():
    target = FunctionalTarget({"x": real(3)}, lambda t: -0.5 * (t["x"] - MEAN) @ PRECISION @ (t["x"] - MEAN))
    for name, covariance in (
        ("full_rank", COVARIANCE),
        ("structured", COVARIANCE),
        ("mean_field", np.diag(1 / np.diag(PRECISION))),
    ):
        guide = guide_of(target, name, AtMode())
        params = jax.jit(guide.initial)(jax.random.key(0))
        np.testing.assert_allclose(params["loc"], MEAN, atol=1e-6)
        own = -jax.jit(jax.hessian(lambda u: guide.log_density_free(params, u)))(params["loc"])  # noqa: B023
        np.testing.assert_allclose(np.linalg.inv(own), covariance, atol=1e-6)


def test_discrete_variables_need_a_written_guide():
    with pytest.raises(MethodError, match="`a`, `b` are discrete(.|\n)*write a guide that draws `a`, `b`"):
        from ppl.inference.methods.vi import Vi

        execute(two_coins(), Vi())


def test_a_guide_that_does_not_exist_or_takes_other_arguments():
    with pytest.raises(UsageError, match="no guide `mean_feld`; did you mean `mean_field`"):
        guides.guide(plane(), Near(), Call("mean_feld"))
    with pytest.raises(UsageError, match="write low_rank\\(rank=5\\)"):
        guides.guide(plane(), Near(), Call("low_rank", (1, 2)))
    with pytest.raises(UsageError, match="`rank` of a guide is 0"):
        guides.guide(plane(), Near(), Call("low_rank", (0,)))
