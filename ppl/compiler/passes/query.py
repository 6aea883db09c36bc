"""A model prepared for a query: which variables are observed, which are left to after inference, which are summed out.

The order: the schedule (inline, loops, mapped_reads, fold, hoist), then the dead-draw split, then exact elimination of
discrete variables. The result is one program, to be bound once: what is deferred or summed out is still in it, so
that it can be drawn when inference is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.verify import VerifierError, verify
from ppl.compiler.ir.walk import statements
from ppl.compiler.passes.base import Note, Report, replace_model
from ppl.compiler.passes.cut_branches import cut_branches
from ppl.compiler.passes.dead_draws import split
from ppl.compiler.passes.elementwise import element_by_element
from ppl.compiler.passes.eliminate_chain import eliminate_chains
from ppl.compiler.passes.enumerate_local import enumerate_local
from ppl.compiler.passes.first_apart import first_apart
from ppl.compiler.passes.fuse import fuse, interleave
from ppl.compiler.passes.locality import Refusal
from ppl.compiler.passes.schedule import effects_changed, run_passes
from ppl.compiler.passes.tall_products import transpose_tall


@dataclass(frozen=True)
class Query:
    """``observed``: ``data`` variables that have data. ``marginalise``: sum out discrete latent variables where that is
    possible (for methods that need a differentiable density). ``keep``: variables not to defer, such as a guide's.
    ``interleave``: chains and their observations come to stand in one loop (for methods that run in their order);
    ``cut``: and branches are cut at their observations."""

    model: str
    observed: frozenset[str] = frozenset()
    marginalise: bool = False
    keep: frozenset[str] = frozenset()
    interleave: bool = False
    cut: bool = False


@dataclass(frozen=True)
class Plan:
    """``program`` after the passes, to be bound; in ``model``, the one asked for, the ``marginalised`` variables stand
    under ``SumOut`` and ``ForwardSum``. ``deferred``: random variables that inference need not know, drawn after it.
    ``refusals``: discrete variables that should be summed out and cannot be, with reasons."""

    program: ir.Program
    model: ir.Model
    deferred: tuple[str, ...] = ()
    marginalised: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    reports: tuple[tuple[str, Report], ...] = ()

    @property
    def notes(self) -> tuple[Note, ...]:
        return tuple(note for _, report in self.reports for note in report)


def prepare(program: ir.Program, query: Query, sizes: Mapping[str, int] | None = None) -> Plan:
    """``sizes``: those of the data, where it is known: what is laid out for them is.

    Raises ``VerifierError``, an internal error, where a pass has a bug."""
    passed = run_passes(program, query.model)
    program, model = passed.program, passed.program.model(query.model)
    parts = split(model, query.observed, query.keep)
    reports = [*passed.reports, ("dead_draws", parts.report)]
    if sizes is not None:
        model, notes = transpose_tall(model, sizes)
        program = _verified("tall_products", program, model)
        reports.append(("tall_products", notes))
    if query.interleave:
        along = _along_chains(model)
        model, notes = interleave(first_apart(element_by_element(model, along), along), along)
        program = _verified("interleave", program, model, keeps_effects=False)
        reports.append(("interleave", notes))
    summed: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    if query.marginalise:
        known = query.observed | set(parts.deferred)
        wanted = {s.name for s in model.sites if s.discrete and s.name not in known}
        model, notes = fuse(element_by_element(model, wanted), wanted)
        program = _verified("fuse", program, model, keeps_effects=False)
        chains = eliminate_chains(model, query.observed, parts.deferred)
        program = _verified("eliminate_chain", program, chains.model)
        local = enumerate_local(chains.model, query.observed | set(chains.sites), parts.deferred)
        model, summed, refusals = local.model, chains.sites + local.sites, local.refusals
        program = _verified("enumerate_local", program, model)
        reports += [("fuse", notes), ("eliminate_chain", chains.report), ("enumerate_local", local.report)]
    if query.cut:
        model, notes = cut_branches(program, model, query.observed)
        program = _verified("cut_branches", program, model)
        reports.append(("cut_branches", notes))
    return Plan(program, model, parts.deferred, summed, refusals, tuple(reports))


def _along_chains(model: ir.Model) -> set[str]:
    """The latent variables that a scan draws, or reads element by element: drawn as an array, or in a loop."""
    loops = [s for s in statements(model.body) if isinstance(s, (ir.Scan, ir.Plate))]
    scans = [s for s in loops if isinstance(s, ir.Scan)]
    draws = [s for s in statements(model.body) if isinstance(s, ir.Draw) and s.role is ir.Role.LATENT]
    sites = {s.var.id: s.site for s in draws}
    stacked = [(r.var.id, getattr(r.value, "id", "")) for loop in loops for r in loop.stacked]
    sites |= {array: sites[element] for array, element in stacked if element in sites}
    whole = [s for s in statements(model.body) if isinstance(s, ir.Let) and isinstance(s.op, ir.Assemble)]
    latent = {s.site for s in draws}
    sites |= {s.var.id: s.op.site for s in whole if isinstance(s.op, ir.Assemble) and s.op.site in latent}
    read = {sites.get(m.array.id, "") for scan in scans for m in scan.mapped if isinstance(m.array, ir.Var)}
    inside = {id(s) for scan in scans for s in statements(scan.body)}
    return {s.site for s in draws if id(s) in inside or s.site in read}


def _verified(name: str, program: ir.Program, model: ir.Model, *, keeps_effects: bool = True) -> ir.Program:
    """The program with the new form of the model, if it is well formed and has the same draws and conditions."""
    new = replace_model(program, model)
    problems = verify(new, model.name)
    if keeps_effects:
        problems += effects_changed(program.model(model.name), model)
    if problems:
        raise VerifierError(f"the pass `{name}`", problems)
    return new
