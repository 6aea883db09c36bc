"""Resample–move SMC over the data of a model whose parameters do not change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ppl.inference.claims import Claim
from ppl.inference.methods.base import Call, Method, Needs, parameter
from ppl.inference.methods.smc import SCHEMES

if TYPE_CHECKING:
    from ppl.core.target import Target
    from ppl.inference.program import Program


@dataclass(frozen=True)
class ResampleMove(Method):
    """IBIS (Chopin 2002): the data come one by one, the particles are parameters, and are moved where they were
    resampled. With a kernel of fixed tuning the evidence is unbiased; without one the moves are random walks with the
    covariance of the particles, and the evidence is consistent."""

    name = "rmsmc"
    summary = "resample–move SMC over the data, for static parameters (IBIS); gives the evidence"
    claim = Claim.CONSISTENT
    needs = Needs(continuous=True, sequential=True)

    n: int = parameter(1000, "number of particles", least=2)
    kernel: Call | None = parameter(
        None,
        "rw(scale), hmc(step_size, steps), mala(step_size), nuts(step_size), or on(select(name, …), kernel); "
        "none: adapts",
    )
    moves: int = parameter(5, "transitions of every particle where they were resampled", least=0)
    resample: str = parameter("systematic", "resampling scheme", choices=SCHEMES)
    ess: float = parameter(0.5, "resample below this fraction of effective particles", least=0)

    def program(self, target: Target) -> Program:
        from ppl.inference.filtering.moving import Moving

        return Moving(target, self)
