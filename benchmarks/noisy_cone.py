"""The noisy cone of Becker et al. (PLDI 2024), by the five objectives of the paper and by a guide that knows the angle.

    python benchmarks/noisy_cone.py [--steps 5000]

log p(z = 5) = −5.3232 by quadrature. The first five rows use the guides of the paper and plain stochastic gradient
ascent with rate 1e-3, 64 estimates in a step; the last is `angle.ppl` with Adam. Prints the value of each objective
with its standard error, the published value, and the standard deviation of the gradient of one estimate (of all
parameters together) where the fit starts."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import numpy as np

import ppl

FOLDER = Path(__file__).parent.parent / "examples" / "noisy_cone"
ROWS = [
    ("model", "naive", "elbo", "−8.08"),
    ("model", "naive", "iwelbo(5)", "−7.67 … −7.79"),
    ("model", "ring", "hvi", "−9.75"),
    ("model", "ring", "iwhvi(5)", "−8.18"),
    ("model", "ring", "diwhvi(5, 5)", "−7.30"),
    ("angle", "ring", "elbo", "(−5.3232)"),
]


def deviation(applied, method):
    """√ of the summed variances of the gradient's entries, from 500 estimates."""
    from ppl.api.variational import bound

    with ppl.environment():
        program = bound(applied, method)[1].objective
        params = program.initial(jax.random.key(0))
        gradient = jax.jit(lambda keys: jax.lax.map(lambda k: jax.grad(program.surrogate)(params, k), keys))
        found = gradient(jax.random.split(jax.random.key(1), 500))
        return float(np.sqrt(sum(float(jnp.var(g, axis=0).sum()) for g in jax.tree.leaves(found))))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--steps", type=int, default=5000)
    options = arguments.parse_args()
    print("file   guide  objective     value            published         sd of the gradient")
    for file, guide, objective, published in ROWS:
        optimiser = "sgd(0.001)" if file == "model" else "adam(0.01)"
        module = ppl.load(FOLDER / f"{file}.ppl")
        method = ppl.vi(guide=guide, objective=objective, optimiser=optimiser, steps=options.steps, particles=64)
        applied = module.model().given(z=5.0)
        bound = ppl.infer(applied, method, seed=1).posterior.fit.bound
        spread = deviation(applied, method)
        row = f"{file:6s} {guide:6s} {objective:12s} {bound.value:7.3f} ± {bound.se:5.3f}  {published:16s} {spread:8.2f}"
        print(row, flush=True)


if __name__ == "__main__":
    main()
