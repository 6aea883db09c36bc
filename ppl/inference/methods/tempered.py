"""SMC from the prior to the posterior along powers of the likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ppl.inference.claims import Claim
from ppl.inference.methods.base import Method, Needs, parameter
from ppl.inference.methods.smc import SCHEMES

if TYPE_CHECKING:
    from ppl.core.target import Target
    from ppl.inference.program import Program


@dataclass(frozen=True)
class TemperedSmc(Method):
    """Adaptive temperatures and random-walk moves tuned on the particles: for posteriors of several modes, with the
    evidence."""

    name = "tempered"
    summary = "tempered SMC with adaptive temperatures; several modes, and the evidence"
    claim = Claim.CONSISTENT
    needs = Needs(continuous=True)

    n: int = parameter(2000, "number of particles", least=2)
    moves: int = parameter(10, "Metropolis steps of every particle at each temperature", least=1)
    ess: float = parameter(0.5, "the next temperature keeps this fraction of effective particles", above=0, below=1)
    resample: str = parameter("systematic", "resampling scheme", choices=SCHEMES)

    def program(self, target: Target) -> Program:
        from ppl.inference.filtering.tempering import Tempering

        return Tempering(target, self)
