"""Importance sampling from the prior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ppl.inference.claims import Claim
from ppl.inference.methods.base import Method, parameter

if TYPE_CHECKING:
    from ppl.core.target import Target
    from ppl.inference.program import Program


@dataclass(frozen=True)
class Importance(Method):
    """n draws of the prior, weighted by the likelihood: unbiased for the evidence, and fit for few random variables."""

    name = "importance"
    summary = "draws of the prior weighted by the likelihood; estimates the evidence"
    claim = Claim.PROPERLY_WEIGHTED

    n: int = parameter(10000, "number of weighted draws", least=1)

    def program(self, target: Target) -> Program:
        from ppl.inference.importance.prior import PriorImportance

        return PriorImportance(target, self.n)
