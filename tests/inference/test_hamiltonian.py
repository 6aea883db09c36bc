"""NUTS and HMC: right moments, invariance, adaptation.

Each test compares at most 20 numbers with their exact values, within 5 standard errors: false-alarm rate under 2e-5."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ppl.core.errors import NumericalError
from ppl.core.functional import FunctionalTarget, positive, real
from ppl.inference.adapters.blackjax import Adaptation, hmc_kernel, nuts_kernel
from ppl.inference.flat import differentiated_once, evaluate, layout
from ppl.inference.methods.hmc import Hmc
from ppl.inference.methods.nuts import Nuts
from ppl.runtime.execution import execute
from tests.inference.targets import COVARIANCE, MEAN, banana, batch_error, gaussian_and_gamma

METHODS = [Nuts(chains=4, warmup=400, draws=1500), Hmc(chains=4, warmup=400, draws=1500, steps=8, metric="dense")]


@pytest.fixture(scope="module", params=METHODS, ids=lambda m: m.name)
def run(request):
    return request.param, execute(gaussian_and_gamma(), request.param, seed=11)


def test_moments(run):
    _, posterior = run
    x, s = posterior.draws["x"], posterior.draws["s"]
    assert x.shape == (4, 1500, 3) and s.shape == (4, 1500)
    centred = x - MEAN
    second = centred[..., :, None] * centred[..., None, :]
    for draws, exact in ((x, MEAN), (s, 1.5), ((s - 1.5) ** 2, 0.75), (second, COVARIANCE)):
        assert np.all(np.abs(draws.mean((0, 1)) - exact) < 5 * batch_error(draws))
    np.testing.assert_allclose(posterior.outputs["twice"], 2 * s)


def test_step_size_is_adapted_and_then_fixed(run):
    method, posterior = run
    assert method.target_accept - 0.1 < posterior.stats["acceptance_rate"].mean() < 0.97
    steps = posterior.stats["step_size"]
    assert (steps == steps[:, :1]).all() and len(set(steps[:, 0])) == 4  # each chain's own


@pytest.mark.parametrize("target", [0.6, 0.8, 0.95])
def test_dual_averaging_finds_the_step_of_the_target_acceptance(target):
    """A chain that accepts with mean exp(−step), give or take 0.05, should step −log target."""
    adaptation = Adaptation(target, dense=False)

    @jax.jit
    def adapt(state, noise):
        return jax.lax.scan(
            lambda s, e: (adaptation.update_step_size(s, jnp.exp(-s["step_size"]) + e), None), state, noise
        )[0]

    state = jax.tree.map(jnp.asarray, adaptation.init(1, 1.0))
    state = jax.tree.map(lambda a: a.astype(a.dtype), state)
    final = adaptation.final_step_size(adapt(state, 0.05 * jax.random.normal(jax.random.key(0), (2000,))))
    assert abs(float(jnp.exp(-final["step_size"])) - target) < 0.01


def test_the_metric_of_a_window_is_the_shrunk_covariance():
    draws = np.random.default_rng(0).normal(size=(200, 2)) * [1.0, 3.0]
    adaptation = Adaptation(0.8, dense=True)
    state = adaptation.init(2, 0.5)
    for draw in draws:
        state = adaptation.accumulate(state, draw)
    n = len(draws)
    state = adaptation.end_window(state)
    expected = n / (n + 5) * np.cov(draws.T) + 1e-3 * 5 / (n + 5) * np.eye(2)
    np.testing.assert_allclose(state["inverse_mass"], expected, rtol=1e-10)
    assert int(state["welford"]["sample_size"]) == 0 and int(state["dual"]["step"]) == 1


def test_statistics_are_complete(run):
    method, posterior = run
    names = {"diverging", "acceptance_rate", "energy", "n_steps", "lp", "step_size"} | (
        {"tree_depth"} if method.name == "nuts" else set()
    )
    assert set(posterior.stats) == names
    assert all(v.shape == (4, 1500) for v in posterior.stats.values())
    assert posterior.stats["diverging"].sum() == 0 and not posterior.warnings
    assert posterior.complete and posterior.log_weights is None and posterior.timing.sample_s > 0


@pytest.mark.parametrize("kernel", [lambda d: nuts_kernel(d, 5), lambda d: hmc_kernel(d, 5)], ids=["nuts", "hmc"])
def test_transitions_leave_the_target_invariant(kernel):
    """Exact draws stay exact draws after a transition with a step size that is far too large to be accurate."""
    n, target = 20_000, banana()
    where = layout(target)
    shared = differentiated_once(lambda u, _: target.log_density_unconstrained(where.unravel(u)))

    def density(u):
        return shared(u, ())

    x, noise = jax.random.normal(jax.random.key(3), (2, n))
    start = jnp.stack([x, 0.5 * x**2 + noise], axis=1)

    @jax.jit
    @jax.vmap
    def transition(key, position):
        return kernel(density)(key, evaluate(density, position), jnp.asarray(0.9), jnp.ones(2))

    moved, info = transition(jax.random.split(jax.random.key(4), n), start)
    v = np.asarray(moved["position"])
    x, r = v[:, 0], v[:, 1] - 0.5 * v[:, 0] ** 2
    assert 0.2 < float(info["acceptance_rate"].mean()) < 0.95
    for draws, exact in ((x, 0), (x**2, 1), (r, 0), (r**2, 1), (x * r, 0), (x**3, 0), (np.abs(x) < 0.5, 0.382925)):
        assert abs(draws.mean() - exact) < 5 * draws.std() / np.sqrt(n)


def test_no_finite_start_names_the_site_and_the_points():
    target = FunctionalTarget(
        {"mu": real(), "tau": positive()},
        lambda t: jnp.log(-t["tau"]) + t["mu"],
        terms=lambda t: {"mu": t["mu"], "y": jnp.log(-t["tau"])},
    )
    with pytest.raises(NumericalError) as error:
        execute(target, Nuts(chains=2, warmup=10, draws=10))
    assert error.value.exit_code == 5
    for part in ("2 of 2 chains found none in 100 attempts", "`y` gives nan", "tried mu = ", "init_radius"):
        assert part in str(error.value)


def test_an_infinite_gradient_is_no_start():
    target = FunctionalTarget({"x": real()}, lambda t: -jnp.sqrt(jnp.abs(t["x"] * 0)) - t["x"] ** 2)
    with pytest.raises(NumericalError, match="the gradient is not finite in `x`"):
        execute(target, Hmc(chains=1, warmup=5, draws=5))


def test_divergences_are_told_with_a_next_step():
    from ppl.inference.mcmc.diagnose import warnings_of

    stats = {
        "diverging": np.array([[True, False], [False, False]]),
        "tree_depth": np.full((2, 2), 10),
        "energy": np.zeros((2, 2)),
    }
    said = warnings_of(stats, 10, 0.8)
    assert "1 of 4 transitions diverged (by chain: 1, 0)" in said[0] and "target_accept=0.95" in said[0]
    assert "max_depth=12" in said[1]
