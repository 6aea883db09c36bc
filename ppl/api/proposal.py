"""A guide of the same file as the proposal of particle methods."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.nodes import Role
from ppl.core.errors import MethodError, UsageError

if TYPE_CHECKING:
    from ppl.api.applied import Applied
    from ppl.core.target import Target


def chosen_guide(applied: Applied, name: str) -> ir.Model:
    """The guide called ``name``; UsageError (exit code 2) where there is none for this model, MethodError (exit code
    3) for one that cannot propose."""
    guides = [m for m in applied.program.models if m.kind == "guide" and m.guide_for == applied.model.name]
    found = next((m for m in guides if m.name == name), None)
    if found is None:
        listed = ", ".join(m.name for m in guides) or "none"
        raise UsageError(
            f"there is no guide `{name}` for the model `{applied.model.name}`",
            notes=(f"guides for it: {listed}",),
            helps=(f"declare one: guide {name}(…) for {applied.model.name} {{ … }}",),
        )
    _refuse_learnable(found)
    return found


def _refuse_learnable(guide: ir.Model) -> None:
    from ppl.compiler.ir.walk import walk

    learnable = [n.site for n in walk(guide.body) if isinstance(n, ir.ParamStmt)]
    if learnable:
        raise MethodError(
            f"the guide `{guide.name}` has the learnable parameter `{learnable[0]}`, which a particle method does "
            f"not train",
            helps=(
                f"make it a parameter with a value: guide {guide.name}({learnable[0]}: real = …) for {guide.guide_for}",
            ),
        )
    extra = [s.name for s in guide.sites if s.role is Role.AUX]
    if extra:
        raise MethodError(
            f"the guide `{guide.name}` draws `aux {extra[0]}`, which a particle method would have to integrate out",
            helps=(f"propose without it: compute what depends on `{extra[0]}` deterministically",),
        )


def bound_guide(applied: Applied, guide: ir.Model) -> Any:
    """The guide as a target of all that it draws. Its parameters have the values of what bears their names in the data:
    parameters and ``data`` variables of the model; its sizes are the model's."""
    from ppl.compiler.emit.bind import bind
    from ppl.compiler.passes.query import Query, prepare
    from ppl.runtime.data import Raw, bind_data

    sizes = {n: Raw(n, v, "sizes of the model") for n, v in applied.bound.sizes.items() if n in guide.sizes}
    bound = bind_data(guide, {**sizes, **applied.raws}, applied.program.sums)
    plan = prepare(applied.program, Query(guide.name, keep=frozenset(s.name for s in guide.sites)))
    return bind(plan.program, guide.name, bound.args, bound.sizes, {}, applied.externs, frozenset(), bound.missing)


def with_proposal(applied: Applied, target: Any, guide: ir.Model) -> Target:
    """``target`` with its suspended form proposed by ``guide``. The guide's parameters have the values of what bears
    their names in the data: parameters and ``data`` variables of the model; its sizes are the model's."""
    proposal = bound_guide(applied, guide)
    result = replace(target, proposal=proposal)
    result.suspend()  # refuses a guide that draws in another order
    return result
