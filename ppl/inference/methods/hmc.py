"""Hamiltonian Monte Carlo with trajectories of a fixed number of steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ppl.inference.claims import Claim
from ppl.inference.methods.base import Method, Needs, parameter

if TYPE_CHECKING:
    from ppl.core.target import Target
    from ppl.inference.adapters.blackjax import LogDensity, Transition
    from ppl.inference.program import Program


@dataclass(frozen=True)
class Hmc(Method):
    """Hybrid Monte Carlo (Duane et al. 1987) with Stan's three-stage warm-up, for each chain on its own."""

    name = "hmc"
    summary = "Hamiltonian Monte Carlo with a fixed number of leapfrog steps, adapted during warm-up"
    claim = Claim.INVARIANT
    needs = Needs(continuous=True, gradient=True)

    chains: int = parameter(4, "number of independent chains, run side by side", least=1)
    warmup: int = parameter(1000, "iterations that adapt step size and metric, and are dropped", least=0)
    draws: int = parameter(1000, "iterations that are kept, in each chain", least=1)
    steps: int = parameter(16, "leapfrog steps in a trajectory", least=1)
    target_accept: float = parameter(
        0.8, "mean acceptance probability that the step size is adapted to", above=0, below=1
    )
    metric: str = parameter("diagonal", "shape of the adapted inverse mass matrix", choices=("diagonal", "dense"))
    step_size: float = parameter(1.0, "the first step size; the only one where warmup is 0", above=0)
    init_radius: float = parameter(2.0, "starts are uniform on ±init_radius in the unconstrained space", least=0)

    def program(self, target: Target) -> Program:
        from ppl.inference.mcmc.hamiltonian import Hamiltonian

        def kernel(log_density: LogDensity) -> Transition:
            from ppl.inference.adapters.blackjax import hmc_kernel

            return hmc_kernel(log_density, self.steps)

        return Hamiltonian(target, self, kernel)
