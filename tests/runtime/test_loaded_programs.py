"""A program loaded from the cache, in a process that has lowered nothing, does what it did."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import ppl
model = ppl.parse("model m() { a ~ Normal(0, 1)\\n b ~ Normal(a, 1)\\n data y ~ Normal(b, 1) }").m().given(y=0.5)
result = ppl.infer(model, "mh(chains=1, warmup=20, draws=20)", seed=0, device="cpu")
print(result["b"].sum())
"""


@pytest.mark.slow
def test_linear_algebra_of_a_loaded_program(tmp_path):
    """The adaptive walk takes a Cholesky factor: LAPACK must be there in a process that compiles nothing."""
    environment = {**os.environ, "PPL_CACHE_DIR": str(tmp_path)}
    runs = [
        subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, timeout=300)
        for _ in range(2)
    ]
    assert [r.returncode for r in runs] == [0, 0], runs[1].stderr[-2000:]
    assert runs[0].stdout == runs[1].stdout
