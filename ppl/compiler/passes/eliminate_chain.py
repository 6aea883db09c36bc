"""Markov chains of a discrete variable are summed out by the forward algorithm.

The pattern, in one block (the model's, or an iteration of a plate):

    z_0 = draw "z"[0] …        the chain's first element
    …                          what depends on it
    scan t in 1..T carry (previous = z_0; z_t lag "z" 1) {
      z_t = draw "z"[t] …      its distribution reads previous
      …                        what depends on z_t, or on both
    }

becomes a ``ForwardSum``: K² terms an iteration instead of Kᵀ in all. Nothing but outputs may read the chain after the
loop, and no other carry may depend on it. Chains that do not fit are left to ``enumerate_local``, which says why they
stay.

Law: exp of the new log density is the sum of exp of the old over all paths of the chain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.rewrite import Names, substitute
from ppl.compiler.ir.walk import defined_inside, definitions, free, is_pure, map_blocks, statements, walk
from ppl.compiler.passes.base import Note, Report
from ppl.compiler.passes.dangling import without
from ppl.compiler.passes.enumerate_local import moving_bounds, partition, without_outputs
from ppl.compiler.passes.finite import finite_values, operations
from ppl.compiler.passes.taint import Taint


@dataclass(frozen=True)
class Eliminated:
    """``model`` without the chains ``sites`` in its trace."""

    model: ir.Model
    sites: tuple[str, ...]
    report: Report


def eliminate_chains(model: ir.Model, observed: Iterable[str] = ()) -> Eliminated:
    given = frozenset(observed)
    done: list[str] = []
    notes: list[Note] = []
    for info in model.sites:
        if info.discrete and info.name not in given and info.role is not ir.Role.AUX:
            new = _eliminate(model, info.name)
            if new is not None:
                model = new
                done.append(info.name)
                text = f"`{info.name}` is a Markov chain: summed out by the forward algorithm"
                notes.append(Note("marginalised", text, info.span))
    return Eliminated(model, tuple(done), tuple(notes))


@dataclass(frozen=True)
class _Chain:
    """``home``: the block; ``first`` the Draw of the first element, ``scan`` the loop, ``carry`` its window on the
    chain."""

    home: ir.Block
    first: ir.Draw
    scan: ir.Scan
    carry: ir.Carry
    draw: ir.Draw


def _eliminate(model: ir.Model, site: str) -> ir.Model | None:
    chain = _find(model.body, site)
    if chain is None:
        return None
    ops = operations(model.body)
    values = finite_values(chain.first, ops)
    if isinstance(values, str) or values != finite_values(chain.draw, ops) or chain.first.missing or chain.draw.missing:
        return None
    new = _forward(model, chain, values)
    if new is None:
        return None

    def swap(block: ir.Block) -> ir.Block:
        return (
            new
            if block is chain.home
            else ir.Block(tuple(map_blocks(s, swap) for s in block.statements), block.results)
        )

    return without(replace(model, body=swap(model.body)))


def _find(body: ir.Block, site: str) -> _Chain | None:
    """The chain, if the site is drawn by exactly two Draws as in the pattern."""
    if sum(isinstance(s, ir.Draw) and s.site == site for s in statements(body)) != 2:
        return None
    for home in (n for n in walk(body) if isinstance(n, ir.Block)):
        first = [s for s in home.statements if isinstance(s, ir.Draw) and s.site == site]
        for scan in (s for s in home.statements if isinstance(s, ir.Scan)) if len(first) == 1 else ():
            drawn = [s for s in scan.body.statements if isinstance(s, ir.Draw) and s.site == site]
            window = [c for c in scan.carries if c.lag and c.lag[0] == site]
            if len(drawn) == len(window) == 1 and (window[0].init, window[0].next) == (first[0].var, drawn[0].var):
                return _Chain(home, first[0], scan, window[0], drawn[0])
    return None


def _forward(model: ir.Model, chain: _Chain, values: ir.FiniteValues) -> ir.Block | None:
    """The block with the forward sum, or None where something else reads the chain."""
    home, scan = chain.home, chain.scan
    position = next(k for k, s in enumerate(home.statements) if s is chain.first)
    behind_first = home.statements[position + 1 :]
    others = tuple(s for s in behind_first if s is not scan)
    at_start = Taint({chain.first.var.id}, ir.Block(others)).tainted
    inside = Taint({chain.draw.var.id, chain.carry.var.id}, scan.body).tainted

    carries = tuple(c for c in scan.carries if c is not chain.carry)
    leaving = [s.var.id for s in scan.stacked if not inside.isdisjoint(free(s.value))]
    crossing = [c for c in carries if not inside.isdisjoint(free(c.next))]
    leaving += [v.id for c in (*crossing, chain.carry) for v in (c.final, c.var if c is not chain.carry else None) if v]
    leaving += Taint(at_start, model.body).tainted - defined_inside(home)
    outside = Taint(leaving, model.body)
    if outside.readers or any(isinstance(d, ir.Draw) and moving_bounds(d) for d in Taint(inside, scan.body).readers):
        return None

    before, under, behind = partition(behind_first, at_start)
    made = {v.id for v in definitions(scan)}
    start = [s for s in under if s is not scan and free(s).isdisjoint(made)]
    if any(not is_pure(s) for s in under if s is not scan and not free(s).isdisjoint(made)):
        return None
    names = Names.of(model.body)
    given = [v for s in start for v in definitions(s) if v.id not in at_start]
    renamed = {v.id: replace(v, id=names.fresh(f"{v.id}_given")) for v in given}
    forward = ir.ForwardSum(
        first=chain.first.var,
        previous=chain.carry.var,
        var=chain.draw.var,
        values=values,
        start=substitute(ir.Block((chain.first, *start), tuple(given)), renamed),
        index=scan.index,
        lower=scan.lower,
        upper=scan.upper,
        body=ir.Block(tuple(without_outputs(ir.Block(scan.body.statements), inside).statements)),
        results=tuple(given),
        carries=tuple(c for c in carries if c not in crossing),
        stacked=tuple(s for s in scan.stacked if inside.isdisjoint(free(s.value))),
        mapped=scan.mapped,
        axis=scan.axis,
        span=scan.span,
    )
    return ir.Block((*home.statements[:position], *before, forward, *behind), home.results)
