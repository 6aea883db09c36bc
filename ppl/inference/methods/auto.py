"""The choice of a method by what the target is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ppl.core.errors import MethodError
from ppl.inference.claims import Claim
from ppl.inference.methods.base import Method
from ppl.inference.methods.enumeration import Enumerate, states
from ppl.inference.methods.importance import Importance
from ppl.inference.methods.nuts import Nuts

if TYPE_CHECKING:
    from ppl.core.target import Target
    from ppl.inference.program import Program

_SMALL = 100_000  # states that are cheaper to visit than a Markov chain is to run


@dataclass(frozen=True)
class Auto(Method):
    """Exact enumeration where the states are few, NUTS where every latent is continuous (after the compiler has
    summed out what it can); an error that names the variables in the way otherwise."""

    name = "auto"
    summary = "chooses by the model, and says why"
    claim = Claim.HEURISTIC

    def resolve(self, target: Target) -> tuple[Method, str]:
        discrete = [v for v in target.latents if v.discrete]
        if not target.latents:
            return Importance(1000), "no random variable is left to infer: the draws are independent and exact"
        if not discrete:
            return Nuts(), "every random variable that is left to infer is continuous"
        if len(discrete) == len(target.latents) and all(v.support_size is not None for v in discrete):
            count = states(target)
            if count <= _SMALL:
                return Enumerate(), f"every random variable has finitely many values, {count:,} states in all"
        names = ", ".join(f"`{v.name}`" for v in discrete)
        raise MethodError(
            f"auto found no method that is right for this model without tuning: {names} "
            + ("is" if len(discrete) == 1 else "are")
            + " discrete and could not be summed out",
            helps=("choose one: --method 'mh' moves any variables, 'smc(10000)' follows the observations in order",),
        )

    def program(self, target: Target) -> Program:
        return self.resolve(target)[0].program(target)
