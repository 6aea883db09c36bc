"""Alive SMC as a run."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from ppl.core.errors import NumericalError
from ppl.core.target import Target
from ppl.inference.algorithms.alive import alive_smc
from ppl.inference.filtering.program import Filter, histories
from ppl.inference.program import Finished, Records, State, typed_key
from ppl.inference.run import Evidence


class AliveFilter(Filter):
    """n particles that are alive behind every observation; the draws are their trajectories."""

    def __init__(self, target: Target, n: int, max_trials: int):
        super().__init__(target, n, "multinomial", 2.0)
        self.max_trials = max_trials

    def advance(self, state: State, begin: Int[Array, ""], end: Int[Array, ""]) -> tuple[State, Records]:
        sequential = self.target.suspend()
        result = alive_smc(typed_key(state["key"]), sequential, self.n, self.max_trials)
        report = {"records": result.records, "ancestors": result.ancestors}
        rows = {
            "trace": histories(sequential, result.particles, report),
            "log_weight": result.particles.log_weights,
            "log_evidence": result.particles.log_evidence,
            "trials": result.trials,
            "exhausted": result.exhausted,
        }
        return state, jax.tree.map(lambda a: jnp.asarray(a)[None], rows)

    def finish(self, state: State, records: Records) -> Finished:
        row = jax.tree.map(lambda a: np.asarray(a)[0], records)
        if row["exhausted"].any():
            step = int(np.argmax(row["exhausted"]))
            what = self.target.suspend().observation(step)
            raise NumericalError(
                f"step {step} ({what}): fewer than {self.n + 1} of {int(row['trials'][step]):,} proposals are alive",
                helps=("take fewer particles, raise `max_trials`, or give a proposal that meets the constraint",),
            )
        log_weights = row["log_weight"].astype(float)
        normalised = log_weights - np.logaddexp.reduce(log_weights)
        evidence = float(row["log_evidence"])
        if math.isnan(evidence):
            raise self.dead(np.ones(self.length), evidence)
        most = int(np.argmax(row["trials"]))
        what = self.target.suspend().observation(most)
        notes = (
            f"{int(row['trials'].sum()):,} proposals; most, {int(row['trials'][most]):,}, in step {most} ({what})",
        )
        stats, weights = self.weigh(normalised)
        trace = jax.tree.map(lambda a: a[None], row["trace"])
        return Finished(trace, stats, weights, Evidence(evidence, None), (), notes)
