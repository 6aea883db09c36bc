"""Eight schools from the shell: process start to printed summary, `ppl run` against a NumPyro script that does the
same.

    python benchmarks/eight_schools.py [--repeats 3]

Both draw 4 × (1000 + 1000) with NUTS in 64-bit, chains vectorised, the same non-centred model and data, and print
means, standard deviations, quantiles, R-hat and effective sample sizes. Cold: an empty compilation cache for each;
warm: the cache that a run before has left. The runs alternate, so that a busy machine slows both. Prints medians in
seconds and their ratio."""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "eight_schools"
METHOD = "nuts(chains=4, warmup=1000, draws=1000)"

NUMPYRO = """
import json, sys
import jax
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_compilation_cache_dir", sys.argv[2])
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS

data = json.load(open(sys.argv[1]))
y, sigma = jnp.array(data["y"], float), jnp.array(data["sigma"], float)

def schools(sigma, y):
    mu = numpyro.sample("mu", dist.Normal(0, 5))
    tau = numpyro.sample("tau", dist.HalfCauchy(5))
    with numpyro.plate("J", len(sigma)):
        z = numpyro.sample("z", dist.Normal(0, 1))
        theta = numpyro.deterministic("theta", mu + tau * z)
        numpyro.sample("y", dist.Normal(theta, sigma), obs=y)

mcmc = MCMC(NUTS(schools), num_warmup=1000, num_samples=1000, num_chains=4, chain_method="vectorized",
            progress_bar=False)
mcmc.run(jax.random.key(0), sigma, y)
mcmc.print_summary(exclude_deterministic=False)
"""


def seconds(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Wall time and processor time of a process that must succeed."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    spent = time.perf_counter() - began
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed with {done.returncode}:\n{done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def ours(cache: Path) -> tuple[float, float]:
    command = [
        sys.executable,
        "-m",
        "ppl.cli.main",
        "run",
        str(EXAMPLE / "model.ppl"),
        "--data",
        str(EXAMPLE / "data.json"),
    ]
    environment = {k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"}
    return seconds([*command, "--method", METHOD, "--seed", "0"], {**environment, "PPL_CACHE_DIR": str(cache)})


def theirs(cache: Path) -> tuple[float, float]:
    return seconds([sys.executable, "-c", NUMPYRO, str(EXAMPLE / "data.json"), str(cache)], dict(os.environ))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    times: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for repeat in range(repeats):
        with tempfile.TemporaryDirectory() as place:
            for name, run in (
                (("ppl", ours), ("numpyro", theirs)) if repeat % 2 == 0 else (("numpyro", theirs), ("ppl", ours))
            ):
                cache = Path(place) / name
                cache.mkdir()
                times.setdefault((name, "cold"), []).append(run(cache))
                times.setdefault((name, "warm"), []).append(run(cache))
    result = {}
    for phase in ("cold", "warm"):
        wall, processor = (
            {name: statistics.median(t[kind] for t in times[name, phase]) for name in ("ppl", "numpyro")}
            for kind in (0, 1)
        )
        result[phase] = {
            "ppl_s": round(wall["ppl"], 2),
            "numpyro_s": round(wall["numpyro"], 2),
            "ratio": round(wall["ppl"] / wall["numpyro"], 3),
            "ratio_of_processor_time": round(processor["ppl"] / processor["numpyro"], 3),
        }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
