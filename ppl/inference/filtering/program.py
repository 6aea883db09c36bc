"""One SMC run on a target, with trajectories."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, UInt32

from ppl.core.errors import NumericalError
from ppl.core.sequential import ConditionalSequentialTarget
from ppl.core.target import Target
from ppl.inference.algorithms.smc import smc
from ppl.inference.filtering.genealogy import relative_variance
from ppl.inference.program import Finished, Program, Records, State, typed_key
from ppl.inference.representations import Particles, suspend
from ppl.inference.resampling import SCHEMES
from ppl.inference.run import Evidence
from ppl.inference.trajectories import distinct_ancestors, trace_back


class Filter(Program):
    """n particles, run from the first observation to the last in one iteration; the draws are their whole trajectories."""

    total = 1
    chunk = 1

    def __init__(self, target: Target, n: int, scheme: str, ess: float):
        self.target, self.n, self.ess = target, n, ess
        self.scheme = SCHEMES[scheme]
        self.width = n
        self.length = target.suspend().length

    def start(self, key: UInt32[Array, "2"]) -> State:
        return {"key": jnp.asarray(key)}

    def advance(self, state: State, begin: Int[Array, ""], end: Int[Array, ""]) -> tuple[State, Records]:
        sequential = self.target.suspend()
        particles, report = smc(self.n, self.scheme, self.ess, records=True)(suspend(sequential)).run(typed_key(state["key"]))
        rows = {
            "trace": histories(sequential, particles, report),
            "log_weight": particles.log_weights,
            "log_evidence": particles.log_evidence,
            "variance": relative_variance(particles.weights, report["ancestors"], report["resampled"]),
            "ess": report["ess"],
            "resampled": report["resampled"],
            "ancestors": distinct_ancestors(report["ancestors"]),
        }
        return state, jax.tree.map(lambda a: jnp.asarray(a)[None], rows)

    def finish(self, state: State, records: Records) -> Finished:
        row = jax.tree.map(lambda a: np.asarray(a)[0], records)
        log_evidence, sizes = float(row["log_evidence"]), row["ess"]
        if log_evidence == -math.inf or math.isnan(log_evidence):
            raise self.dead(sizes, log_evidence)
        log_weights = row["log_weight"].astype(float)
        normalised = log_weights - np.logaddexp.reduce(log_weights)
        final = 1.0 / float(np.square(np.exp(normalised)).sum())
        known = self.n > 1 and (row["variance"] > 0 or not row["resampled"].any())  # 0 by rounding up says nothing
        error = math.sqrt(float(row["variance"])) if known else None
        warnings = ()
        if row["ancestors"][0] < max(2, 0.01 * self.n):
            warnings = (
                f"all final particles descend from {int(row['ancestors'][0])} of the {self.n} at the first observation: "
                "what is said of early variables rests on few draws; take more particles, or use pgibbs",
            )
        notes = (
            f"{int(row['resampled'].sum())} resamplings in {self.length} steps; effective sample size: least "
            f"{float(np.min(sizes)):.0f}, at the end {final:.0f} of {self.n}",
        )
        return Finished(
            jax.tree.map(lambda a: a[None], row["trace"]),
            {"log_weight": log_weights[None]},
            normalised[None],
            Evidence(log_evidence, error),
            warnings,
            notes,
        )

    def dead(self, sizes: np.ndarray, log_evidence: float) -> NumericalError:
        """Names the observation at which the last particle died. ``sizes`` are those before each step."""
        gone = np.flatnonzero(~(sizes > 0))
        step = int(gone[0]) - 1 if len(gone) else self.length - 1
        what = self.target.suspend().observation(max(step, 0))
        said = "have a NaN weight" if math.isnan(log_evidence) else "are dead: the evidence is 0 there"
        return NumericalError(
            f"step {step} ({what}): all {self.n} particles {said}",
            notes=("no particle gives the observation a positive density",),
            helps=("look at the observation, widen the model, or take more particles",),
        )


def histories(sequential: ConditionalSequentialTarget, particles: Particles, report: dict[str, Any]) -> dict[str, Any]:
    """The whole trace of every final particle, from ancestor indices and per-step records."""
    n = particles.size
    records = trace_back(report["records"], report["ancestors"], jnp.arange(n))
    return jax.vmap(sequential.trace, in_axes=(0, 1))(particles.values, records)
