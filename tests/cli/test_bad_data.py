"""Data that do not fit: exit code 4 and one report, nothing compiled."""

import os

import pytest


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("d.json", '{"y": [1, 2, 0, 3]}', "y[1]"),
        ("d.json", '{"y": [1, 0.5]}', "y[1]"),
        ("d.json", '{"y": [true, null]}', "y[1]"),
        ("d.json", '{"y": [1], "a": -1}', "a: found -1"),
        ("d.json", '{"y": [1], "a": 9007199254740993}', "9007199254740993"),
        ("d.json", '{"y": [1], "a": 1e400}', "1.8e308"),
        ("d.json", '{"y": [1]', "line 1"),
        ("d.json", '{"y": 1}', "array of shape [N]"),
        ("d.csv", "y\n0x10\n", "write it in decimal: 16"),
        ("d.csv", 'y\n"1,5"\n', "write 1.5"),
    ],
)
def test_reported_with_the_entry(ppl, tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    done = ppl("run", "coin.ppl", "--data", name)
    assert done.code == 4 and said in done.err and not done.out


def test_several_problems_one_report(ppl):
    done = ppl("run", "coin.ppl", "--data", "y=[1, 5]", "--data", "a=-1")
    assert done.code == 4 and "y[1]" in done.err and "a: found -1" in done.err


def test_unreadable_sources(ppl, tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    for source, said in [("coyn.json", "did you mean"), (".", "directory"), ("pipe.json", "FIFO")]:
        done = ppl("run", "coin.ppl", "--data", source)
        assert done.code == 4 and said in done.err


def test_unused_keys_are_warned_about(ppl):
    done = ppl("run", "coin.ppl", "--data", "Y=[1, 0]", "--data", "N=2", "--method", "importance(10)")
    assert done.code == 0 and "did you mean `y`" in done.err


def test_checkpoints_of_other_runs(ppl, tmp_path):
    method = ("--method", "nuts(chains=1, warmup=20, draws=20)")
    assert ppl("run", "coin.ppl", "--data", "coin.json", *method, "--checkpoint", "c").code == 0
    assert (tmp_path / "c").exists()
    assert ppl("run", "coin.ppl", "--data", "coin.json", *method, "--resume", "c").code == 0
    done = ppl("run", "coin.ppl", "--data", "y=[0, 0, 0, 0, 1]", *method, "--resume", "c")
    assert done.code == 4 and "data differs" in done.err
    done = ppl("run", "coin.ppl", "--data", "coin.json", *method, "--seed", "5", "--resume", "c")
    assert done.code == 4 and "seed" in done.err
    (tmp_path / "c").write_bytes((tmp_path / "c").read_bytes()[:200])
    (tmp_path / "c.previous").unlink(missing_ok=True)
    done = ppl("run", "coin.ppl", "--data", "coin.json", *method, "--resume", "c")
    assert done.code == 4 and "damaged" in done.err
