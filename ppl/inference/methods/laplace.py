"""The Laplace approximation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ppl.inference.claims import Claim
from ppl.inference.methods.base import Method, Needs, parameter

if TYPE_CHECKING:
    from ppl.core.target import Target
    from ppl.inference.program import Program


@dataclass(frozen=True)
class Laplace(Method):
    """A Gaussian at the mode of the unconstrained density, with the inverse of minus the Hessian for covariance
    (Tierney and Kadane 1986). Exact, evidence included, where that density is Gaussian."""

    name = "laplace"
    summary = "a Gaussian at the mode of the unconstrained density"
    claim = Claim.HEURISTIC
    needs = Needs(continuous=True, gradient=True)

    draws: int = parameter(1000, "draws of the approximation", least=1)
    starts: int = parameter(4, "number of random starts of the search for the mode", least=1)
    iterations: int = parameter(1000, "L-BFGS iterations at most", least=1)
    tolerance: float = parameter(
        1e-8, "stop where no component of the gradient exceeds this times max(1, |log density|)", above=0
    )
    init_radius: float = parameter(2.0, "starts are uniform on ±init_radius in the unconstrained space", least=0)

    def program(self, target: Target) -> Program:
        from ppl.inference.optimise.laplace import LaplaceApproximation

        return LaplaceApproximation(target, self)
