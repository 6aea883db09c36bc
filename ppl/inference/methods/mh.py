"""Markov chains on any mixture of continuous and discrete random variables: random-walk Metropolis, or any kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ppl.inference.claims import Claim
from ppl.inference.methods.base import Call, Method, parameter

if TYPE_CHECKING:
    from ppl.core.target import Target
    from ppl.inference.program import Program


@dataclass(frozen=True)
class Mh(Method):
    """An adaptive random walk on the continuous variables, then single-element steps on the discrete ones, in each
    iteration; or a kernel of fixed tuning."""

    name = "mh"
    summary = "random-walk Metropolis–Hastings; works without gradients and on discrete variables"
    claim = Claim.INVARIANT

    chains: int = parameter(4, "number of independent chains", least=1)
    warmup: int = parameter(1000, "iterations that adapt the walk, and are dropped", least=0)
    draws: int = parameter(1000, "iterations that are kept, in each chain", least=1)
    thin: int = parameter(5, "transitions in an iteration", least=1)
    scale: float = parameter(1.0, "standard deviation of the first steps, in the unconstrained space", above=0)

    kernel: Call | None = parameter(
        None,
        "in place of these: rw(scale), slice(width), hmc(step_size, steps), mala(step_size), nuts(step_size), "
        "gibbs(z, …), conjugate(x, …), on(select(x, …), kernel), seq, mix, cycle, repeat",
    )

    def program(self, target: Target) -> Program:
        from ppl.inference.mcmc.by_kernel import KernelChains
        from ppl.inference.mcmc.metropolis import MetropolisChains

        if self.kernel is not None:
            return KernelChains(target, self)

        return MetropolisChains(target, self)
