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
from ppl.compiler.ir.rewrite import Names
from ppl.compiler.ir.walk import defined_inside, definitions, free, map_blocks, names, statements, walk
from ppl.compiler.passes.base import Note, Report
from ppl.compiler.passes.enumerate_local import leaving
from ppl.compiler.passes.finite import finite_values, operations
from ppl.compiler.passes.locality import moving_bounds
from ppl.compiler.passes.partition import partition
from ppl.compiler.passes.taint import Taint


@dataclass(frozen=True)
class Eliminated:
    """``model`` without the chains ``sites`` in its trace."""

    model: ir.Model
    sites: tuple[str, ...]
    report: Report


def eliminate_chains(model: ir.Model, observed: Iterable[str] = (), deferred: Iterable[str] = ()) -> Eliminated:
    """Sum out every chain of the model that fits the pattern and is neither observed nor deferred."""
    given, later = frozenset(observed), frozenset(deferred)
    done: list[str] = []
    notes: list[Note] = []
    for info in model.sites:
        if info.discrete and info.name not in given | later and info.role is not ir.Role.AUX:
            new = _eliminate(model, info.name, later)
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


def _eliminate(model: ir.Model, site: str, deferred: frozenset[str]) -> ir.Model | None:
    chain = _find(model.body, site)
    if chain is None:
        return None
    ops = operations(model.body)
    values = finite_values(chain.first, ops)
    if isinstance(values, str) or values != finite_values(chain.draw, ops) or chain.first.missing or chain.draw.missing:
        return None
    new = _forward(model, chain, values, deferred)
    if new is None:
        return None

    def swap(block: ir.Block) -> ir.Block:
        return (
            new
            if block is chain.home
            else ir.Block(tuple(map_blocks(s, swap) for s in block.statements), block.results)
        )

    return replace(model, body=swap(model.body))


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


def _forward(model: ir.Model, chain: _Chain, values: ir.FiniteValues, deferred: frozenset[str]) -> ir.Block | None:
    """The block with the forward sum, or None where something else that is scored reads the chain."""
    home, scan = chain.home, chain.scan
    position = next(k for k, s in enumerate(home.statements) if s is chain.first)
    rest = home.statements[position + 1 :]
    others = ir.Block(tuple(s for s in rest if s is not scan))
    at_start = Taint({chain.first.var.id}, others, deferred=deferred).tainted
    inside = Taint({chain.draw.var.id, chain.carry.var.id}, scan.body, deferred=deferred)

    outgoing = [s.var.id for s in scan.stacked if inside.reads(s.value)]
    for c in scan.carries:
        if c is not chain.carry and inside.reads(c.next):
            outgoing.append(c.var.id)
        if c.final is not None and inside.reads(c.next):
            outgoing.append(c.final.id)
    outgoing += Taint(at_start, model.body, deferred=deferred).tainted - defined_inside(home)
    moving = any(isinstance(s, ir.Draw) and moving_bounds(s) for s in inside.readers)
    if moving or Taint(outgoing, model.body, deferred=deferred).readers:
        return None

    before, under, behind = partition(rest, at_start, deferred)
    start = [s for s in under if s is not scan]
    made = {v.id for v in definitions(scan)}
    if chain.carry.final is not None or any(not free(s).isdisjoint(made) for s in start):
        return None
    kept = replace(scan, carries=tuple(c for c in scan.carries if c is not chain.carry))
    used = free((kept, tuple(behind), home.results)) | _used_around(model.body, home)
    block, results = leaving((chain.first, *start), used, Names.of(model.body))
    forward = ir.ForwardSum(
        first=definitions(block.statements[0])[0],
        previous=chain.carry.var,
        var=chain.draw.var,
        values=values,
        start=block,
        index=scan.index,
        lower=scan.lower,
        upper=scan.upper,
        body=scan.body,
        results=results,
        carries=kept.carries,
        stacked=scan.stacked,
        mapped=scan.mapped,
        axis=scan.axis,
        span=scan.span,
    )
    return ir.Block((*home.statements[:position], *before, forward, *behind), home.results)


def _used_around(body: ir.Block, home: ir.Block) -> frozenset[str]:
    """Ids that occur outside of the block ``home``."""

    def empty(block: ir.Block) -> ir.Block:
        return ir.Block(()) if block is home else ir.Block(tuple(map_blocks(s, empty) for s in block.statements))

    return frozenset(names(empty(body)))
