"""How long ``ppl check`` takes on a file of 200 lines, from the start of the process to its end.

    python benchmarks/check_time.py [--runs 15]

Aim: a median of 0.35 s wall time, without importing JAX. Prints the medians of wall and processor time: on a busy
machine the latter is the one to compare.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
AIM = 0.35
CHECK = """
import sys
from ppl.cli.main import main
sys.argv = ["ppl", "check", sys.argv[1]]
try:
    main()
except SystemExit as end:
    assert not {"jax", "numpy"} & set(sys.modules), "a check must not import JAX"
    sys.exit(end.code)
"""


MODEL = """
## A panel with a volatility of its own.
model panel_{n}[J, T](x: real[J, T], se: pos[J], group: index<J>[J]) {{
  mu ~ Normal(0, 5)
  tau ~ HalfCauchy(5)
  beta: real[3] ~ Normal(0, 1)
  plate j in J {{
    theta[j] ~ Normal(mu + beta[0] * exp(tau), tau)
  }}
  plate j in J {{
    data y[j] ~ Normal(theta[group[j]], se[j])
  }}
  h[0] ~ Normal(0, 1)
  for t in 1..T {{
    h[t] ~ Normal(0.9 * h[t - 1], tau)
  }}
  plate j in J, t in T {{
    data z[j, t] ~ Normal(x[j, t] + h[t] + beta[1], exp(h[t] / 2))
  }}
  output total = mu + sum(beta)
}}
"""


def program(lines: int) -> str:
    """Models of twenty lines, to at least so many lines."""
    return "".join(MODEL.format(n=n) for n in range(lines // MODEL.count("\n") + 1))


def run(path: Path) -> tuple[float, float]:
    """Wall and processor time of one check."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", CHECK, path], cwd=ROOT, capture_output=True, text=True)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--runs", type=int, default=15)
    runs = arguments.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.ppl"
        path.write_text(program(200), encoding="utf-8")
        lines = path.read_text(encoding="utf-8").count("\n")
        run(path)  # byte code is cached
        times = [run(path) for _ in range(runs)]
    wall, processor = median(w for w, _ in times), median(p for _, p in times)
    print(f"ppl check, {lines} lines: {wall:.3f} s wall, {processor:.3f} s processor (aim {AIM} s)")
    return 0 if wall <= AIM else 1


if __name__ == "__main__":
    sys.exit(main())
