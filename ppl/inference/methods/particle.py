"""Particle Markov chain Monte Carlo and SMC²."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ppl.inference.claims import Claim
from ppl.inference.methods.base import Method, Needs, parameter
from ppl.inference.methods.smc import PROPOSAL, SCHEMES

if TYPE_CHECKING:
    from ppl.core.target import Target
    from ppl.inference.program import Program


@dataclass(frozen=True)
class Pimh(Method):
    """Metropolis–Hastings whose proposals are fresh runs of SMC (Andrieu, Doucet and Holenstein 2010)."""

    name = "pimh"
    summary = "particle independent Metropolis–Hastings: exact for any number of particles"
    claim = Claim.INVARIANT
    needs = Needs(sequential=True, ordered=True)

    n: int = parameter(100, "particles of each SMC run", least=1)
    chains: int = parameter(4, "number of independent chains", least=1)
    warmup: int = parameter(100, "iterations that are dropped", least=0)
    draws: int = parameter(1000, "iterations that are kept, in each chain", least=1)
    resample: str = parameter("systematic", "resampling scheme", choices=SCHEMES)
    ess: float = parameter(0.5, "resample below this fraction of effective particles", least=0)
    proposal: str | None = parameter(None, PROPOSAL)

    def program(self, target: Target) -> Program:
        from ppl.inference.filtering.chains import IndependentChains

        return IndependentChains(target, self)


@dataclass(frozen=True)
class ParticleGibbs(Method):
    """Conditional SMC for the states, with ancestor sampling, and a random walk on the parameters given the states."""

    name = "pgibbs"
    summary = "particle Gibbs with ancestor sampling: exact for any number of particles"
    claim = Claim.INVARIANT
    needs = Needs(sequential=True, ordered=True)

    n: int = parameter(20, "particles of each sweep", least=2)
    chains: int = parameter(4, "number of independent chains", least=1)
    warmup: int = parameter(500, "iterations that adapt the walk, and are dropped", least=0)
    draws: int = parameter(1000, "iterations that are kept, in each chain", least=1)
    moves: int = parameter(5, "random-walk steps of the parameters in an iteration", least=1)
    scale: float = parameter(0.5, "standard deviation of the first steps, in the unconstrained space", above=0)

    def program(self, target: Target) -> Program:
        from ppl.inference.filtering.gibbs import GibbsChains

        return GibbsChains(target, self)


@dataclass(frozen=True)
class Pmmh(Method):
    """Metropolis–Hastings over the parameters of a time series, their likelihood estimated by SMC."""

    name = "pmmh"
    summary = "particle marginal Metropolis–Hastings over parameters: exact for any number of particles"
    claim = Claim.INVARIANT
    needs = Needs(sequential=True, ordered=True)

    n: int = parameter(100, "particles of each SMC run", least=1)
    chains: int = parameter(4, "number of independent chains", least=1)
    warmup: int = parameter(500, "iterations that adapt the proposal, and are dropped", least=0)
    draws: int = parameter(1000, "iterations that are kept, in each chain", least=1)
    scale: float = parameter(
        0.5, "standard deviation of the first random-walk steps, in the unconstrained space", above=0
    )
    resample: str = parameter("systematic", "resampling scheme", choices=SCHEMES)
    ess: float = parameter(0.5, "resample below this fraction of effective particles", least=0)
    proposal: str | None = parameter(None, PROPOSAL)

    def program(self, target: Target) -> Program:
        from ppl.inference.filtering.chains import MarginalChains

        return MarginalChains(target, self)


@dataclass(frozen=True)
class Smc2(Method):
    """SMC over the parameters, each particle with an SMC of its own (Chopin, Jacob and Papaspiliopoulos 2013)."""

    name = "smc2"
    summary = "SMC over parameters whose likelihoods are estimated by SMC; gives the evidence"
    claim = Claim.PROPERLY_WEIGHTED
    needs = Needs(sequential=True, ordered=True)

    n: int = parameter(200, "particles for the parameters", least=2)
    inner: int = parameter(50, "particles for the states, of each parameter particle", least=1)
    moves: int = parameter(1, "PMMH steps where the parameters were resampled", least=0)
    scale: float = parameter(0.5, "standard deviation of the random-walk steps, in the unconstrained space", above=0)
    resample: str = parameter("systematic", "resampling scheme", choices=SCHEMES)
    ess: float = parameter(0.5, "resample below this fraction of effective particles", least=0)

    def program(self, target: Target) -> Program:
        from ppl.inference.filtering.nested import NestedFilter

        return NestedFilter(target, self)
