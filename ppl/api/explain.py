"""What the compiler did to a model with its data, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ppl.api.applied import Applied, signature
from ppl.compiler.passes.query import Query, prepare

if TYPE_CHECKING:
    from ppl.inference.methods.base import Method


def explain(applied: Applied, method: Method) -> str:
    """The report of every pass, and what is left for inference."""
    from ppl.api.inference import wants_marginals

    bound = applied.bound
    query = Query(applied.model.name, frozenset(bound.data), wants_marginals(method))
    plan = prepare(applied.program, query, bound.sizes)
    lines = [f"model {signature(applied.model)}", ""]
    lines += ["sizes: " + (", ".join(f"{n} = {k}" for n, k in sorted(bound.sizes.items())) or "none")]
    lines += ["observed: " + (", ".join(sorted(bound.data)) or "nothing")]
    latents = [
        s.name
        for s in plan.model.sites
        if s.name not in bound.data and s.name not in (*plan.deferred, *plan.marginalised)
    ]
    lines += ["inferred: " + (", ".join(latents) or "nothing")]
    if plan.marginalised:
        lines += ["summed out exactly: " + ", ".join(plan.marginalised)]
    if plan.deferred:
        lines += ["drawn after inference: " + ", ".join(plan.deferred)]
    for name, notes in plan.reports:
        if notes:
            lines += ["", f"{name}:", *(f"  {n.text}" for n in notes)]
    if plan.refusals:
        lines += ["", "not summed out:", *(f"  {r.reason}" for r in plan.refusals)]
    return "\n".join(lines)
