"""From a bound model to targets: the passes for a query, then the emitter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ppl.compiler.emit.bind import bind
from ppl.compiler.passes.query import Plan, Query, prepare

if TYPE_CHECKING:
    from ppl.api.applied import Applied
    from ppl.core.target import Target


@dataclass(frozen=True)
class Compiled:
    """A target for inference, and the plan it was made by (what was deferred, summed out, and why)."""

    target: Target
    plan: Plan


def posterior_target(applied: Applied, marginalise: bool) -> Compiled:
    """The posterior target. ``marginalise``: discrete latents are summed out where that is possible."""
    plan = prepare(applied.program, Query(applied.model.name, frozenset(applied.bound.data), marginalise))
    return Compiled(_bind(applied, plan), plan)


def forward_target(applied: Applied) -> Target:
    """A target for running the model forward: nothing summed out or deferred, no data."""
    plan = prepare(applied.program, Query(applied.model.name))
    return _bind(applied, replace(plan, deferred=()), data=False)


def _bind(applied: Applied, plan: Plan, data: bool = True) -> Target:
    bound = applied.bound
    given = bound.data if data else {}
    missing = {n: m for n, m in bound.missing.items() if n in given or n in bound.args}
    return bind(
        plan.program,
        plan.model.name,
        bound.args,
        bound.sizes,
        given,
        applied.externs,
        frozenset(plan.deferred),
        missing,
    )
