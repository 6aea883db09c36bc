"""Discrete latent variables with finitely many values are summed out where their factors are local.

z is *local* if all that reads it, through pure work, stands in the block that draws it (one iteration of the
innermost plate or loop, one branch) or in blocks inside. The statements that depend on z, and those they need, go
under a ``SumOut``:

    z_i = draw "z"[i] d             sum over z_i in 0..K {
    m   = mu[z_i]                     z_i = draw "z"[i] d
    e   = Normal(loc=m, scale=s)      m = mu[z_i];  e = Normal(loc=m, scale=s)
    y_i = draw data "y"[i] e          y_i = draw data "y"[i] e
                                    }

so N variables in a plate cost N sums of K terms, not Kᴺ. Continuous latents that depend on z stay: a density is
evaluated at their given values. Several discrete variables of one iteration nest. Outputs and whole arrays computed
from z are taken out, since they need its value: they are computed after inference, when z has been drawn from its
exact conditional.

Law: exp of the new log density is the sum of exp of the old over all values of the eliminated variables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.rewrite import Names, substitute
from ppl.compiler.ir.supports import Interval
from ppl.compiler.ir.walk import binders, defined_inside, definitions, free, map_blocks, statements, walk
from ppl.compiler.passes.base import Note, Report
from ppl.compiler.passes.dangling import without
from ppl.compiler.passes.finite import finite_values, operations
from ppl.compiler.passes.taint import Taint


@dataclass(frozen=True)
class Refusal:
    """Why a discrete variable could not be summed out, with the statement in the way: material for a diagnostic."""

    site: str
    reason: str
    span: Span


@dataclass(frozen=True)
class Enumerated:
    """``model``: without the variables ``sites`` in its trace (their Draws stand in SumOuts). ``outputs``: taken out
    of it."""

    model: ir.Model
    sites: tuple[str, ...]
    outputs: tuple[str, ...]
    refusals: tuple[Refusal, ...]
    report: Report


def enumerate_local(model: ir.Model, observed: Iterable[str] = ()) -> Enumerated:
    """Sum out every discrete variable of the model that is neither observed nor refused."""
    given = frozenset(observed)
    discrete = [s.name for s in model.sites if s.discrete and s.name not in given and s.role is not ir.Role.AUX]
    found = _Locality(model, given)
    plans: dict[str, ir.FiniteValues] = {}
    refusals: list[Refusal] = []
    done: list[str] = []
    for site in discrete:
        answer = found.plan(site)
        if isinstance(answer, Refusal):
            refusals.append(answer)
        else:
            plans |= answer
            done.append(site)
    if not plans:
        return Enumerated(model, (), (), tuple(refusals), ())
    body = _Eliminator(plans, Names.of(model.body)).block(model.body)
    new = without(replace(model, body=body))
    left = {s.name for s in statements(new.body) if isinstance(s, ir.Output)}
    outputs = dict.fromkeys(s.name for s in statements(model.body) if isinstance(s, ir.Output) and s.name not in left)
    spans = {s.site: s.span for s in statements(model.body) if isinstance(s, ir.Draw)}
    notes = tuple(
        Note("marginalised", f"`{site}` is summed out exactly: only its own iteration reads it", spans[site])
        for site in done
    )
    return Enumerated(new, tuple(done), tuple(outputs), tuple(refusals), notes)


class _Locality:
    def __init__(self, model: ir.Model, given: frozenset[str]):
        self.model, self.given = model, given
        self.ops = operations(model.body)
        self.homes: dict[str, list[tuple[ir.Draw, ir.Block]]] = {}
        for block in (n for n in walk(model.body) if isinstance(n, ir.Block)):
            for stmt in block.statements:
                if isinstance(stmt, ir.Draw):
                    self.homes.setdefault(stmt.site, []).append((stmt, block))

    def plan(self, site: str) -> dict[str, ir.FiniteValues] | Refusal:
        """The values of each variable that draws the site, by id."""
        out: dict[str, ir.FiniteValues] = {}
        for draw, home in self.homes.get(site, []):
            if draw.missing:
                return Refusal(site, f"`{site}` is discrete and only partly observed", draw.span)
            values = finite_values(draw, self.ops)
            if isinstance(values, str):
                return Refusal(site, f"`{site}` {values}", draw.span)
            obstacle = self.obstacle(site, draw, home)
            if obstacle is not None:
                return obstacle
            out[draw.var.id] = values
        return out

    def obstacle(self, site: str, draw: ir.Draw, home: ir.Block) -> Refusal | None:
        """A statement outside the block ``home`` of the draw, or in its next iteration, that depends on the variable;
        or one inside that cannot stand under a sum."""
        flow = Taint({draw.var.id}, self.model.body)
        escaped = flow.tainted - defined_inside(home)
        outside = Taint(escaped, self.model.body).readers if escaped else []
        if outside:
            reader = outside[0]
            what = (
                "an iteration reads the one before"
                if self.crosses(escaped)
                else "it is read outside the iteration that draws it"
            )
            return Refusal(site, f"`{site}` cannot be summed out locally: {what}, by {_describe(reader)}", reader.span)
        for branch in (s for s in statements(home) if isinstance(s, ir.If) and flow.reads(s.condition)):
            if _latents(branch.then, self.given) != _latents(branch.otherwise, self.given):
                text = f"`{site}` cannot be summed out: it decides which variables are drawn"
                return Refusal(site, text, branch.span)
        for reader in flow.readers:
            if isinstance(reader, ir.Draw) and moving_bounds(reader):
                text = f"`{site}` cannot be summed out: the bounds of `{reader.site}` depend on it"
                return Refusal(site, text, reader.span)
        return None

    def crosses(self, escaped: set[str]) -> bool:
        loops = (s for s in statements(self.model.body) if isinstance(s, (ir.For, ir.Scan)))
        return any(v.id in escaped for loop in loops for v in binders(loop))


def _latents(block: ir.Block, given: frozenset[str]) -> frozenset[tuple]:
    draws = (s for s in statements(block) if isinstance(s, ir.Draw))
    return frozenset((d.site, d.affine) for d in draws if d.site not in given)


def moving_bounds(draw: ir.Draw) -> bool:
    """A continuous latent whose support depends on values has a change of variables that would depend on z."""
    return draw.role is not ir.Role.DATA and isinstance(draw.var.support, Interval) and draw.var.support.dynamic


def _describe(stmt: ir.Stmt) -> str:
    match stmt:
        case ir.Draw(site=site):
            return f"the distribution of `{site}`"
        case ir.Observe():
            return "an `observe`"
        case ir.Factor():
            return "a `factor`"
        case ir.Require():
            return "a `require`"
    return "a later statement"


class _Eliminator:
    """``plans``: the variables to sum out, with their values."""

    def __init__(self, plans: dict[str, ir.FiniteValues], names: Names):
        self.plans, self.names = plans, names
        self.left = set(plans)

    def block(self, block: ir.Block) -> ir.Block:
        """Inner blocks first, then the draws of this one, in order."""
        return self.draws(ir.Block(tuple(map_blocks(s, self.block) for s in block.statements), block.results))

    def draws(self, block: ir.Block) -> ir.Block:
        for position, stmt in enumerate(block.statements):
            if isinstance(stmt, ir.Draw) and stmt.var.id in self.left:
                self.left.remove(stmt.var.id)
                return self.draws(self.under_sum(block, position))
        return block

    def under_sum(self, block: ir.Block, position: int) -> ir.Block:
        """The block with the draw at ``position`` summed out over what depends on it. What is drawn under the sum
        keeps its name outside, where it is a result, and gets a new one inside."""
        draw = block.statements[position]
        tainted = Taint({draw.var.id}, block, self.plans).tainted
        first, body, last = partition(block.statements[position + 1 :], tainted)
        inner = self.draws(without_outputs(ir.Block((draw, *body)), tainted))
        leaving = [v for s in body for v in definitions(s) if v.id not in tainted]
        inside = {v.id: replace(v, id=self.names.fresh(f"{v.id}_given")) for v in leaving}
        inner = substitute(ir.Block(inner.statements, tuple(leaving)), inside)
        summed = ir.SumOut(draw.var, self.plans[draw.var.id], inner, tuple(leaving), span=draw.span)
        return ir.Block((*block.statements[:position], *first, summed, *last), block.results)


def partition(rest: tuple[ir.Stmt, ...], tainted: set[str]) -> tuple[list[ir.Stmt], list[ir.Stmt], list[ir.Stmt]]:
    """The statements behind a draw: those that go before the sum, under it, and behind it. Under it are those that read
    ``tainted`` values and those on a path between two of them; outputs that read them are left out."""
    reads = [free(s) for s in rest]
    defines = [frozenset(v.id for v in definitions(s)) for s in rest]
    under = {k for k, s in enumerate(rest) if not reads[k].isdisjoint(tainted)}
    outputs = {k for k in under if isinstance(rest[k], ir.Output)}
    under -= outputs
    while True:
        made = {name for k in under for name in defines[k]}
        behind: set[int] = set()  # not under the sum, but needing what is drawn there
        for k in range(len(rest)):
            if k not in under | outputs and not reads[k].isdisjoint(made):
                behind.add(k)
                made |= defines[k]
        wanted = {name for k in under for name in reads[k]}
        between: set[int] = set()
        for k in reversed(range(len(rest))):
            if k in behind and not defines[k].isdisjoint(wanted):
                between.add(k)
                wanted |= reads[k]
        if not between:
            break
        under |= between
    before = [s for k, s in enumerate(rest) if k not in under | outputs | behind]
    inside = [s for k, s in enumerate(rest) if k in under]
    return before, inside, [s for k, s in enumerate(rest) if k in behind]


def without_outputs(block: ir.Block, tainted: set[str]) -> ir.Block:
    """Without the outputs, at any depth, that read what is summed out."""
    dropped = Taint(tainted, block).outputs

    def cut(b: ir.Block) -> ir.Block:
        kept = (s for s in b.statements if not any(s is d for d in dropped))
        return ir.Block(tuple(map_blocks(s, cut) for s in kept), b.results)

    return cut(block)
