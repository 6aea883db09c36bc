"""Certificates of methods on models: sound methods pass, broken ones are refuted, no claim is said to be one."""

import json

import jax
import pytest

import ppl
from ppl.core.random import categorical
from ppl.inference.algorithms import conditional
from ppl.inference.claims import Claim
from ppl.inference.methods import registry
from ppl.inference.resampling import SCHEMES

KALMAN = """model kalman[T]() {
  x[0]: real ~ Normal(0, 1)
  data y[0]: real ~ Normal(x[0], 1)
  for t in 1..T {
    x[t]: real ~ Normal(0.9 * x[t-1], 1)
    data y[t]: real ~ Normal(x[t], 1)
  }
}
"""


@pytest.fixture
def certificate(ppl, tmp_path):
    """Each check refutes a sound method with probability 1e-6 at most."""

    def run(method, *options):
        (tmp_path / "kalman.ppl").write_text(KALMAN)
        given = ("--data", "y=[0.3,-0.2,1.5,0.4]", "--alpha", "1e-6", "--format", "json", *options)
        done = ppl("validate", "kalman.ppl", "--method", method, *given)
        return done.code, json.loads(done.out)["checks"]

    return run


def test_a_filter_against_the_gaussian_oracle(certificate):
    code, checks = certificate("smc(100)", "--n", "2000")
    assert code == 0 and {c["outcome"] for c in checks} == {"passed"}
    assert checks[0]["oracle"] == "Gaussian, 4 dimensions"


def test_a_refuted_claim_is_exit_code_7_with_what_reproduces_it(certificate, monkeypatch):
    monkeypatch.setitem(SCHEMES, "systematic", lambda k, w, n: (categorical(k, w, (n,)) + 1) % w.shape[0])
    code, checks = certificate("smc(100)", "--n", "2000")
    found = next(c for c in checks if c["outcome"] == "refuted")
    assert code == 7
    assert found["seed"] is not None and found["n"] >= 2000 and abs(found["statistic"]["z"]) > 5


@pytest.mark.slow
def test_particle_gibbs_where_a_step_draws_nothing(certificate):
    """x[0] is drawn before y[0] is observed: the ancestors of the reference must be weighed by all that it changes."""
    code, checks = certificate("pgibbs", "--n", "4000")
    assert code == 0 and {c["outcome"] for c in checks} == {"passed"}


@pytest.mark.slow
def test_particle_gibbs_that_looks_one_step_ahead_is_refuted(certificate, monkeypatch):
    def one_step(key, target, states, records, step):
        record = conditional.take(records, step)
        return jax.vmap(lambda s: target.log_transition(s, record, step))(states)

    monkeypatch.setattr(conditional, "log_future", one_step)
    assert certificate("pgibbs", "--n", "40000")[0] == 7


@pytest.mark.parametrize("method", ["tempered", "laplace", "map"])
def test_what_promises_nothing_is_not_tested(certificate, method):
    code, checks = certificate(method)
    assert code == 0 and [c["outcome"] for c in checks] == ["undecided"]
    assert checks[0]["statistic"]["why"].startswith(f"no claim to test because {method} is")


def test_the_budget_is_kept(certificate):
    code, checks = certificate("importance(100)", "--budget", "0.01", "--n", "1000000")
    assert code == 0 and all(c["n"] <= 2000 for c in checks)


FLIPS = "model flips[N]() {\n  p ~ Beta(1, 1)\n  plate i in N { data y[i]: bool ~ Bernoulli(p) }\n}\n"


@pytest.mark.slow
@pytest.mark.parametrize("sound", [pytest.param(True, marks=pytest.mark.slow), False])
def test_whole_runs_are_calibrated(ppl, tmp_path, monkeypatch, sound):
    """A method that returns the prior has uniform ranks of p, and not of the log density, which looks at the data."""
    (tmp_path / "flips.ppl").write_text(FLIPS)
    if not sound:
        import ppl.inference.importance.prior as prior

        honest = prior.PriorImportance.advance

        def unweighted(self, state, begin, end):
            state, rows = honest(self, state, begin, end)
            return state, {**rows, "log_weight": jax.numpy.zeros_like(rows["log_weight"])}

        monkeypatch.setattr(prior.PriorImportance, "advance", unweighted)
    given = ("--data", "y=[1,1,0,1,1,1,0,1,1,1,1,0]", "--alpha", "1e-6", "--n", "200", "--format", "json")
    done = ppl("validate", "flips.ppl", "--method", "importance(200)", "--sbc", *given)
    (found,) = (c for c in json.loads(done.out)["checks"] if c["oracle"] == "joint law")
    assert done.code == (0 if sound else 7)
    assert found["outcome"] == ("passed" if sound else "refuted")
    assert sound or found["statistic"]["quantity"] == "log density"


SERIES = """model series[T]() {
  s ~ LogNormal(0, 0.3)
  x[0]: real ~ Normal(0, s)
  data y[0]: real ~ Normal(x[0], 1)
  for t in 1..T {
    x[t]: real ~ Normal(x[t-1], s)
    data y[t]: real ~ Normal(x[t], 1)
  }
}
"""
COIN = "model coin() {\n  z ~ Bernoulli(0.3)\n  data y: real ~ Normal(if z then 1 else 0, 1)\n}\n"


@pytest.mark.parametrize("name", [n for n in registry.names() if n != "auto"])
def test_every_method_has_a_test_or_a_reason(name):
    """Of one that is registered without either, the certificate would be empty."""
    from ppl.inference.validation.models import certify

    method = registry.lookup(name)()
    target = (
        ppl.parse(COIN).coin().given(y=0.3) if name == "enumerate" else ppl.parse(SERIES).series().given(y=[0.1, 0.4])
    )
    if certify.claim_of(method) in certify.REASONS:
        return
    with ppl.environment():
        bound = ppl.compiled(target, interleave=method.needs.ordered)
        program = method.program(bound)
        chain = method.claim == Claim.INVARIANT and certify.transition_of(program, 0)
        assert chain or certify.estimators(bound, method, program)
