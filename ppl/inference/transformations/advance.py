"""advance : Sequential[M] → Sequential[M], and finish : Sequential[M] → M. Exact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from ppl.core.control import each, iterate
from ppl.core.errors import CompositionError
from ppl.core.random import Source
from ppl.inference.claims import Claim
from ppl.inference.representations import Particles, Representation, Sequential, Suspended, WeightedValue
from ppl.inference.representations.sequential import Extend
from ppl.inference.representations.shape import ANY, sequential
from ppl.inference.transformations.base import Applied, Transformation, advanced, root


@dataclass(frozen=True, eq=False)
class Advance(Transformation):
    """Runs every suspended value to just behind its next observation and multiplies the weights.

    finish(advance r) = finish r in meaning: nothing of the program is lost. With ``records`` the report keeps what each
    step drew (for trajectories); without, memory does not grow with the number of steps."""

    records: bool
    name = "advance"
    source = sequential(ANY)
    target = sequential(ANY)
    claim = Claim.EXACT

    def act(self, key: Source, realised: Suspended, program: Representation) -> tuple[Suspended, Any]:
        current, record = extend(key, realised.current, cast(Sequential, program).extend, realised.at)
        return realised._replace(current=current, step=realised.step + 1), ({"records": record} if self.records else {})

    def advances(self, length: int) -> int:
        return 1


@dataclass(frozen=True, eq=False)
class Finish(Transformation):
    """Runs the computation to its end and forgets that it was suspended: ⟦finish r⟧ = ⟦r⟧."""

    name = "finish"
    source = sequential(ANY)
    target = ANY
    claim = Claim.EXACT

    def __call__(self, representation: Representation) -> Representation:
        checked = Transformation.__call__(self, representation)
        length = cast(Sequential, root(representation)).length
        return Applied(_FinishAfter(length - advanced(representation)), representation, checked.shape)

    def act(self, key: Source, realised: Suspended, program: Representation) -> tuple[Any, Any]:
        raise CompositionError("finish must be applied to a representation: it counts the steps that are left")


@dataclass(frozen=True, eq=False)
class _FinishAfter(Transformation):
    """finish, with the number of steps that are left."""

    remaining: int
    name = "finish"
    source = sequential(ANY)
    target = ANY
    claim = Claim.EXACT

    def act(self, key: Source, realised: Suspended, program: Representation) -> tuple[Any, Any]:
        suspended, _ = iterate(key, self.remaining, lambda k, s: advance.act(k, s, program), realised)
        return suspended.current, {}


def extend(key: Source, current: Any, program: Extend, step: Any) -> tuple[Any, Any]:
    """One step of every value of a realisation of M, which is Weighted or a Population; with the records."""
    if isinstance(current, WeightedValue):
        state, record, log_weight = program(key, current.value, step)
        return WeightedValue(state, current.log_weight + log_weight), record
    states, records, log_weights = each(key, current.size, lambda k, s: program(k, s, step), current.values)
    return Particles(states, current.log_weights + log_weights, current.log_normaliser), records


advance = Advance(records=False)
finish = Finish()


def advancing(records: bool) -> Transformation:
    """``advance`` that keeps in its report what each step draws."""
    return Advance(records)

