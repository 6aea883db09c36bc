"""The fit: closed-form optima, bounds, convergence, chunks, errors."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.scipy.stats import norm
from jax.scipy.stats import t as student

from ppl.core.errors import NumericalError, UsageError
from ppl.core.functional import FunctionalTarget, real
from ppl.inference.methods.parse import parse
from ppl.inference.methods.vi import Vi
from ppl.inference.variational import progress
from ppl.inference.variational.pareto import khat
from ppl.runtime.execution import execute
from tests.inference.targets import COVARIANCE, MEAN, conjugate

PRECISION = np.linalg.inv(COVARIANCE)
LOG_Z = 0.5 * np.linalg.slogdet(2 * np.pi * COVARIANCE)[1]


def conjugate_normal():
    """x ~ Normal(0, 1), 2 ~ Normal(x, 1): the posterior is Normal(1, 1/2), log p(2) = log Normal(2; 0, 2)."""
    return FunctionalTarget({"x": real()}, lambda t: norm.logpdf(t["x"]) + norm.logpdf(2.0, t["x"], 1.0))


def correlated():
    return FunctionalTarget({"x": real(3)}, lambda t: -0.5 * (t["x"] - MEAN) @ PRECISION @ (t["x"] - MEAN))


def test_mean_field_finds_the_conjugate_posterior():
    fit = execute(conjugate_normal(), parse("vi(mean_field, objective=stl)"), seed=1).fit
    assert float(fit.params["x.loc"]) == pytest.approx(1.0, abs=1e-4)
    assert float(fit.params["x.scale"]) ** 2 == pytest.approx(0.5, abs=1e-4)
    assert fit.bound.lower and fit.bound.value == pytest.approx(float(norm.logpdf(2.0, 0.0, np.sqrt(2))), abs=1e-6)


def test_full_rank_reaches_the_evidence_and_mean_field_its_own_optimum():
    """Mean field on a Gaussian has the variances 1/Λᵢᵢ and falls short by ½ (Σ log Λᵢᵢ − log det Λ)."""
    full = execute(correlated(), parse("vi(full_rank, objective=stl)"), seed=2).fit
    assert full.bound.value == pytest.approx(LOG_Z, abs=1e-3)
    np.testing.assert_allclose(full.params["covariance"], COVARIANCE, atol=0.01)
    half = execute(correlated(), parse("vi(mean_field)"), seed=2).fit
    np.testing.assert_allclose(half.params["x.loc"], MEAN, atol=0.05)
    np.testing.assert_allclose(half.params["x.scale"], np.diag(PRECISION) ** -0.5, rtol=0.05)
    gap = 0.5 * (np.log(np.diag(PRECISION)).sum() - np.linalg.slogdet(PRECISION)[1])
    assert abs(half.bound.value - (LOG_Z - gap)) < 5 * half.bound.se + 2e-3


def test_iwelbo_lies_between_the_elbo_and_the_evidence():
    elbo = execute(correlated(), parse("vi(mean_field, steps=1500)"), seed=3).fit.bound
    tight = execute(correlated(), parse("vi(mean_field, objective=iwelbo(10), steps=1500)"), seed=3).fit.bound
    margin = 4 * np.hypot(elbo.se, tight.se)  # false-alarm rate 6e-5
    assert elbo.value + margin < tight.value < LOG_Z + margin


def test_draws_come_from_the_fitted_guide():
    target, mean, sd, evidence = conjugate()
    posterior = execute(target, parse("vi(objective=stl, draws=4000)"), seed=4)
    theta = posterior.draws["theta"]
    assert theta.shape == (1, 4000) and posterior.log_weights is None and posterior.log_evidence is None
    assert abs(theta.mean() - mean) < 5 * sd / np.sqrt(4000) + 1e-3
    assert "chose" not in posterior.notes[0] and "the guide is full_rank" in posterior.notes[0]
    np.testing.assert_allclose(posterior.stats["log_ratio"], evidence, atol=1e-3)


def test_results_do_not_depend_on_chunks():
    program = Vi(steps=60, window=10).program(conjugate_normal())
    key = np.array([0, 7], np.uint32)
    advance = jax.jit(program.advance)
    whole, records = advance(program.start(key), 0, 60)
    state, parts = program.start(key), []
    for begin, end in ((0, 1), (1, 13), (13, 60)):
        state, found = advance(state, begin, end)
        parts.append(found["objective"][: end - begin])
    jax.tree.map(np.testing.assert_array_equal, whole, state)
    np.testing.assert_array_equal(np.concatenate(parts), records["objective"][:60])


def test_a_fit_that_was_cut_goes_on_as_if_it_had_not_been(tmp_path):
    method = parse("vi(mean_field, steps=300, window=50, halvings=0, draws=10)")
    whole = execute(conjugate_normal(), method, seed=5)
    place, reports = tmp_path / "fit.checkpoint", []

    class Cut(Exception):
        pass

    def listen(report):
        reports.append(report)
        if sum(r.phase == "sample" for r in reports) == 2:  # the first chunk has been saved
            raise Cut

    with pytest.raises(Cut):
        execute(conjugate_normal(), method, seed=5, progress=listen, checkpoint=place)
    resumed = execute(conjugate_normal(), method, seed=5, resume=place)
    np.testing.assert_array_equal(resumed.draws["x"], whole.draws["x"])
    np.testing.assert_array_equal(resumed.fit.objective, whole.fit.objective)


def test_an_objective_that_is_not_finite_names_the_step():
    def log_density(t):
        return norm.logpdf(t["x"], 3.0) + jnp.where(t["x"] > 2.0, jnp.nan, 0.0)

    with pytest.raises(NumericalError, match="nan in step [1-9][0-9]* of the fit(.|\n)*shorter steps"):
        execute(FunctionalTarget({"x": real()}, log_density), Vi())
    flat = FunctionalTarget({"x": real()}, lambda t: -jnp.abs(t["x"]) - jnp.inf)
    with pytest.raises(NumericalError, match="-inf in step 0"):
        execute(flat, Vi())


def test_a_fit_that_ends_too_early_says_so():
    far = FunctionalTarget({"x": real()}, lambda t: norm.logpdf(t["x"], 50.0))
    posterior = execute(far, parse("vi(steps=200, window=20)"))
    assert "still grew" in posterior.warnings[0] and "steps=2000" in posterior.warnings[0]
    np.testing.assert_array_equal(posterior.fit.steps, 20 * np.arange(1, 11))
    assert np.all(np.diff(posterior.fit.objective) > 0)


def test_weights_with_heavy_tails_are_a_warning():
    heavy = FunctionalTarget({"x": real(2)}, lambda t: jnp.sum(student.logpdf(t["x"], 1.0)))
    posterior = execute(heavy, parse("vi(mean_field)"), seed=6)
    assert "Pareto k̂" in posterior.warnings[0] and "flow" in posterior.warnings[0]


@pytest.mark.parametrize("k", [0.2, 0.5, 0.9, 1.5])
def test_pareto_shape(k):
    """exp(k E), E exponential, has a Pareto tail of shape k; arviz-stats gives the same estimate."""
    from arviz_stats.base import array_stats

    log_weights = k * np.random.default_rng(0).exponential(size=20_000)
    found = khat(log_weights)
    assert found == pytest.approx(k, abs=0.2)
    assert found == pytest.approx(float(array_stats.psislw(-log_weights)[1]), abs=0.01)
    assert khat(np.zeros(100)) == -np.inf and np.isnan(khat(np.zeros(10)))


def test_windows_judge_gains():
    """A gain, then noise: the step is halved after three stale windows, and the fit ends after the last halving."""
    rng = np.random.default_rng(1)
    state = progress.begin((jnp.zeros(()),), float)
    record = jax.jit(progress.record, static_argnums=(4, 5, 6))
    halvings = []
    for i in range(60):
        value = -10.0 + min(i, 12) + 0.01 * rng.normal()
        state = record(state, jnp.asarray(value), (jnp.asarray(float(i)),), jnp.int32(i), 4, 2, 1e-3)
        halvings.append(int(state["halvings"]))
    assert halvings[15] == 0 and halvings[-1] >= 2 and bool(state["converged"])
    assert float(state["final"][0]) == np.mean([56, 57, 58, 59])


def test_parts_from_python():
    """An Optax transformation, and an objective as a function."""

    def doubled(target, guide, params, key):
        trace, log_q = guide.sim(params, key)
        return 2 * (target.log_density(trace) - log_q)

    method = Vi(guide="mean_field", objective=doubled, optimiser=optax.adam(0.05), steps=1000)
    assert not method.identified and "objective=python(doubled)" in method.expression()
    fit = execute(conjugate_normal(), method).fit
    assert not fit.bound.lower and fit.bound.objective == "doubled"
    assert float(fit.params["x.loc"]) == pytest.approx(1.0, abs=0.05)


def test_an_optimiser_that_does_not_exist():
    with pytest.raises(UsageError, match="no optimiser `adm`; did you mean `adam`"):
        execute(conjugate_normal(), parse("vi(optimiser=adm(0.1))"))
