"""What the method ``vi`` asks for by name: guides of the model's file, objectives of the file or of the library."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as T
from ppl.core.errors import UsageError

if TYPE_CHECKING:
    from ppl.api.applied import Applied
    from ppl.inference.methods.vi import Vi


@dataclass(frozen=True)
class Parts:
    """What a method's expression names: ``guide`` of the file or None; ``objective`` with its ``library`` (None where
    it is of the model's file) and its ``arguments``, or None where it is one of those made in Python."""

    guide: ir.Model | None
    objective: ir.Model | None
    library: ir.Program | None
    arguments: dict[str, Any]


def named(applied: Applied, method: Vi) -> Parts:
    """The guide and the objective that ``method`` asks for by name."""
    from ppl.inference.methods.base import Call
    from ppl.inference.variational.build import require_objective

    guide = _guide(applied, method.guide) if isinstance(method.guide, Call) else None
    if not isinstance(method.objective, Call):
        require_objective(method.objective)
        _require_plain(applied, method, guide)
        return Parts(None, None, None, {})
    call = method.objective
    own = declared(applied, call.name)
    if own is not None:
        return Parts(guide, own, None, _arguments(own, call))
    shelf = library()
    found = next((m for m in shelf.models if m.name == call.name), None)
    from ppl.inference.variational.estimates import ESTIMATES

    plain = method.batch is None and not method.strategies and not learns(applied)
    if guide is None and call.name in ESTIMATES and plain:
        return Parts(None, None, None, {})
    if found is None:
        raise _no_objective(applied, call.name, shelf, guide)
    return Parts(guide, found, shelf, _arguments(found, call))


def _require_plain(applied: Applied, method: Vi, guide: ir.Model | None) -> None:
    """A Python function as objective knows of automatic guides and ``GuideProgram``s only."""
    asked = guide is not None and getattr(method.guide, "name", "auto") != "auto"
    if asked or method.batch is not None or method.strategies or learns(applied):
        what = "a guide of the file" if asked else "batches, strategies or learnable parameters of the model"
        raise UsageError(
            f"an objective that is a Python function does not go with {what}",
            helps=("write the objective in the model's file: objective name[Z: trace](p: Target<Z>, q: Guide<Z>) …",),
        )


def known_as(objective: ir.Model) -> str:
    """The name in the library of the objective that says the same; "" where there is none."""
    return next((m.name for m in library().models if m.body == objective.body), "")


@cache
def library() -> ir.Program:
    """The objectives of ``objectives.ppl``."""
    from ppl.compiler.pipeline import check_text

    text = files("ppl.inference.variational").joinpath("objectives.ppl").read_text(encoding="utf-8")
    program = check_text(text, "objectives.ppl").program
    assert program is not None
    return program


def declared(applied: Applied, name: str) -> ir.Model | None:
    """The objective of the file by that name."""
    return next((m for m in applied.program.models if m.kind == "objective" and m.name == name), None)


def _guide(applied: Applied, call: Any) -> ir.Model | None:
    """The guide of the file by that name; for ``auto`` the only one for this model; None where an automatic one is
    meant."""
    guides = [m for m in applied.program.models if m.kind == "guide" and m.guide_for == applied.model.name]
    if call.name == "auto":
        return guides[0] if len(guides) == 1 else None
    found = next((m for m in guides if m.name == call.name), None)
    if found is not None and (call.args or call.keywords):
        raise UsageError(
            f"the guide `{found.name}` takes its parameters from the data, not from the method",
            helps=(f"write guide={found.name}, and --data name=value",),
        )
    from ppl.inference.variational.guides import GUIDES

    if found is None and call.name not in GUIDES:
        from ppl.runtime.data.suggest import suggest

        names = [m.name for m in guides]
        near = suggest(call.name, [*names, *GUIDES])
        raise UsageError(
            f"there is no guide `{call.name}`" + (f"; did you mean `{near}`?" if near else ""),
            notes=(
                f"guides of the file for `{applied.model.name}`: {', '.join(names) or 'none'}",
                f"automatic ones: {', '.join(GUIDES)}",
            ),
        )
    return found


def proposal(applied: Applied, method: Vi) -> ir.Model | None:
    from ppl.inference.methods.base import Call

    found = _guide(applied, method.guide) if isinstance(method.guide, Call) else None
    if found is None and getattr(method.guide, "name", "") != "auto":
        raise UsageError(
            f"the objective {method.objective.name} takes a guide of the file",
            helps=(f"declare one: guide q(…) for {applied.model.name} {{ … }}",),
        )
    return found


def _no_objective(applied: Applied, name: str, shelf: ir.Program, guide: ir.Model | None) -> UsageError:
    from ppl.inference.variational.estimates import ESTIMATES
    from ppl.runtime.data.suggest import suggest

    own = [m.name for m in applied.program.models if m.kind == "objective"]
    known = [*own, *(m.name for m in shelf.models)]
    if name in ESTIMATES:
        return UsageError(
            f"the objective `{name}` is for automatic guides on all of the data",
            notes=(f"with a guide of the file, or batches: {', '.join(known)}",),
            helps=("leave `guide` and `batch` out, or write objective=elbo",),
        )
    every = dict.fromkeys([*known, *ESTIMATES])
    near = suggest(name, list(every))
    return UsageError(
        f"there is no objective `{name}`" + (f"; did you mean `{near}`?" if near else ""),
        notes=(f"objectives: {', '.join(every)}",),
    )


def _arguments(objective: ir.Model, call: Any) -> dict[str, Any]:
    """The arguments of an objective besides target and guide, by position or name. UsageError where they do not fit."""
    wanted = [p for p in objective.params if not isinstance(p.var.type, T.Target | T.Guide)]
    names = [p.name for p in wanted]
    given = dict(zip(names, call.args, strict=False)) | dict(call.keywords)
    missing = [p.name for p in wanted if p.default is None and p.name not in given]
    unknown = [n for n in dict(call.keywords) if n not in names]
    if len(call.args) > len(names) or missing or unknown:
        what = f"needs `{missing[0]}`" if missing else f"has no parameter `{unknown[0]}`" if unknown else "takes fewer"
        shown = ", ".join(f"{p.name}: {'size' if p.is_size else p.var.type}" for p in wanted)
        raise UsageError(f"the objective `{objective.name}` {what}", notes=(f"signature: {objective.name}({shown})",))
    for p in wanted:
        value = given.get(p.name)
        if p.is_size and p.name in given and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise UsageError(
                f"`{p.name}` of the objective `{objective.name}` is {value}, and must be a whole number ≥ 1"
            )
    return given


def learns(applied: Applied) -> bool:
    """Whether the model has parameters to train: ``param``, or extern functions that are Equinox modules."""
    from ppl.compiler.ir.walk import walk

    if any(isinstance(n, ir.ParamStmt) for n in walk(applied.inlined.body)):
        return True
    from ppl.compiler.emit.bind import extern_functions
    from ppl.compiler.emit.estimate.networks import trainable

    return any(trainable(e) for e in extern_functions(applied.program, applied.model, applied.externs).values())
