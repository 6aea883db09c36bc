"""Wrong usage: exit code 2, what was meant, before any work is done."""

import os

import pytest

FAST = ("--method", "importance(100)")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("chek", "coin.ppl"), "did you mean `ppl check`"),
        (("run", "coin.ppl", "--sead", "1"), "did you mean --seed"),
        (("run", "coin.ppl", "--seed", "abc"), "not an integer"),
        (("run", "coin.ppl", "--seed", str(2**70)), "2^64"),
        (("run", "coin.ppl", "--precision", "16"), "16"),
        (("run",), "FILE"),
        (("validate", "coin.ppl", "--alpha", "0"), "strictly between"),
        (("validate", "coin.ppl", "--alpha", "1"), "strictly between"),
        (("validate", "coin.ppl", "--alpha", "x"), "not a number"),
        (("run", "coin.ppl", "--method", "nutz"), "did you mean `nuts`"),
        (("run", "coin.ppl", "--method", "nuts(chain=2)"), "chains"),
        (("explain", "E799"), "no diagnostic"),
        (("graph", "coin.ppl", "-o", "m.png"), ".svg"),
        (("ir", "coin.ppl", "--after", "inlne"), "did you mean `inline`"),
    ],
)
def test_wrong_usage(ppl, argv, said):
    done = ppl(*argv)
    assert done.code == 2 and said in done.err and not done.out


def test_no_arguments_shows_the_commands(ppl):
    done = ppl()
    assert done.code == 2 and "validate" in done.err
    assert ppl("--help").code == 0 and ppl("run", "--help").code == 0 and ppl("--version").out.startswith("ppl ")


def test_seeds_of_64_bits_are_taken_and_recorded(ppl):
    import json

    for seed in (0, 2**64 - 1):
        done = ppl("run", "coin.ppl", "--data", "coin.json", *FAST, "--seed", seed, "--format", "json")
        assert done.code == 0 and json.loads(done.out)["seed"] == seed
    assert json.loads(ppl("run", "coin.ppl", "--data", "coin.json", *FAST, "--format", "json").out)["seed"] == 0


def test_outputs_are_checked_before_the_run(ppl, tmp_path):
    run = ("run", "coin.ppl", "--data", "coin.json", *FAST)
    (tmp_path / "there.nc").write_text("old")
    for out, said in [("no/run.nc", "does not exist"), ("there.nc", "--force"), (".", "directory")]:
        done = ppl(*run, "--out", out)
        assert done.code == 2 and said in done.err and not done.out
    assert (tmp_path / "there.nc").read_text() == "old"
    assert ppl(*run, "--out", "there.nc", "--force").code == 0
    assert (tmp_path / "there.nc").read_bytes()[1:4] == b"HDF"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_directory(ppl, tmp_path):
    (tmp_path / "ro").mkdir(mode=0o500)
    assert ppl("run", "coin.ppl", "--data", "coin.json", *FAST, "--out", "ro/run.nc").code == 2


def test_no_gpu_no_fallback(ppl):
    done = ppl("run", "coin.ppl", "--data", "coin.json", *FAST, "--device", "gpu")
    assert done.code == 2 and "--device auto" in done.err


def test_several_models_are_listed(ppl, tmp_path):
    (tmp_path / "two.ppl").write_text("model a() {\n  x ~ Normal(0, 1)\n}\nmodel b() {\n  x ~ Normal(0, 1)\n}\n")
    done = ppl("prior", "two.ppl")
    assert done.code == 2 and "--model" in done.err and "a()" in done.err and "b()" in done.err
    assert ppl("prior", "two.ppl", "--model", "b", "--draws", "10").code == 0
    done = ppl("prior", "two.ppl", "--model", "c")
    assert done.code == 2 and "no model `c`" in done.err
