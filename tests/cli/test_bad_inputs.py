"""Bad input of every kind ends with a message and an exit code: 2 usage, 3 model, 4 data, 5 numerical, 6 resources."""

import pytest

COIN_DATA = ("--data", "y=[1]")

MODELS = {
    "nothing": ("", 3, "no model"),
    "only comments": ("# nothing\n", 3, "no model"),
    "bracket left open": ("model m() {\n  x ~ Normal(0, 1\n}\n", 3, "m.ppl:2"),
    "block left open": ("model m() {\n  x ~ Normal(0, 1)\n", 3, "m.ppl"),
    "string left open": ('import "a\nmodel m() {\n  x ~ Normal(0, 1)\n}\n', 3, "m.ppl:1"),
    "null character": ("model m() {\n  x\0 ~ Normal(0, 1)\n}\n", 3, "U+0000"),
    "bad constant": ("model m() {\n  x ~ Normal(0, -1)\n}\n", 3, "scale"),
    "a name twice": ("model m() {\n  x ~ Normal(0, 1)\n  x ~ Normal(0, 1)\n}\n", 3, "x"),
    "one name in all iterations": ("model m() {\n  for t in 0..3 { x[0] ~ Normal(0, 1) }\n}\n", 3, "x"),
    "observing a latent": ("model m() {\n  x ~ Normal(0, 1)\n  observe x ~ Normal(0, 1)\n}\n", 3, "x"),
    "atom and density": (
        "model m() {\n  data y: real ~ mixture([0.1, 0.9], [Delta(4.0), Uniform(0, 4)])\n}\n",
        3,
        "Delta",
    ),
    "escape to python": ('model m() {\n  x ~ Normal(__import__("os").system("id"), 1)\n}\n', 3, "__import__"),
    "escape from the project": (
        'import "../../../etc/passwd" as p\nmodel m() {\n  x ~ Normal(0, 1)\n}\n',
        3,
        "leaves the project",
    ),
    "guide that misses a variable": (
        "model m() {\n  x ~ Normal(0, 1)\n  z ~ Normal(0, 1)\n  data y ~ Normal(x + z, 1)\n}\n"
        "guide q() for m {\n  param a: real = 0\n  x ~ Normal(a, 1)\n}\n",
        3,
        "z",
    ),
    "a tower of thousands": ("model m() {\n  x ~ Normal(1" + "^1" * 5000 + ", 1)\n}\n", 3, "too"),
}

RUNS = {
    "infinitely many states": (
        "model m() {\n  k ~ Poisson(3)\n  data y ~ Normal(k, 1)\n}\n",
        "enumerate",
        6,
        "infinitely",
    ),
    "too many states": (
        "model m() {\n  k: bool[30] ~ Bernoulli(0.5)\n  data y: bool ~ Bernoulli(if k[0] then 0.1 else 0.2)\n}\n",
        "enumerate",
        6,
        "states",
    ),
    "more than memory": (
        "model m() {\n  x: real[1000] ~ Normal(0, 1)\n  data y ~ Normal(x[0], 1)\n}\n",
        "importance(100000000)",
        6,
        "ask for at most",
    ),
    "no finite start": (
        "model m() {\n  x ~ Normal(0, 1)\n  factor log(x - x)\n  data y ~ Normal(x, 1)\n}\n",
        "nuts",
        5,
        "factor",
    ),
    "all weights zero": (
        "model m() {\n  x ~ Uniform(0, 1)\n  require x > 2\n  data y ~ Normal(x, 1)\n}\n",
        "importance(100)",
        5,
        "weights are zero",
    ),
    "discrete under nuts": ("model m() {\n  k ~ Poisson(3)\n  data y ~ Normal(k, 1)\n}\n", "nuts", 3, "discrete"),
}


@pytest.mark.parametrize("name", MODELS)
def test_models(ppl, tmp_path, name):
    text, code, said = MODELS[name]
    (tmp_path / "m.ppl").write_text(text)
    done = ppl("run", "m.ppl", "--data", "y=1.0")
    assert done.code == code and said in done.err and not done.out


@pytest.mark.parametrize("name", RUNS)
def test_runs(ppl, tmp_path, name):
    text, method, code, said = RUNS[name]
    (tmp_path / "m.ppl").write_text(text)
    done = ppl("run", "m.ppl", "--data", "y=1", "--method", method)
    assert done.code == code and said in done.err and not done.out


def test_byte_order_marks_carriage_returns_and_tabs_are_no_matter(ppl, tmp_path):
    (tmp_path / "m.ppl").write_bytes(b"\xef\xbb\xbfmodel m() {\r\n\tx ~ Normal(0, 1)\r\n}\r\n")
    assert ppl("check", "m.ppl").code == 0


@pytest.mark.parametrize(
    "method",
    ["", "nuts(", "nuts(draws=0)", "nuts(chains=-1)", "importance(0)", "importance(1.5)", "nuts(chains=4, chains=5)"],
)
def test_methods(ppl, method):
    assert ppl("run", "coin.ppl", *COIN_DATA, "--method", method).code == 2


def test_empty_data(ppl):
    done = ppl("prior", "coin.ppl", "--data", "N=0", "--draws", "10")
    assert done.code == 0
    assert ppl("run", "coin.ppl", "--data", "y=[]", "--method", "importance(50)").code == 0
    assert ppl("run", "coin.ppl").code == 4
