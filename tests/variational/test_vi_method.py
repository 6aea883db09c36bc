"""The method ``vi`` from the command line and from Python: what is chosen, what is written, what is refused."""

import json

import jax
import numpy as np
import pytest

import ppl
from ppl.api.variational import bound
from ppl.cli.main import run
from ppl.core.errors import UsageError
from ppl.inference.methods.parse import parse
from ppl.inference.variational.build import built
from tests.variational.test_objectives import COIN, NORMAL, mean_and_error

MIXTURE = """
model main[N]() {
  mu ~ Normal(0, 3)
  p ~ Beta(2, 2)
  plate i in N {
    k[i] ~ Bernoulli(p)
    data y[i]: real ~ Normal(if k[i] then mu else -1, 1)
  }
}
"""


@pytest.fixture(scope="module")
def normal(tmp_path_factory):
    path = tmp_path_factory.mktemp("vi") / "normal.ppl"
    path.write_text(NORMAL)
    return path


def test_the_command_line(normal, capsys):
    out = str(normal.with_suffix(".nc"))
    code = run(
        ["run", str(normal), "--data", "y=2", "--method", "vi(auto)", "--format", "json", "--out", out, "--force"]
    )
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert code == 0 and found["method"] == "vi" and found["status"] == "ok"
    assert found["log_evidence"] is None  # a bound is no estimate
    assert found["objective"]["bounds"] == "lower bound on log_evidence" and found["objective"]["name"] == "elbo"
    assert abs(found["objective"]["value"] + 2.2655) < 5 * found["objective"]["se"] + 1e-3
    assert found["parameters"]["m"] == pytest.approx(1.0, abs=0.05)
    assert found["parameters"]["s"] == pytest.approx(0.5**0.5, abs=0.05)
    assert len(found["history"]["steps"]) == len(found["history"]["objective"])
    assert found["diagnostics"]["pareto_k"] < 0.7 and found["variables"]["x"]["rhat"] is None
    assert "the guide is `q` of the file" in printed.err and "`x` by reparam" in printed.err
    reopened = ppl.open_run(out)
    assert reopened.posterior.fit.bound.value == pytest.approx(found["objective"]["value"])
    assert float(reopened.posterior.fit.params["m"]) == found["parameters"]["m"]
    assert "lower bound on the log evidence" in repr(reopened) and "lower bound" in reopened.to_html()


def test_errors_of_the_command_line(normal, capsys):
    for method, message in (
        ("vi(qq)", "no guide `qq`"),
        ("vi(q, objective=1)", "`objective` of vi is int"),
        ("vi(q, stps=1)", "stps"),
    ):
        assert run(["run", str(normal), "--data", "y=2", "--method", method]) == 2
        assert message in capsys.readouterr().err


def test_discrete_variables_that_were_summed_out_and_batches_of_them():
    """The engine's value on a marginalised model, with half of the data in each step, is that of the plain estimate."""
    y = np.array([0.3, 2.1, -1.2, 2.5, 3.0, -0.5])
    target = ppl.parse(MIXTURE).model("main").given(y=y)
    with ppl.environment():
        compiled, method = bound(target, parse("vi(mean_field, particles=1)"))
        plain = built(compiled.target, method).objective
        half = bound(ppl.parse(MIXTURE).model("main").given(y=y[:3]), parse("vi(mean_field)"))[0].target
        part = bound(target, parse("vi(mean_field, batch=3, particles=1)"))[1].objective
    params = {"loc": np.array([1.5, 0.2]), "log_scale": np.array([-1.0, -1.0])}
    n = 10_000
    values = jax.jit(jax.vmap(plain.surrogate, (None, 0)))(params, jax.random.split(jax.random.key(1), n))
    mutant = built(half, method).objective
    unscaled = jax.jit(jax.vmap(mutant.surrogate, (None, 0)))(params, jax.random.split(jax.random.key(2), 500)).mean()
    (mean, error), *_ = mean_and_error(part, {**part.initial(jax.random.key(0)), "guide": params}, n)
    assert abs(mean - values.mean()) < 5 * np.hypot(error, values.std() / np.sqrt(n))  # false-alarm rate 6e-7
    assert abs(mean - unscaled) > 5 * error


def test_strategies_from_python():
    target = ppl.parse(COIN).model("main")
    result = ppl.infer(target, ppl.vi("flip", strategies={"z": "straight_through"}, steps=50, draws=10))
    assert any("`z` by straight_through (as asked; biased)" in n for n in result.posterior.notes)
    with pytest.raises(UsageError, match="`w`, which no guide"):
        ppl.infer(target, ppl.vi("flip", strategies={"w": "enum"}))
    with pytest.raises(UsageError, match="no gradient strategy `score`"):
        ppl.infer(target, ppl.vi("flip", strategies={"z": "score"}))


def test_a_python_objective_does_not_know_programs():
    with pytest.raises(UsageError, match="does not go with a guide of the file"):
        ppl.infer(ppl.parse(COIN).model("main"), ppl.vi("flip", objective=lambda t, g, p, k: 0.0))


def test_an_objective_of_the_file_that_is_one_of_the_library_is_known():
    text = "objective {}[Z: trace](p: Target<Z>, q: Guide<Z>) -> real {{\n  return expect {{\n    (z, lq) ~ sim(q)\n"
    text += "    lp ~ density(p, z)\n    return lp - {}lq\n  }}\n}}\n"
    with ppl.environment():
        for name, factor, lower in (("bound_of_mine", "", True), ("elbo", "2 * ", False)):
            model = ppl.parse(COIN + text.format(name, factor)).model("main")
            assert bound(model, parse(f"vi(flip, objective={name})"))[1].lower_bound is lower
