"""One SMC run on a target, with trajectories."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, PRNGKeyArray, UInt32

from ppl.core.errors import NumericalError
from ppl.core.sequential import ConditionalSequentialTarget
from ppl.core.target import Execution, Target
from ppl.inference.algorithms.smc import smc
from ppl.inference.filtering.genealogy import relative_variance
from ppl.inference.program import Finished, Program, Records, State, typed_key
from ppl.inference.representations import Particles, suspend
from ppl.inference.resampling import SCHEMES
from ppl.inference.run import Evidence
from ppl.inference.trajectories import distinct_ancestors, trace_back
from ppl.inference.transformations import collapse, identity, nested, spawn


class Filter(Program):
    """n particles, run from the first observation to the last in one iteration; the draws are their whole trajectories.

    Without ``paths`` nothing is kept that grows with the number of observations but a few numbers for each: the draws
    are then of the variables that are drawn outside of loops. ``inner``: continuations that a particle tries in each
    step."""

    total = 1
    chunk = 1

    def __init__(self, target: Target, n: int, scheme: str, ess: float, paths: bool = True, inner: int = 1):
        self.target, self.n, self.ess, self.paths = target, n, ess, paths
        self.scheme = SCHEMES[scheme]
        self.width = n
        self.length = target.suspend().length
        self.within = nested(collapse @ spawn(inner)) if inner > 1 else identity

    def start(self, key: UInt32[Array, "2"]) -> State:
        return {"key": jnp.asarray(key)}

    def advance(self, state: State, begin: Int[Array, ""], end: Int[Array, ""]) -> tuple[State, Records]:
        sequential = self.target.suspend()
        algorithm = smc(self.n, self.scheme, self.ess, records=self.paths) @ self.within
        particles, report = algorithm(suspend(sequential)).run(typed_key(state["key"]))
        rows = self.summary(particles, report)
        if self.paths:
            rows["trace"] = histories(sequential, particles, report)
        else:
            rows["trace"] = jax.vmap(sequential.kept)(particles.values)
        return state, jax.tree.map(lambda a: jnp.asarray(a)[None], rows)

    def summary(self, particles: Particles, report: dict[str, Any]) -> Records:
        rows = {
            "log_weight": particles.log_weights,
            "log_evidence": particles.log_evidence,
            "ess": report["ess"],
            "resampled": report["resampled"],
        }
        if "ancestors" in report:
            rows["variance"] = relative_variance(particles.weights, report["ancestors"], report["resampled"])
            rows["ancestors"] = distinct_ancestors(report["ancestors"])
        return rows

    def finish(self, state: State, records: Records) -> Finished:
        row = jax.tree.map(lambda a: np.asarray(a)[0], records)
        log_evidence, sizes = float(row["log_evidence"]), row["ess"]
        if log_evidence == -math.inf or math.isnan(log_evidence):
            raise self.dead(sizes, log_evidence)
        log_weights = row["log_weight"].astype(float)
        normalised = log_weights - np.logaddexp.reduce(log_weights)
        final = 1.0 / float(np.square(np.exp(normalised)).sum())
        notes: tuple[str, ...] = (
            f"{int(row['resampled'].sum())} resamplings in {self.length} steps; effective sample size: least "
            f"{float(np.min(sizes)):.0f}, at the end {final:.0f} of {self.n}",
        )
        if not self.paths:
            notes += ("paths=false: states and outputs are not kept",)
        stats, weights = self.weigh(normalised)
        trace = jax.tree.map(lambda a: a[None], row["trace"])
        return Finished(trace, stats, weights, Evidence(log_evidence, self.error(row)), self.warnings(row), notes)

    def error(self, row: Records) -> float | None:
        """The standard error of log Ẑ from the genealogy; None where it is unknown."""
        if self.n == 1 or "variance" not in row or (row["variance"] <= 0 and row["resampled"].any()):
            return None
        return math.sqrt(float(row["variance"]))

    def warnings(self, row: Records) -> tuple[str, ...]:
        if "ancestors" not in row or row["ancestors"][0] >= max(2, 0.01 * self.n):
            return ()
        return (
            f"all final particles descend from {int(row['ancestors'][0])} of the {self.n} at the first observation: "
            "what is said of early variables rests on few draws; take more particles, or use pgibbs",
        )

    def weigh(self, normalised: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
        """Statistics of each draw, and the log weights of the draws."""
        return {"log_weight": normalised[None]}, normalised[None]

    def complete(self, key: PRNGKeyArray, sample: Any) -> Execution:
        return super().complete(key, sample) if self.paths else Execution(sample, {}, {}, None, jnp.zeros(()))

    def sample_shape(self) -> Any:
        if self.paths:
            return super().sample_shape()
        return jax.eval_shape(lambda: self._kept(jax.random.key(0)))

    def _kept(self, key: PRNGKeyArray) -> Any:
        sequential = self.target.suspend()
        return sequential.kept(sequential.start(key)[0])

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
