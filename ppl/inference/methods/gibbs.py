"""Gibbs sampling: every variable from its full conditional."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ppl.inference.claims import Claim
from ppl.inference.methods.base import Method, parameter

if TYPE_CHECKING:
    from ppl.core.target import Target
    from ppl.inference.program import Program


@dataclass(frozen=True)
class Gibbs(Method):
    """In each iteration every variable is drawn given the others: by enumeration where it has finitely many values,
    exactly where its full conditional is of a standard family (conjugate pairs), by slice sampling else."""

    name = "gibbs"
    summary = "Gibbs sampling: enumeration, conjugate draws, and slice sampling for the rest"
    claim = Claim.INVARIANT

    chains: int = parameter(4, "number of independent chains", least=1)
    warmup: int = parameter(500, "iterations that are dropped", least=0)
    draws: int = parameter(1000, "iterations that are kept, in each chain", least=1)
    thin: int = parameter(1, "sweeps in an iteration", least=1)

    def program(self, target: Target) -> Program:
        from ppl.inference.mcmc.by_kernel import KernelChains

        return KernelChains(target, self)
