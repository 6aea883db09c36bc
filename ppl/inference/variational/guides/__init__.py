"""Automatic guides, by the names that method expressions use: ``guide=low_rank(5)``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ppl.core.errors import UsageError
from ppl.core.objective import GuideProgram
from ppl.core.target import Target
from ppl.inference.flat import Layout, layout
from ppl.inference.variational.guides.flow import Flow
from ppl.inference.variational.guides.full_rank import FullRank
from ppl.inference.variational.guides.low_rank import LowRank
from ppl.inference.variational.guides.mean_field import MeanField
from ppl.inference.variational.guides.structured import structured
from ppl.inference.variational.start import Start

SMALL = 64  # unconstrained coordinates up to which ``auto`` takes a whole covariance matrix


def _mean_field(target: Target, where: Layout, start: Start) -> GuideProgram:
    return MeanField(target, where, start)


def _full_rank(target: Target, where: Layout, start: Start) -> GuideProgram:
    return FullRank(target, where, start)


def _low_rank(target: Target, where: Layout, start: Start, rank: int = 5) -> GuideProgram:
    return LowRank(target, where, start, min(_at_least(1, rank=rank), max(where.size, 1)))


def _structured(target: Target, where: Layout, start: Start) -> GuideProgram:
    return structured(target, where, start)


def _flow(target: Target, where: Layout, start: Start, layers: int = 4, bins: int = 8, width: int = 32) -> GuideProgram:
    return Flow(target, where, start, _at_least(1, layers=layers), _at_least(2, bins=bins), _at_least(1, width=width))


GUIDES: dict[str, Callable[..., GuideProgram]] = {
    "mean_field": _mean_field,
    "full_rank": _full_rank,
    "low_rank": _low_rank,
    "structured": _structured,
    "flow": _flow,
}


def guide(target: Target, start: Start, call: Any) -> tuple[GuideProgram, str]:
    """The automatic guide that ``call`` (a name with arguments) stands for, and why it was chosen ("" where it was
    asked for). UsageError (exit code 2) for arguments that do not fit."""
    where = layout(target)
    if call.name == "auto":
        name = "full_rank" if where.size <= SMALL else "mean_field"
        why = f"the model has {where.size} unconstrained coordinates"
        return GUIDES[name](target, where, start), f"the guide is {name}: {why}"
    from ppl.inference.variational.calls import apply

    return apply("guide", GUIDES, call, target, where, start), ""


def _at_least(least: int, **given: Any) -> int:
    ((name, value),) = given.items()
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise UsageError(f"`{name}` of a guide is {value}, and must be a whole number of at least {least}")
    return value
