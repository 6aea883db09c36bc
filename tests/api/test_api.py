"""The Python interface: modules, applied models, errors, results."""

import subprocess
import sys

import jax
import numpy as np
import pytest

import ppl
from ppl.core.errors import UsageError
from ppl.runtime.data import InvalidData

COIN = """model coin[N](a: pos = 1) {
  p ~ Beta(a, a)
  plate i in N { data y[i]: bool ~ Bernoulli(p) }
}
"""
TWO = """model inner() -> real {
  x ~ Normal(0, 1)
  return x
}
model outer() {
  z ~ inner()
  data y ~ Normal(z, 1)
}
"""


def test_models_are_attributes():
    module = ppl.parse(COIN, "coin.ppl")
    assert repr(module) == "<module coin.ppl>\n  model coin[N](a: real = …)"
    assert repr(module.coin) == "<coin[N](a: real = …)>" and "coin" in dir(module)
    assert repr(module.coin(a=2.0).given(y=[1, 0])) == "<model coin given a, y>"
    with pytest.raises(AttributeError, match="it has coin"):
        module.coyn  # noqa: B018


def test_the_model_that_no_other_calls_is_the_default():
    assert ppl.parse(TWO).model().model.name == "outer" and ppl.parse(TWO).model("inner").model.name == "inner"
    with pytest.raises(UsageError, match="did you mean `outer`"):
        ppl.parse(TWO).model("outr")


def test_errors_carry_their_findings():
    with pytest.raises(ppl.ModelError) as error:
        ppl.parse("model m() {\n  x ~ Normal(0, z)\n}\n")
    assert error.value.diagnostics.errors
    with pytest.raises(InvalidData, match=r"y\[1\]"):
        ppl.parse(COIN).coin().given(y=[0, 2])
    with pytest.raises(TypeError, match="no parameter `b`"):
        ppl.parse(COIN).coin(b=1)
    with pytest.raises(UsageError, match="none.ppl"):
        ppl.load("none.ppl")
    with pytest.raises(AttributeError, match="infer"):
        ppl.infr  # noqa: B018


def test_inference_summary_and_draws():
    y = np.array([1, 1, 1, 0, 1])
    result = ppl.infer(
        ppl.parse(COIN).coin(a=2).given(y=y), ppl.nuts(chains=2, warmup=300, draws=300), key=jax.random.key(3)
    )
    assert result["p"].shape == (2, 300) and abs(result["p"].mean() - 6 / 9) < 0.06
    table = result.summary()
    assert "p" in repr(table) and table["p"]["mean"].shape == () and table.to_json()["seed"] == 3
    assert result.to_datatree()["posterior"]["p"].dims == ("chain", "draw")
    assert result.log_evidence is None and result.status in ("ok", "suspect")
    again = ppl.infer(ppl.parse(COIN).coin(a=2).given(y=y), "nuts(chains=2, warmup=300, draws=300)", seed=3)
    np.testing.assert_array_equal(result["p"], again["p"])


def test_log_likelihood_of_every_entry():
    result = ppl.infer(ppl.parse(COIN).coin().given(y=[1, 0, 1]), "importance(20)", seed=1)
    p, terms = result["p"], result.to_datatree(log_likelihood=True)["log_likelihood"]["y"]
    assert terms.dims == ("chain", "draw", "N")
    np.testing.assert_allclose(terms, np.log(np.stack([p, 1 - p, p], axis=-1)), rtol=1e-6)


def test_saved_runs_can_predict(tmp_path):
    result = ppl.infer(ppl.parse(COIN).coin().given(y=[1, 0, 1]), "importance(500)", seed=1)
    assert abs(result.log_evidence[0] - np.log(1 / 12)) < 0.3
    result.save(tmp_path / "run.nc")
    with pytest.raises(UsageError, match="exists"):
        result.save(tmp_path / "run.nc")
    opened = ppl.open_run(tmp_path / "run.nc")
    assert opened.log_evidence[0] == result.log_evidence[0]
    assert opened.predict(N=4)["y"].shape == (1, 500, 4)
    assert opened.predict()["y"].shape == (1, 500, 3)


def test_extern_functions_come_from_python():
    text = """extern fn f(x: real) -> real
model m() {
  x ~ Normal(0, 1)
  data y ~ Normal(f(x), 1)
  output z = f(x)
}
"""
    module = ppl.parse(text).with_externs(f=lambda x: 2 * x + 1)
    result = ppl.infer(module.m().given(y=1.0), "importance(50)")
    np.testing.assert_allclose(result["z"], 2 * result["x"] + 1)
    with pytest.raises(TypeError, match="declared: f"):
        ppl.parse(text).with_externs(g=abs)


def test_missing_entries_become_latent():
    text = "model m[N]() {\n  mu ~ Normal(0, 1)\n  plate i in N { data y[i]: real? ~ Normal(mu, 1) }\n}\n"
    result = ppl.infer(ppl.parse(text).m().given(y=[1.0, None, 3.0]), ppl.nuts(chains=2, warmup=300, draws=300), seed=0)
    assert abs(result["mu"].mean() - 4 / 3) < 0.12


def test_imports_are_saved_with_the_run(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "scale.ppl").write_text("fn twice(x: real) -> real { return 2 * x }\n")
    (tmp_path / "m.ppl").write_text(
        'import "lib/scale.ppl" as s\nmodel m() {\n  x ~ Normal(0, 1)\n  data y ~ Normal(s.twice(x), 1)\n}\n'
    )
    module = ppl.load(tmp_path / "m.ppl")
    assert list(module.files) == ["m.ppl", "lib/scale.ppl"]
    ppl.infer(module.m().given(y=1.0), "importance(20)").save(tmp_path / "run.nc")
    assert ppl.open_run(tmp_path / "run.nc").predict()["y"].shape == (1, 20)


def test_names_are_listed_without_importing_jax():
    code = "import ppl, sys; assert {'infer', 'nuts'} <= set(dir(ppl)); ppl.parse; assert 'jax' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_data_of_submodels_are_given_by_path():
    text = """model half[N](mu: real) {
  data y: real[N] ~ Normal(mu, 1)
}
model m(n: size) {
  mu ~ Normal(0, 1)
  left ~ half[n](mu)
  right ~ half[n](mu + 1)
}
"""
    target = ppl.parse(text).m(n=2).given({"left": {"y": [1.0, 2.0]}, "right.y": [0.5, 1.0]})
    assert {name: a.tolist() for name, a in target.bound.data.items()} == {"left.y": [1.0, 2.0], "right.y": [0.5, 1.0]}
    assert target.bound.warnings == ()
    with pytest.raises(InvalidData, match="left.y"):
        ppl.parse(text).m(n=3).given({"left.y": [1.0, 2.0]})
