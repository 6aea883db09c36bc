"""Sequential Monte Carlo over the observations of a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ppl.core.errors import UsageError
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
    needs = Needs(sequential=True, ordered=True)

    n: int = parameter(1000, "number of particles", least=1)
    resample: str = parameter("systematic", "resampling scheme", choices=SCHEMES)
    ess: float = parameter(
        0.5, "resample when fewer than this fraction of the particles is effective; above 1: always", least=0
    )
    proposal: str | None = parameter(None, PROPOSAL)
    inner: int = parameter(
        1, "continuations that a particle tries in each step, of which one is kept by weight (nested SMC)", least=1
    )
    paths: bool = parameter(True, "keep trajectories; false: the filter alone, in memory that does not grow with time")
    smooth: str = parameter(
        "ancestors", "trajectories by ancestors, or by backward simulation (ffbs)", choices=("ancestors", "ffbs")
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.smooth == "ffbs" and (not self.paths or self.inner > 1):
            raise UsageError(
                "smooth=ffbs goes back over the populations of all steps: it needs paths=true and inner=1",
                helps=(f"smc({self.n}, smooth=ffbs)",),
            )

    def program(self, target: Target) -> Program:
        from ppl.inference.filtering.program import Filter
        from ppl.inference.filtering.smoothing import Smoother

        if self.smooth == "ffbs":
            return Smoother(target, self.n, self.resample, self.ess)
        return Filter(target, self.n, self.resample, self.ess, self.paths, self.inner)
