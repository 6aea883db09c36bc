"""Alive SMC: for observations that most particles cannot meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ppl.inference.claims import Claim
from ppl.inference.methods.base import Method, Needs, parameter
from ppl.inference.methods.smc import PROPOSAL

if TYPE_CHECKING:
    from ppl.core.target import Target
    from ppl.inference.program import Program


@dataclass(frozen=True)
class Alive(Method):
    """Each step proposes until ``n`` particles meet the constraint (Del Moral, Jasra, Lee, Yau and Zhang 2015)."""

    name = "alive"
    summary = "SMC for hard constraints: proposes until enough particles are alive; unbiased evidence"
    claim = Claim.PROPERLY_WEIGHTED
    needs = Needs(sequential=True, ordered=True)

    n: int = parameter(1000, "particles that must be alive in each step", least=2)
    max_trials: int = parameter(1_000_000, "proposals after which a step gives up", least=1)
    proposal: str | None = parameter(None, PROPOSAL)

    def program(self, target: Target) -> Program:
        from ppl.inference.filtering.alive import AliveFilter

        return AliveFilter(target, self.n, self.max_trials)
