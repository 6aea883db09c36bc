"""Sequential Monte Carlo over the observations of a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ppl.inference.claims import Claim
from ppl.inference.methods.base import Method, Needs, parameter

if TYPE_CHECKING:
    from ppl.core.target import Target
    from ppl.inference.program import Program

SCHEMES = ("systematic", "stratified", "multinomial", "residual", "srinivasan")
PROPOSAL = "a guide of the model's file that proposes the latents of each step; none: their priors"


@dataclass(frozen=True)
class Smc(Method):
    """finish ∘ (advance ∘ hoist(resample))ᵀ ∘ hoist(spawn n): the bootstrap filter of whatever the model observes in
    order; with a guide for its proposal, the guided filter."""

    name = "smc"
    summary = "sequential Monte Carlo over the observations; an unbiased estimate of the evidence"
    claim = Claim.PROPERLY_WEIGHTED
    needs = Needs(sequential=True)

    n: int = parameter(1000, "number of particles", least=1)
    resample: str = parameter("systematic", "resampling scheme", choices=SCHEMES)
    ess: float = parameter(
        0.5, "resample when fewer than this fraction of the particles is effective; above 1: always", least=0
    )
    proposal: str | None = parameter(None, PROPOSAL)

    def program(self, target: Target) -> Program:
        from ppl.inference.filtering.program import Filter

        return Filter(target, self.n, self.resample, self.ess)
