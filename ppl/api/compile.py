"""From a bound model to targets: the passes for a query, then the emitter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ppl.compiler.diagnostics.diagnostic import Diagnostic, Diagnostics, ModelError
from ppl.compiler.diagnostics.span import Source
from ppl.compiler.emit.bind import bind, extern_functions
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.supports import Booleans, Finite, Integers
from ppl.compiler.ir.types import BOOL, IndexType, element
from ppl.compiler.passes.query import Plan, Query, prepare

if TYPE_CHECKING:
    from ppl.api.applied import Applied
    from ppl.core.target import Target


@dataclass(frozen=True)
class Compiled:
    """A target for inference, and the plan it was made by (what was deferred, summed out, and why)."""

    target: Target
    plan: Plan


def posterior_target(
    applied: Applied,
    marginalise: bool,
    keep_discrete: bool = False,
    proposal: str | None = None,
    interleave: bool = False,
) -> Compiled:
    """The posterior target. ``marginalise``: discrete latents are summed out where that is possible. ``keep_discrete``:
    none is put off until after inference because it feeds no data, for a method that is exact about all of them.
    ``proposal``: a guide from which particle methods draw; then nothing that it draws is summed out or put off.
    ``interleave``: chains and their observations are brought into one loop, and branches cut at their observations,
    for methods that run in their order; not with a proposal, which draws for a branch as a whole."""
    require_executable(applied)
    if proposal is not None:
        return _guided(applied, proposal, interleave)
    discrete = (
        frozenset(s.name for s in applied.inlined.sites if s.discrete and _finite(s))
        if keep_discrete
        else frozenset()
    )
    observed = frozenset(applied.bound.data)
    query = Query(applied.model.name, observed, marginalise, discrete, interleave, cut=interleave)
    plan = prepare(applied.program, query, applied.bound.sizes)
    return Compiled(_bind(applied, plan), plan)


def _guided(applied: Applied, name: str, interleave: bool) -> Compiled:
    from ppl.api.proposal import chosen_guide, with_proposal

    guide = chosen_guide(applied, name)
    drawn = frozenset(s.name for s in guide.sites)
    query = Query(applied.model.name, frozenset(applied.bound.data), keep=drawn, interleave=interleave)
    plan = prepare(applied.program, query, applied.bound.sizes)
    return Compiled(with_proposal(applied, _bind(applied, plan), guide), plan)


def variational_target(applied: Applied, guide: ir.Model | None, marginalise: bool = True) -> Compiled:
    """The posterior target with every variable that ``guide`` draws, or, without one, with discrete variables summed
    out where that is possible. The model may have learnable parameters."""
    require_executable(applied, training=True)
    drawn = frozenset() if guide is None else frozenset(s.name for s in guide.sites)
    query = Query(applied.model.name, frozenset(applied.bound.data), marginalise and guide is None, drawn)
    plan = prepare(applied.program, query, applied.bound.sizes)
    target: Any = _bind(applied, plan)
    if guide is None:
        return Compiled(target, plan)
    functions = {**target.externs, **extern_functions(applied.program, guide, applied.externs)}
    return Compiled(replace(target, externs=functions), plan)


def require_executable(applied: Applied, training: bool = False) -> None:
    """``ModelError`` (exit code 3) with every construct of the model that can be checked, but not run yet;
    ``training``: by a method that trains learnable parameters."""
    from ppl.api.refusals import refusals

    findings = [f for f in refusals(applied.program, applied.model.name) if not (training and f.code == "E605")]
    if findings:
        sources = {d.primary.span.file: Source.of(d.primary.span.file, _text(applied, d)) for d in findings}
        raise ModelError(Diagnostics(sources, findings))


def _text(applied: Applied, finding: Diagnostic) -> str:
    """The program text that a finding is placed in; the files are kept under relative names."""
    return next(
        (text for name, text in applied.files.items() if Path(finding.primary.span.file).name == Path(name).name), ""
    )


def _finite(site: ir.SiteInfo) -> bool:
    kind = element(site.type)
    match site.support:
        case Integers(lower=low, upper=high, dynamic=dynamic):
            return low is not None and high is not None and not dynamic
        case _:
            return isinstance(site.support, (Booleans, Finite)) or kind == BOOL or isinstance(kind, IndexType)


def forward_target(applied: Applied, data: bool = False) -> Target:
    """A target with every random variable of the model, nothing summed out or deferred; ``data``: with its data."""
    require_executable(applied)
    plan = prepare(applied.program, Query(applied.model.name))
    return _bind(applied, replace(plan, deferred=()), data)


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
