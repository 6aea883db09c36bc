"""Programs whose paths differ in the number of their observations: cut, suspended, resampled; exact."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ppl
from ppl.inference.representations import suspend
from ppl.inference.resampling import SCHEMES, systematic
from ppl.inference.transformations import advance, finish, hoist, repeat, spawn
from ppl.inference.transformations.resample import Resample
from ppl.inference.validation.enumeration import expectation
from tests.modular.cut_programs import CONTINUOUS, DISCRETE, tabulate

PROGRAMS = {"branches": ("long", 2), "nested": ("a", 3), "kinds": ("a", 2), "recursive": ("first", 3)}


@pytest.fixture(autouse=True)
def double_precision():
    with ppl.environment(), jax.enable_x64(True):
        yield


@pytest.fixture(scope="module")
def table():
    """The compiled program as a table, once for each program."""
    known = {}

    def of(name):
        if name not in known:
            known[name] = tabulate(getattr(ppl.parse(DISCRETE), name)(), PROGRAMS[name][0])
        return known[name]

    return of


def smc(n, scheme, ess, resample=Resample):
    step = advance @ hoist(resample(scheme, ess, False))
    return finish @ repeat(step) @ hoist(spawn(n))


def estimates(model, n, scheme, ess, resample=Resample):
    """E Ẑ and E Ẑ · P̂(value), over all the choices that the algorithm and the program can make."""
    program = smc(n, scheme, ess, resample)(suspend(model))

    def measured(particles):
        z = np.exp(float(particles.log_evidence))
        return np.array([z, z * float(jnp.sum(particles.weights * model.values[particles.values]))])

    return expectation(lambda source: program.run(source)[0], measured)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_table_is_the_program(table, name):
    """As many steps as the longest path has factors; Z and the posterior are those of the enumeration of the model."""
    model = table(name)
    assert model.length == PROGRAMS[name][1]
    result = ppl.infer(getattr(ppl.parse(DISCRETE), name)(), "enumerate()")
    z, positive = model.measure()
    assert z == pytest.approx(np.exp(result.log_evidence[0]), rel=1e-12)
    assert positive / z == pytest.approx(result.summary()[PROGRAMS[name][0]]["mean"], rel=1e-12)


@pytest.mark.parametrize(
    ("name", "n", "scheme", "ess"),
    [
        *((name, 1, "systematic", 1.1) for name in PROGRAMS),
        *((name, 2, "systematic", 1.1) for name in PROGRAMS),
        *(("branches", 2, scheme, 0.9) for scheme in SCHEMES if scheme != "srinivasan"),
        ("branches", 2, "multinomial", 1.1),
        ("nested", 2, "stratified", 0.9),
        ("nested", 3, "systematic", 0.0),
        ("nested", 3, "systematic", 0.5),
        ("branches", 3, "systematic", 0.5),
        pytest.param("nested", 3, "multinomial", 0.5, marks=pytest.mark.slow),
    ],
)
def test_unbiased(table, name, n, scheme, ess):
    """E Ẑ f = ∫ γ f over all choices of the algorithm, for programs whose paths end at different steps."""
    model = table(name)
    np.testing.assert_allclose(estimates(model, n, SCHEMES[scheme], ess), model.measure(), rtol=1e-12)


def test_dropping_finished_particles_is_refuted(table):
    """A mutant: the particles that have passed their last observation are left out where others are resampled."""
    model = table("nested")

    class Dropping(Resample):
        def act(self, key, realised, program):
            done = model.finished[realised.values]
            kept = jnp.where(done & ~jnp.all(done), -jnp.inf, realised.log_weights)
            return super().act(key, realised._replace(log_weights=kept), program)

    got = estimates(model, 2, systematic, 0.9, Dropping)
    assert abs(got[0] / model.measure()[0] - 1) > 0.05


@pytest.fixture(scope="module")
def mixed():
    with ppl.environment():
        model = ppl.parse(CONTINUOUS).mixed(y=np.array([0.5, 1.5, 0.2])).given(first=0.4)
        return ppl.compiled(model), ppl.compiled(model, interleave=True)


def _walk(sequential, key):
    state, weight = sequential.start(key)
    records, states = [], [state]
    for t in range(sequential.length):
        state, record, more = sequential.advance(jax.random.fold_in(key, t), state, t)
        weight, records, states = weight + more, [*records, record], [*states, state]
    return states, records, weight


@pytest.mark.parametrize("seed", range(4))
def test_weights_are_the_observations_of_the_path(mixed, seed):
    """Σ weights = log density of the program as written, less that of its latents; a replay gives the same again."""
    whole, cut = mixed
    sequential = cut.suspend()
    states, records, weight = _walk(sequential, jax.random.key(seed))
    trace = sequential.trace(states[-1], {})
    assert trace.keys() == {v.name for v in whole.latents}
    terms = whole.log_density_terms(trace)
    drawn = sum(float(jnp.sum(terms[v.name])) for v in whole.latents if v.name in terms)
    assert float(weight) == pytest.approx(float(whole.log_density(trace)) - drawn, rel=1e-9)
    assert float(cut.log_density(trace)) == pytest.approx(float(whole.log_density(trace)), rel=1e-12)
    state, again = states[0], 0.0
    for t, record in enumerate(records):
        state, more = sequential.replay(state, record, t)
        again = again + more
    assert float(again) == pytest.approx(float(weight), rel=1e-12)
    for name, value in sequential.trace(state, {}).items():
        np.testing.assert_array_equal(value, trace[name])


def test_a_path_cannot_be_continued_by_another(mixed):
    """The density of a record is zero from a state whose path draws other variables."""
    sequential = mixed[1].suspend()
    runs = {}
    for seed in range(20):
        states, records, _ = _walk(sequential, jax.random.key(seed))
        runs.setdefault(bool(states[0].live["a"]), (states, records))
    (one, records), (other, _) = runs[True], runs[False]
    assert np.isfinite(float(sequential.extend(one[0], records[0], 0)[1]))
    assert float(sequential.extend(other[0], records[0], 0)[1]) == -np.inf


def test_programs_that_align_are_left_alone():
    from ppl.compiler.passes.query import Query, prepare

    text = """
    model m[T]() {
      s ~ HalfNormal(1)
      x[0] ~ Normal(0, 1)
      data y[0]: real ~ Normal(x[0], s)
      for t in 1..T {
        x[t] ~ Normal(x[t - 1], 1)
        if x[t] > 0 {
          data y[t]: real ~ Normal(x[t], s)
        } else {
          data y[t]: real ~ Normal(0, s)
          observe 0.2 ~ Normal(x[t], 1)
        }
      }
      if s > 1 { observe 0.1 ~ Normal(s, 1) } else { factor -s }
    }
    """
    program = ppl.parse(text).m().given(y=np.zeros(3)).program
    seen = frozenset({"y"})
    plain = prepare(program, Query("m", seen, interleave=True))
    assert prepare(program, Query("m", seen, interleave=True, cut=True)).model == plain.model


PATHS = """
model m() -> bool {
  c ~ Bernoulli(0.5)
  if c {
    factor 0.3
    x ~ Normal(0, 0.1)
    factor -0.5 * (x - 0.1)^2
    z ~ Normal(0, 0.1)
    factor -0.5 * (z - 0.1)^2
  } else {
    factor 0.5
    y ~ Normal(0, 3)
    factor -0.5 * (y - 0.1)^2
  }
  return c
}
"""


def test_particle_gibbs_moves_between_paths():
    """P(c) in closed form. 4000 sweeps, a standard error of about 0.01 (autocorrelation counted), |z| < 5; weighing
    the draws of one path for another gives 0.88."""
    one = lambda sd: np.exp(-0.5 * 0.01 / (1 + sd**2)) / np.sqrt(1 + sd**2)  # noqa: E731
    first, second = np.exp(0.3) * one(0.1) ** 2, np.exp(0.5) * one(3)
    result = ppl.infer(ppl.parse(PATHS).m(), "pgibbs(4, warmup=50, draws=1000)", seed=0)
    assert abs(np.mean(result.posterior.value) - first / (first + second)) < 0.05
