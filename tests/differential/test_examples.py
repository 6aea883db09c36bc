"""Every example, compiled: its log density at a draw from the prior is that of the reference interpreter, with the
discrete variables in the trace and with them summed out."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest
from scipy.special import logsumexp

import ppl
from ppl.api.compile import forward_target, posterior_target
from ppl.compiler.pipeline import check_text
from ppl.reference import chain, density, simulate

FOLDER = Path(__file__).parents[2] / "examples"
EXAMPLES = sorted(p.parent.name for p in FOLDER.glob("*/model.ppl"))


def loaded(name: str, **changes):
    """The checked program, the model's name, the data, and the same through the public interface."""
    data = json.loads((FOLDER / name / "data.json").read_text(encoding="utf-8")) | changes
    path = FOLDER / name / "model.ppl"
    applied = ppl.load(path).model().given(data)
    return check_text(path.read_text(encoding="utf-8")).program, applied.model.name, data, applied


def compiled_density(target, trace):
    values = {latent.name: np.reshape(trace[latent.name], latent.shape) for latent in target.latents}
    return float(jax.jit(lambda t: target.log_density(t))(values))


@pytest.mark.parametrize("name", EXAMPLES)
def test_density(name):
    program, model, data, applied = loaded(name)
    trace = simulate(program, model, None, data, rng=0).trace
    expected = density(program, model, None, data, trace)
    assert compiled_density(forward_target(applied, data=True), trace) == pytest.approx(expected, rel=1e-10)


def test_the_change_point_is_summed_out():
    program, model, data, applied = loaded("coal_mining")
    compiled = posterior_target(applied, marginalise=True)
    assert compiled.plan.marginalised == ("change",)
    rates = {"early": 2.9, "late": 1.1}
    terms = [density(program, model, None, data, {**rates, "change": k}) for k in range(len(data["disasters"]))]
    assert compiled_density(compiled.target, rates) == pytest.approx(logsumexp(terms), rel=1e-10)


def test_the_hidden_states_are_summed_out():
    counts = [13, 14, 8, 10, 16, 26, 32, 27, 18, 32]
    program, model, data, applied = loaded("earthquake_states", count=counts)
    compiled = posterior_target(applied, marginalise=True)
    assert compiled.plan.marginalised == ("active",)
    trace = {"calm": 14.0, "more": 11.0, "stay": np.array([0.8, 0.7])}
    exact = chain(program, model, None, data, trace, site="active", length=len(counts), states=2)
    assert compiled_density(compiled.target, trace) == pytest.approx(exact.log_evidence, rel=1e-10)
