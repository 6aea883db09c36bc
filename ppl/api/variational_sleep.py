"""``vi(q, objective=sleep_phi)``: a guide that reads its data, trained on draws of the model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ppl.compiler.ir import nodes as ir
from ppl.core.errors import MethodError, UsageError

if TYPE_CHECKING:
    from ppl.api.applied import Applied
    from ppl.api.compile import Compiled
    from ppl.inference.methods.base import Method
    from ppl.inference.methods.vi import Vi


def bound(applied: Applied, method: Vi, guide: ir.Model | None) -> tuple[Compiled, Method]:
    """The target and the method. UsageError (exit code 2) without a guide of the file; MethodError (3) for one with
    auxiliary variables or without parameters, and for a model that learns."""
    from ppl.api.compile import forward_target, variational_target
    from ppl.api.proposal import bound_guide
    from ppl.api.variational import valued
    from ppl.api.variational_names import learns
    from ppl.inference.variational.sleep import SleepObjective

    call: Any = method.objective
    if guide is None or call.args or call.keywords or method.batch is not None:
        raise UsageError(
            "the objective sleep_phi takes a guide of the file, and neither arguments nor `batch`",
            helps=("write vi(q, objective=sleep_phi)",),
        )
    if learns(applied):
        raise MethodError(
            "the objective sleep_phi trains the guide alone, and the model has learnable parameters",
            helps=("train both with objective=rws(10), or elbo",),
        )
    if any(s.role is ir.Role.AUX for s in guide.sites):
        raise MethodError(
            f"the guide `{guide.name}` has auxiliary variables, so its density is not known", helps=("drop `aux`",)
        )
    target, free = valued(bound_guide(applied, guide))
    if not free:
        raise MethodError(f"the guide `{guide.name}` has no `param` to train", helps=("declare one: param s: pos = 1",))
    objective = SleepObjective(forward_target(applied), target, {"guide": free}, _guide, _named)
    return variational_target(applied, guide), method.of(objective, "sleep_phi", False)


def _guide(target: Any, params: Any, data: Any) -> Any:
    """Without what was computed of the arguments beforehand: they are others."""
    from ppl.api.variational import with_values

    args = target.args if data is None else {n: data.get(n, a) for n, a in target.args.items()}
    return with_values(replace(target, args=args, constants={}), params["guide"])


def _named(target: Any, params: Any) -> dict[str, Any]:
    from ppl.compiler.emit.estimate import parameters

    return dict(parameters.constrained(target.plan.code.model, params["guide"]))
