"""From a bound model to targets: the passes for a query, then the emitter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ppl.api.completed import Completed
from ppl.compiler.emit.bind import bind
from ppl.compiler.ir import nodes as ir
from ppl.compiler.passes.base import replace_model
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
    bound = applied.bound
    plan = prepare(applied.program, Query(applied.model.name, frozenset(bound.data), marginalise))
    reduced = _bind(applied, replace_model(plan.program, plan.inference))
    if plan.inference == plan.model:
        return Compiled(reduced, plan)
    return Compiled(Completed(reduced, _bind(applied, replace_model(plan.program, plan.model))), plan)


def forward_target(applied: Applied) -> Target:
    """A target for running the model forward: nothing summed out, no data."""
    plan = prepare(applied.program, Query(applied.model.name))
    return _bind(applied, replace_model(plan.program, plan.model), data=False)


def _bind(applied: Applied, program: ir.Program, data: bool = True) -> Target:
    bound = applied.bound
    given = bound.data if data else {}
    missing = {n: m for n, m in bound.missing.items() if n in given or n in bound.args}
    return bind(program, applied.model.name, bound.args, bound.sizes, given, applied.externs, missing=missing)
