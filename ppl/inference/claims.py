"""What a transformation promises of the measure that it is given."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class Claim(IntEnum):
    """Ordered from weakest to strongest; the claim of a composition is the meet of the claims of its parts.

    ``EXACT``: ⟦τ r⟧ = ⟦r⟧ as (unnormalised) measures, realisation by realisation of what r had drawn.
    ``PROPERLY_WEIGHTED``: E ⟦τ r⟧ f = ⟦r⟧ f for every f, over τ's own randomness: unbiased for the unnormalised
    measure.
    ``INVARIANT``: the normalised measure is left invariant.
    ``CONSISTENT``: the bias vanishes as the number of particles grows, at rate 1/n.
    ``HEURISTIC``: no promise.
    """

    HEURISTIC = 0
    CONSISTENT = 1
    INVARIANT = 2
    PROPERLY_WEIGHTED = 3
    EXACT = 4

    @property
    def title(self) -> str:
        return {
            Claim.EXACT: "preserves the measure exactly",
            Claim.PROPERLY_WEIGHTED: "properly weighted (unbiased for the unnormalised measure)",
            Claim.INVARIANT: "leaves the normalised measure invariant",
            Claim.CONSISTENT: "consistent, with a bias of order 1/n",
            Claim.HEURISTIC: "heuristic: no promise",
        }[self]


def meet(claims: Iterable[Claim]) -> Claim:
    """The strongest claim that all of them support (``EXACT`` for none)."""
    return min(claims, default=Claim.EXACT)
