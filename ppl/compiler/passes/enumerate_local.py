"""Discrete latent variables with finitely many values are summed out where their factors are local.

z is *local* if all that is scored and reads it, through pure work, stands in the block that draws it (one iteration of
the innermost plate or loop, one branch) or in blocks inside. The scored statements that depend on z, and what they
need, go under a ``SumOut``:

    z_i = draw "z"[i] d             sum over z_i in 0..K {
    m   = mu[z_i]                     z_i = draw "z"[i] d
    e   = Normal(loc=m, scale=s)      m = mu[z_i];  e = Normal(loc=m, scale=s)
    y_i = draw data "y"[i] e          y_i = draw data "y"[i] e
                                    }

so N variables in a plate cost N sums of K terms, not Kᴺ. Continuous latents that depend on z stay in the trace: a
density is evaluated at their given values. Several discrete variables of one iteration nest. Outputs, whole arrays and
deferred draws that read z stay behind the sum and read its results: they are computed when z has been drawn from its
exact conditional.

Law: exp of the new log density is the sum of exp of the old over all values of the eliminated variables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.rewrite import Names, substitute
from ppl.compiler.ir.walk import definitions, free, map_blocks, names
from ppl.compiler.passes.base import Note, Report
from ppl.compiler.passes.locality import Locality, Refusal
from ppl.compiler.passes.partition import partition
from ppl.compiler.passes.taint import Taint


@dataclass(frozen=True)
class Enumerated:
    """``model``: with the Draws of the variables ``sites`` in SumOuts. ``refusals``: those that stay, and why."""

    model: ir.Model
    sites: tuple[str, ...]
    refusals: tuple[Refusal, ...]
    report: Report


def enumerate_local(model: ir.Model, observed: Iterable[str] = (), deferred: Iterable[str] = ()) -> Enumerated:
    """Sum out every discrete variable of the model that is neither observed, nor deferred, nor refused."""
    given, later = frozenset(observed), frozenset(deferred)
    found = Locality(model, given, later)
    plans: dict[str, ir.FiniteValues] = {}
    refusals: list[Refusal] = []
    notes: list[Note] = []
    done: list[str] = []
    for info in model.sites:
        if not info.discrete or info.name in given | later or info.role is ir.Role.AUX:
            continue
        answer = found.plan(info.name)
        if isinstance(answer, Refusal):
            refusals.append(answer)
        else:
            plans |= answer
            done.append(info.name)
            text = f"`{info.name}` is summed out exactly: only its own iteration reads it"
            notes.append(Note("marginalised", text, info.span))
    if plans:
        model = replace(model, body=_Eliminator(plans, Names.of(model.body), later).block(model.body, frozenset()))
    return Enumerated(model, tuple(done), tuple(refusals), tuple(notes))


class _Eliminator:
    """``plans``: the variables to sum out, with their values."""

    def __init__(self, plans: dict[str, ir.FiniteValues], new_names: Names, deferred: frozenset[str]):
        self.plans, self.names, self.deferred = plans, new_names, deferred
        self.left = set(plans)

    def block(self, block: ir.Block, after: frozenset[str]) -> ir.Block:
        """Inner blocks first, then the draws of this one, in order. ``after``: ids that the statement around the block
        reads at its end."""
        inner = (map_blocks(s, partial(self.block, after=own_names(s))) for s in block.statements)
        return self.draws(ir.Block(tuple(inner), block.results), after)

    def draws(self, block: ir.Block, after: frozenset[str]) -> ir.Block:
        for position, stmt in enumerate(block.statements):
            if isinstance(stmt, ir.Draw) and stmt.var.id in self.left:
                self.left.remove(stmt.var.id)
                return self.draws(self.under_sum(block, position, stmt, after), after)
        return block

    def under_sum(self, block: ir.Block, position: int, draw: ir.Draw, after: frozenset[str]) -> ir.Block:
        """The block with ``draw``, at ``position``, summed out over what depends on it."""
        values = self.plans[draw.var.id]
        tainted = Taint({draw.var.id}, block, self.plans, self.deferred).tainted
        first, body, last = partition(block.statements[position + 1 :], tainted, self.deferred)
        used = after | free((tuple(last), block.results))
        inner, results = leaving((draw, *body), used, self.names)
        for old, new in zip(results, inner.results, strict=True):
            if old.id in self.left and isinstance(new, ir.Var):
                self.left.add(new.id)
                self.plans[new.id] = self.plans[old.id]
        (var,) = definitions(inner.statements[0])
        summed = ir.SumOut(var, values, self.draws(inner, frozenset()), results, span=draw.span)
        return ir.Block((*block.statements[:position], *first, summed, *last), block.results)


def leaving(body: tuple[ir.Stmt, ...], used: frozenset[str], new_names: Names) -> tuple[ir.Block, tuple[ir.Var, ...]]:
    """The statements as a block whose results are what is ``used`` outside. Outside it keeps its name; inside it gets
    a new one."""
    results = tuple(v for s in body for v in definitions(s) if v.id in used)
    inside = {v.id: replace(v, id=new_names.fresh(f"{v.id}_k")) for v in results}
    return substitute(ir.Block(body, results), inside), results


def own_names(stmt: ir.Stmt) -> frozenset[str]:
    """Ids in the statement outside of its blocks."""
    return frozenset(names(map_blocks(stmt, lambda b: ir.Block(()))))
