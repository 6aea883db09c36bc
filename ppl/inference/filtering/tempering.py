"""Tempered SMC as a run."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, UInt32

from ppl.core.errors import NumericalError
from ppl.core.target import Target
from ppl.inference.algorithms.tempered import tempered_smc
from ppl.inference.flat import layout
from ppl.inference.kernels import Kernel, random_walk
from ppl.inference.program import Finished, Program, Records, State, typed_key
from ppl.inference.representations import Particles
from ppl.inference.resampling import SCHEMES
from ppl.inference.run import Evidence


class Tempering(Program):
    """n particles in R^k from the prior to the posterior, moved by random walks with the covariance of the
    particles."""

    total = 1
    chunk = 1

    def __init__(self, target: Target, method: Any):
        self.target, self.method = target, method
        self.width = method.n

    def start(self, key: UInt32[Array, "2"]) -> State:
        return {"key": jnp.asarray(key)}

    def advance(self, state: State, begin: Int[Array, ""], end: Int[Array, ""]) -> tuple[State, Records]:
        m, target, where = self.method, self.target, layout(self.target)
        latent = {v.name for v in target.latents}

        def prior(key: Any) -> Any:
            trace = target.generate(key, {}).trace
            return where.ravel(target.unconstrain({n: trace[n] for n in latent}))

        def parts(u: Any) -> tuple[Any, Any]:
            """log prior density in R^k, and log likelihood."""
            trace, log_det = target.constrain(where.unravel(u))
            terms = target.log_density_terms(trace)
            own = [jnp.sum(t) for name, t in terms.items() if name in latent]
            rest = [jnp.sum(t) for name, t in terms.items() if name not in latent]
            finite = [jnp.where(jnp.isnan(x), -jnp.inf, x) for x in (sum(own, log_det), sum(rest, jnp.zeros(())))]
            return finite[0], finite[1]

        def kernel(particles: Particles) -> Kernel:
            cov = jnp.atleast_2d(jnp.cov(particles.values.T)) + 1e-9 * jnp.eye(where.size)
            return random_walk(2.38 / math.sqrt(where.size) * jnp.linalg.cholesky(cov))

        result = tempered_smc(
            typed_key(state["key"]),
            prior,
            lambda u: parts(u)[0],
            lambda u: parts(u)[1],
            kernel,
            m.n,
            m.moves,
            m.ess,
            SCHEMES[m.resample],
        )
        traces = jax.vmap(lambda u: target.constrain(where.unravel(u))[0])(result.particles.values)
        rows = {
            "trace": traces,
            "log_evidence": result.particles.log_evidence,
            "temperatures": result.temperatures,
            "acceptance": result.acceptance,
            "steps": result.steps,
        }
        return state, jax.tree.map(lambda a: jnp.asarray(a)[None], rows)

    def finish(self, state: State, records: Records) -> Finished:
        row = jax.tree.map(lambda a: np.asarray(a)[0], records)
        log_evidence, steps = float(row["log_evidence"]), int(row["steps"])
        if not math.isfinite(log_evidence):
            raise NumericalError(
                f"all {self.method.n} particles have density zero given the data",
                helps=("take more particles, or check the priors against the data: ppl prior",),
            )
        rates = row["acceptance"][:steps]
        schedule = ", ".join(f"{b:.3g}" for b in row["temperatures"][:steps][:8]) + (", …" if steps > 8 else "")
        warnings: tuple[str, ...] = ()
        if row["temperatures"][steps - 1] < 1.0:
            warnings = (
                f"the temperatures stopped at {row['temperatures'][steps - 1]:.3g} after {steps} steps: take more "
                f"particles",
            )
        elif float(np.min(rates)) < 0.05:
            warnings = (
                f"only {100 * float(np.min(rates)):.1f} % of the moves were accepted at one temperature: "
                f"take more moves",
            )
        return Finished(
            jax.tree.map(lambda a: a[None], row["trace"]),
            {"lp": np.zeros((1, self.method.n))} if not row["trace"] else {},
            None,
            Evidence(log_evidence, None),
            warnings,
            (f"{steps} temperatures: {schedule}; acceptance rate {float(np.mean(rates)):.2f}",),
        )
