"""A model prepared for a query: which variables are observed, which must be integrated out.

The order: the schedule (inline, loops, mapped_reads, fold, hoist), then, for inference, the dead-draw split, then exact
elimination of discrete variables. The full model stays, for simulation and for what is computed after inference."""

from __future__ import annotations

from dataclasses import dataclass

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.verify import VerifierError, verify
from ppl.compiler.passes.base import Note, replace_model
from ppl.compiler.passes.dead_draws import split
from ppl.compiler.passes.eliminate_chain import eliminate_chains
from ppl.compiler.passes.enumerate_local import Refusal, enumerate_local
from ppl.compiler.passes.schedule import run_passes


@dataclass(frozen=True)
class Query:
    """``observed``: ``data`` variables that have data. ``marginalise``: sum out discrete latent variables where that is
    possible (for methods that need a differentiable density). ``keep``: variables not to defer, such as a guide's."""

    model: str
    observed: frozenset[str] = frozenset()
    marginalise: bool = False
    keep: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Plan:
    """``model`` is the full model after the passes: simulate with it, and compute ``deferred`` and the outputs from
    it once the other variables are known. ``inference`` is the model whose density inference uses; its trace holds
    neither the ``deferred`` variables nor the ``marginalised`` ones, which are drawn from their exact conditional
    (see ``SumOut``). ``refusals``: discrete variables that should be summed out and cannot be, with reasons."""

    program: ir.Program
    model: ir.Model
    inference: ir.Model
    deferred: tuple[str, ...] = ()
    marginalised: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    reports: tuple[tuple[str, tuple[Note, ...]], ...] = ()

    @property
    def notes(self) -> tuple[Note, ...]:
        return tuple(note for _, report in self.reports for note in report)


def prepare(program: ir.Program, query: Query) -> Plan:
    """Raises ``VerifierError`` (an internal error), ``PassError`` where the model cannot be lowered."""
    passed = run_passes(program, query.model)
    model = passed.program.model(query.model)
    parts = split(model, query.observed, query.keep)
    reports = [*passed.reports, ("dead_draws", parts.report)]
    inference = _verified("dead_draws", passed.program, parts.inference)
    marginalised: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    if query.marginalise:
        chains = eliminate_chains(inference, query.observed)
        inference = _verified("eliminate_chain", passed.program, chains.model)
        local = enumerate_local(inference, query.observed | set(chains.sites))
        inference = _verified("enumerate_local", passed.program, local.model)
        marginalised, refusals = chains.sites + local.sites, local.refusals
        reports += [("eliminate_chain", chains.report), ("enumerate_local", local.report)]
    return Plan(passed.program, model, inference, parts.deferred, marginalised, refusals, tuple(reports))


def _verified(name: str, program: ir.Program, model: ir.Model) -> ir.Model:
    problems = verify(replace_model(program, model), model.name)
    if problems:
        raise VerifierError(f"the pass `{name}`", problems)
    return model
