"""Ctrl-C during a run: the draws so far are saved, the exit code is 130, and the run can go on."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_interrupted_runs_keep_what_they_have(ppl, tmp_path):
    method = "nuts(chains=1, warmup=100, draws=3000000)"
    command = [
        sys.executable,
        "-m",
        "ppl.cli.main",
        "run",
        "coin.ppl",
        "--data",
        "coin.json",
        "--method",
        method,
        "--out",
        "run.nc",
        "--checkpoint",
        "c",
        "--format",
        "json",
    ]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    for _ in range(600):
        if (tmp_path / "c").exists() and (tmp_path / "c.previous").exists():
            break
        time.sleep(0.2)
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130 and "Traceback" not in err
    assert "--resume c" in err and "run.nc" in err
    found = json.loads(out)
    assert not found["complete"] and 0 < found["draws"] < 3000000
    assert (tmp_path / "run.nc").exists()
