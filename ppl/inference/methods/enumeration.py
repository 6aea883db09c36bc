"""Exact inference by visiting every value of the latents."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ppl.core.errors import ResourceError
from ppl.inference.claims import Claim
from ppl.inference.methods.base import Method, Needs, parameter

if TYPE_CHECKING:
    from ppl.core.target import Target
    from ppl.inference.program import Program


@dataclass(frozen=True)
class Enumerate(Method):
    """Every combination of the values of finite latents with its exact probability; the evidence is exact."""

    name = "enumerate"
    summary = "exact posterior and evidence of a program with finitely many states"
    claim = Claim.EXACT
    needs = Needs(finite=True)

    limit: int = parameter(1_000_000, "refuse a program with more states than this", least=1)

    def check(self, target: Target) -> None:
        """MethodError for continuous latents; ResourceError (exit code 6) for too many states, or an unbounded
        support."""
        super().check(target)
        unbounded = [v.name for v in target.latents if v.support_size is None]
        if unbounded:
            raise ResourceError(
                f"enumerate would have infinitely many states: `{'`, `'.join(unbounded)}` has an unbounded support "
                f"(the limit is {self.limit:,} states)",
                helps=("truncate the distribution: truncated(D, upper=50)", "or use --method 'importance(10000)'"),
            )
        count = states(target)
        if count > self.limit:
            shown = f"{count:,}" if count < 10**15 else f"about 10^{round(_log10_states(target))}"
            largest = max(target.latents, key=lambda v: math.prod(v.shape) * math.log(v.support_size or 1))
            raise ResourceError(
                f"enumerate would visit {shown} states, and the limit is {self.limit:,}",
                notes=(
                    f"the largest factor is `{largest.name}`: {math.prod(largest.shape)} elements of "
                    f"{largest.support_size} values each",
                ),
                helps=(
                    "use --method 'importance(10000)'",
                    f"or, where there is time for it, --method 'enumerate(limit={shown.replace(',', '_')})'",
                )
                if count < 10**9
                else ("use --method 'importance(10000)'",),
            )

    def program(self, target: Target) -> Program:
        from ppl.inference.exact.enumeration import Enumeration

        return Enumeration(target, states(target))


def states(target: Target) -> int:
    """The number of combinations of values of the latents, all of which have finite supports."""
    return math.prod((v.support_size or 1) ** math.prod(v.shape) for v in target.latents)


def _log10_states(target: Target) -> float:
    return sum(math.prod(v.shape) * math.log10(v.support_size or 1) for v in target.latents)
