"""Resample–move as a run."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, UInt32

from ppl.core.errors import NumericalError
from ppl.core.target import Target
from ppl.inference.algorithms.smc import resample_move
from ppl.inference.filtering.static import static, suspend_static
from ppl.inference.kernels.named import kernel
from ppl.inference.program import Finished, Program, Records, State, typed_key
from ppl.inference.resampling import SCHEMES
from ppl.inference.run import Evidence

_LEAST_DISTINCT = 0.2  # of the particles: below this the moves have hardly been accepted


class Moving(Program):
    """The particles are parameters; they go from the prior to the posterior with the observations, in the program's
    order."""

    total = 1
    chunk = 1

    def __init__(self, target: Target, method: Any):
        self.target, self.method = target, method
        self.width = method.n
        self.length = static(target, method.name).length
        self.kernel = None if method.kernel is None else kernel(method.kernel)

    def start(self, key: UInt32[Array, "2"]) -> State:
        return {"key": jnp.asarray(key)}

    def advance(self, state: State, begin: Int[Array, ""], end: Int[Array, ""]) -> tuple[State, Records]:
        m, target = self.method, static(self.target, self.method.name)
        algorithm = resample_move(m.n, self.kernel, m.moves, SCHEMES[m.resample], m.ess)
        particles, report = algorithm(suspend_static(target)).run(typed_key(state["key"]))
        rows = {
            "trace": jax.vmap(target.parameters.constrained)(particles.values.trace),
            "log_weight": particles.log_weights,
            "log_evidence": particles.log_evidence,
            "ess": report["ess"],
            "resampled": report["resampled"],
        }
        return state, jax.tree.map(lambda a: jnp.asarray(a)[None], rows)

    def finish(self, state: State, records: Records) -> Finished:
        row = jax.tree.map(lambda a: np.asarray(a)[0], records)
        n, log_evidence, sizes = self.method.n, float(row["log_evidence"]), row["ess"]
        if not math.isfinite(log_evidence):
            gone = np.flatnonzero(~(sizes > 0))
            step = max(int(gone[0]) - 1 if len(gone) else self.length - 1, 0)
            raise NumericalError(
                f"step {step} ({self.target.suspend().observation(step)}): all {n} particles are dead: the evidence "
                f"is 0 there",
                notes=("no particle gives the observation a positive density",),
                helps=("take more particles, or check the priors against the data: ppl prior",),
            )
        log_weights = row["log_weight"].astype(float)
        normalised = log_weights - np.logaddexp.reduce(log_weights)
        flat = np.concatenate([a.reshape(n, -1) for a in row["trace"].values()], axis=1)
        distinct = len(np.unique(flat, axis=0)) / n
        warnings: tuple[str, ...] = ()
        if distinct < _LEAST_DISTINCT and row["resampled"].any():
            warnings = (f"only {distinct:.1%} of the particles differ: the moves are hardly ever accepted; make "
                        f"their steps smaller, "
                        "or leave out `kernel` for steps fitted to the particles",)  # fmt: skip
        final = 1.0 / float(np.square(np.exp(normalised)).sum())
        notes = (f"{int(row['resampled'].sum())} resamplings in {self.length} steps; effective sample size: least "
                 f"{float(sizes.min()):.0f}, at the end {final:.0f} of {n}; {distinct:.0%} of the particles "
                 f"distinct",)  # fmt: skip
        trace = jax.tree.map(lambda a: a[None], row["trace"])
        return Finished(trace, {"log_weight": log_weights[None]}, normalised[None],
                        Evidence(log_evidence, None), warnings, notes)  # fmt: skip
