"""Ctrl-C during a run: the draws so far are kept, the exit code is 130, and the run can go on."""

import json
import os
import signal
from pathlib import Path

import pytest

RUN = (
    "run",
    "coin.ppl",
    "--data",
    "coin.json",
    "--format",
    "json",
    "--method",
    "nuts(chains=1, warmup=20, draws=200000)",
)


@pytest.fixture
def interrupted(monkeypatch):
    """Ctrl-C as soon as some draws are there."""

    def listen(progress):
        if progress.phase == "sample" and 20 < progress.done < progress.total:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr("ppl.runtime.progress.listener", lambda: listen)
        yield


def test_draws_so_far_are_kept(ppl, tmp_path, interrupted):
    done = ppl(*RUN, "--out", "run.nc")
    assert done.code == 130 and "the draws so far are in run.nc" in done.err
    assert "--resume run.nc.checkpoint" in done.err
    found = json.loads(done.out)
    assert not found["complete"] and 0 < found["draws"] < 200000
    assert (tmp_path / "run.nc").exists()


def test_without_a_place_the_run_is_kept_in_the_cache(ppl, tmp_path, interrupted, monkeypatch):
    done = ppl(*RUN)
    path = Path(done.err.split("--resume ")[1].split()[0])
    assert done.code == 130 and path.exists() and not list(tmp_path.glob("*.nc"))
    monkeypatch.undo()
    assert path.parent.name == "interrupted"
    path.unlink()
