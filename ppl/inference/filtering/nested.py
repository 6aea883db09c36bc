"""SMC² as a run."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, UInt32

from ppl.core.errors import NumericalError
from ppl.core.target import Target
from ppl.inference.algorithms.smc2 import nested, smc2
from ppl.inference.filtering.chains import trajectory
from ppl.inference.filtering.parameters import Parameters
from ppl.inference.kernels.metropolis import random_walk
from ppl.inference.program import Finished, Program, Records, State, typed_key
from ppl.inference.resampling import SCHEMES
from ppl.inference.run import Evidence


class NestedFilter(Program):
    """SMC² with ``method``'s settings: properly weighted for the parameters. The states that go with them are drawn by
    one more SMC at each θ, normalised, and so carry a bias of order 1/inner that the parameters do not have."""

    total = 1
    chunk = 1

    def __init__(self, target: Target, method: Any):
        self.target, self.method = target, method
        self.width = method.n
        Parameters(target, method.name)

    def start(self, key: UInt32[Array, "2"]) -> State:
        return {"key": jnp.asarray(key)}

    def advance(self, state: State, begin: Int[Array, ""], end: Int[Array, ""]) -> tuple[State, Records]:
        m, p = self.method, Parameters(self.target, self.method.name)
        run, paths = jax.random.split(typed_key(state["key"]))
        algorithm = smc2(
            m.n, p.model, m.inner, p.log_prior, random_walk(m.scale).propose, m.moves, SCHEMES[m.resample], m.ess
        )
        particles, report = algorithm(nested(p.model, p.prior, p.log_prior, m.inner, p.sequential.length)).run(run)
        traces = jax.vmap(lambda k, theta: trajectory(p.model(theta), m.inner, m.resample, m.ess).draw(k).value)(
            jax.random.split(paths, m.n), particles.values.trace.theta
        )
        rows = {
            "trace": traces,
            "log_weight": particles.log_weights,
            "log_evidence": particles.log_evidence,
            "ess": report["ess"],
            "resampled": report["resampled"],
        }
        return state, jax.tree.map(lambda a: jnp.asarray(a)[None], rows)

    def finish(self, state: State, records: Records) -> Finished:
        row = jax.tree.map(lambda a: np.asarray(a)[0], records)
        log_evidence = float(row["log_evidence"])
        if not math.isfinite(log_evidence):
            raise NumericalError(
                f"all {self.method.n} parameter particles are dead: the estimated evidence is 0",
                helps=("take more particles, or check the priors against the data: ppl prior",),
            )
        log_weights = row["log_weight"].astype(float)
        normalised = log_weights - np.logaddexp.reduce(log_weights)
        notes = (
            f"{int(row['resampled'].sum())} resamplings; least effective sample size {float(row['ess'].min()):.0f} "
            f"of {self.method.n}",
        )
        trace = jax.tree.map(lambda a: a[None], row["trace"])
        return Finished(trace, {"log_weight": log_weights[None]}, normalised[None],
                        Evidence(log_evidence, None), (), notes)  # fmt: skip
