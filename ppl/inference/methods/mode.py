"""The posterior mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ppl.inference.claims import Claim
from ppl.inference.methods.base import Method, Needs, parameter

if TYPE_CHECKING:
    from ppl.core.target import Target
    from ppl.inference.program import Program


@dataclass(frozen=True)
class Map(Method):
    """Maximises log γ over the latents by L-BFGS (Nocedal 1980) in unconstrained space, from several starts.

    Without ``jacobian`` the maximum is that of the density of the constrained variables, which does not depend on how
    they are transformed. With it, it is that of the unconstrained variables: the centre of ``laplace``."""

    name = "map"
    summary = "the posterior mode, a point and not a distribution"
    claim = Claim.HEURISTIC
    needs = Needs(continuous=True, gradient=True)

    starts: int = parameter(4, "number of random starts; the best end is kept", least=1)
    iterations: int = parameter(1000, "L-BFGS iterations at most", least=1)
    tolerance: float = parameter(
        1e-8, "stop where no component of the gradient exceeds this times max(1, |log density|)", above=0
    )
    jacobian: bool = parameter(False, "include the log Jacobian of the transformation to the unconstrained space")
    init_radius: float = parameter(2.0, "starts are uniform on ±init_radius in the unconstrained space", least=0)

    def program(self, target: Target) -> Program:
        from ppl.inference.optimise.mode import Mode

        return Mode(target, self)
