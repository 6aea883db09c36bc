"""Each verb does what its line in the language reference says."""

import json
from xml.etree import ElementTree

import pytest

WRONG = "model m() {\n  x ~ Normal(0, 1\n  data y ~ Normal(x, z)\n}\n"
METHOD = ("--method", "nuts(chains=2, warmup=200, draws=100)")


def test_check(ppl, tmp_path):
    assert ppl("check", "coin.ppl") == (0, "", "")
    (tmp_path / "wrong.ppl").write_text(WRONG)
    done = ppl("check", "coin.ppl", "wrong.ppl")
    assert done.code == 1 and "wrong.ppl" in done.err and not done.out
    concise = ppl("check", "wrong.ppl", "--format", "concise").err
    assert concise.startswith("wrong.ppl:2:")
    found = json.loads(ppl("check", "wrong.ppl", "--format", "json").out)
    assert found and {"code", "message", "primary"} <= set(found[0])


def test_a_wrong_model_is_no_model_to_run(ppl, tmp_path):
    (tmp_path / "wrong.ppl").write_text(WRONG)
    for verb in ("run", "info", "ir", "prior", "graph"):
        assert ppl(verb, "wrong.ppl").code == 3


@pytest.mark.parametrize("verb", ["check", "fmt", "info", "ir", "run"])
def test_files_that_are_not_there(ppl, verb):
    done = ppl(verb, "coyn.ppl")
    assert done.code in (2, 3) and "coyn.ppl" in done.err


def test_fmt(ppl, tmp_path):
    (tmp_path / "ugly.ppl").write_text("model m ( ){x~Normal(0,1) # here\n}\n")
    done = ppl("fmt", "--check", "ugly.ppl")
    assert done.code == 1 and "ugly.ppl" in done.err
    assert ppl("fmt", "ugly.ppl").code == 0
    text = (tmp_path / "ugly.ppl").read_text()
    assert "# here" in text and "x ~ Normal(0, 1)" in text
    assert ppl("fmt", "--check", "ugly.ppl").code == 0


def test_info(ppl):
    (model,) = json.loads(ppl("info", "coin.ppl").out)["models"]
    assert model["name"] == "coin" and model["sizes"] == ["N"]
    assert model["parameters"][0]["name"] == "a" and not model["parameters"][0]["required"]
    assert model["data"][0]["type"] == "bool[N]" and model["random_variables"][0]["name"] == "p"
    assert [o["name"] for o in model["outputs"]] == ["odds"]
    schema = model["data_schema"]
    assert schema["required"] == [] and schema["properties"]["a"]["type"] == "number"
    assert schema["properties"]["y"]["items"] == {"anyOf": [{"type": "boolean"}, {"enum": [0, 1]}]}


def test_explain_and_ir(ppl):
    assert "support" in ppl("explain", "E711").out
    assert "draw" in ppl("ir", "coin.ppl").out and "plate" in ppl("ir", "coin.ppl", "--after", "inline").out
    text = ppl("explain", "coin.ppl", "--data", "coin.json").out
    assert "N = 5" in text and "observed: y" in text and "inferred: p" in text


def test_run_json(ppl):
    done = ppl("run", "coin.ppl", "--data", "coin.json", *METHOD, "--format", "json")
    out = json.loads(done.out)
    assert done.code == 0 and out["model"] == "coin" and out["method"] == "nuts" and out["draws"] == 200
    assert abs(out["variables"]["p"]["mean"] - 5 / 7) < 0.1 and set(out["timing"]) == {
        "compile_s",
        "warmup_s",
        "sample_s",
    }
    assert out["status"] in ("ok", "suspect") and "odds" in out["variables"] and out["diagnostics"]["divergences"] >= 0


def test_run_predict_report(ppl, tmp_path):
    assert ppl("run", "coin.ppl", "--data", "coin.json", *METHOD, "--out", "run.nc").code == 0
    assert not (tmp_path / "run.nc.checkpoint").exists()
    done = ppl("predict", "run.nc", "--format", "json")
    assert done.code == 0 and len(json.loads(done.out)["variables"]["y"]["mean"]) == 5
    done = ppl("predict", "run.nc", "--data", "N=2", "--format", "json", "--out", "new.nc")
    assert done.code == 0 and len(json.loads(done.out)["variables"]["y"]["mean"]) == 2
    assert ppl("report", "run.nc", "-o", "report.html").code == 0
    page = (tmp_path / "report.html").read_text()
    assert "<svg" in page and "model coin" in page
    assert ppl("report", "none.nc").code == 4


def test_strict(ppl):
    short = ("--method", "nuts(chains=2, warmup=10, draws=10)")
    assert ppl("run", "coin.ppl", "--data", "coin.json", *short).code == 0
    assert ppl("run", "coin.ppl", "--data", "coin.json", *short, "--strict").code == 5


def test_prior(ppl):
    done = ppl("prior", "coin.ppl", "--data", "N=3", "--draws", "2000", "--format", "json")
    out = json.loads(done.out)["variables"]
    assert done.code == 0 and abs(out["p"]["mean"] - 0.5) < 0.05 and len(out["y"]["mean"]) == 3


def test_compile(ppl, tmp_path):
    run = ("compile", "coin.ppl", "--data", "coin.json")
    assert "lambda" in ppl(*run).out
    assert ppl(*run, "--target", "stablehlo", "-o", "m.mlir").code == 0
    assert "stablehlo" in (tmp_path / "m.mlir").read_text()
    assert ppl(*run, "--target", "export").code == 2
    assert ppl(*run, "--target", "export", "-o", "m.bin").code == 0
    import jax
    from jax import export

    with jax.enable_x64(True):
        call = export.deserialize(bytearray((tmp_path / "m.bin").read_bytes())).call
        value, gradient = call({"p": jax.numpy.zeros(())})
    assert abs(float(value) - 5 * jax.numpy.log(0.5) - 2 * jax.numpy.log(0.5)) < 1e-5 and set(gradient) == {"p"}


def test_graph(ppl, tmp_path):
    assert ppl("graph", "coin.ppl", "-o", "m.svg").code == 0
    ElementTree.fromstring((tmp_path / "m.svg").read_text())
    assert ppl("graph", "coin.ppl").out.startswith("digraph")
