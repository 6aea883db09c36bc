"""A loop that reads what an earlier loop draws, element by element, is joined with it.

``plate i { z[i] ~ … }  plate i { data y[i] ~ f(z[i]) }`` becomes one plate, and so does a Markov chain with the plate
that observes it: the first element's observation is peeled off (``peel``), the others join the scan. Then z is read
in its own iteration only, and can be summed out there. For particle methods all that a scan draws or computes from
draws meets its observations in this way, so that a filter can weigh as it goes. Law: the density is unchanged, and so
are all values behind the loops."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.rewrite import Names, substitute
from ppl.compiler.ir.sizes import ONE, ZERO, Size
from ppl.compiler.ir.walk import definitions, free, map_blocks, walk
from ppl.compiler.passes.base import Note, Report
from ppl.compiler.passes.peel import peel

Loop = ir.Plate | ir.Scan


def fuse(model: ir.Model, sites: Container[str]) -> tuple[ir.Model, Report]:
    """Join the loops that draw ``sites`` with the later loops of their blocks that read them."""
    return _fused_by(model, _Fuser(sites, Names.of(model.body)))


def interleave(model: ir.Model, sites: Container[str]) -> tuple[ir.Model, Report]:
    """Join the scans of a model with the plates that they read, ``sites``, and with the later loops that read what the
    scans make."""
    return _fused_by(model, _Interleaver(sites, Names.of(model.body)))


def _fused_by(model: ir.Model, fuser: _Fuser) -> tuple[ir.Model, Report]:
    body = fuser.block(model.body)
    return (replace(model, body=body) if fuser.notes else model), tuple(fuser.notes)


@dataclass(frozen=True)
class _Match:
    """``producer`` and ``consumer``: positions in the block. The consumer's index is the producer's plus ``shift``.
    ``values``: by id of the consumer's mapped reads, what the producer's iteration has for them; ``first``: what its
    own first iteration reads where that one comes before the producer's (else empty)."""

    producer: int
    consumer: int
    shift: Size
    values: dict[str, ir.Atom]
    first: dict[str, ir.Atom]


class _Fuser:
    def __init__(self, sites: Container[str], names: Names):
        self.sites, self.names = sites, names
        self.notes: list[Note] = []

    def block(self, block: ir.Block) -> ir.Block:
        block = ir.Block(tuple(map_blocks(s, self.block) for s in block.statements), block.results)
        refused: set[tuple[str, str]] = set()
        while True:
            joined = self.step(block, refused)
            if joined is None:
                return block
            block = joined

    def step(self, block: ir.Block, refused: set[tuple[str, str]]) -> ir.Block | None:
        """The block with two of its loops joined, if there are two that can be."""
        lets = {s.var.id: s.op for s in block.statements if isinstance(s, ir.Let)}
        loops = [(k, s) for k, s in enumerate(block.statements) if isinstance(s, Loop)]
        for p, producer in loops:
            wanted = self.wanted(producer)
            for c, consumer in loops if wanted else []:
                pair = (producer.index.id, consumer.index.id)
                if c <= p or pair in refused or not self.fits(producer, consumer):
                    continue
                match = _match(p, producer, c, consumer, lets, wanted)
                joined = self.joined(block, producer, consumer, match) if match is not None else None
                if joined is not None:
                    return joined
                refused.add(pair)
        return None

    def wanted(self, producer: Loop) -> set[str]:
        """What the producer makes that is worth joining a loop for."""
        return {s.var.id for s in producer.body.statements if isinstance(s, ir.Draw) and s.site in self.sites}

    def fits(self, producer: Loop, consumer: Loop) -> bool:
        return True

    def joined(self, block: ir.Block, producer: Loop, consumer: Loop, match: _Match) -> ir.Block | None:
        """The block with the two loops as one, or None where a statement between them is in the way."""
        statements = block.statements
        made = {v.id for v in definitions(producer)}
        moved, stay = [], []
        for s in statements[match.producer + 1 : match.consumer]:
            if free(s).isdisjoint(made):
                moved.append(s)
            else:
                stay.append(s)
                made |= {v.id for v in definitions(s)}
        rest = replace(consumer, mapped=tuple(m for m in consumer.mapped if m.var.id not in match.values))
        if not free(rest).isdisjoint(made):
            return None
        before: tuple[ir.Stmt, ...] = ()
        after: tuple[ir.Stmt, ...] = ()
        if match.first:
            if any(isinstance(n, ir.Output) for n in walk(consumer.body)):
                return None
            peeled = peel(rest, match.first, self.names)
            before, rest, after = peeled.first, peeled.rest, peeled.after
        text = f"the loop over `{consumer.axis or consumer.index.id}` joins the one that it reads"
        self.notes.append(Note("fused", text, consumer.span))
        whole = _fused(producer, rest, match, self.names)
        rebuilt = (*statements[: match.producer], *moved, *before, whole, *stay, *after)
        return ir.Block((*rebuilt, *statements[match.consumer + 1 :]), block.results)


class _Interleaver(_Fuser):
    """Chains with what goes along them: plates that draw what a scan reads, and all that reads a scan's values."""

    def wanted(self, producer: Loop) -> set[str]:
        if isinstance(producer, ir.Plate):
            return _Fuser.wanted(self, producer)
        return {s.value.id for s in producer.stacked if isinstance(s.value, ir.Var)}

    def fits(self, producer: Loop, consumer: Loop) -> bool:
        return isinstance(producer, ir.Scan) or isinstance(consumer, ir.Scan)


def _match(
    p: int, producer: Loop, c: int, consumer: Loop, lets: dict[str, ir.Op], wanted: Container[str]
) -> _Match | None:
    """How the consumer's iterations go along the producer's, if one of its reads is of a ``wanted`` variable."""
    found = {m.var.id: a for m in consumer.mapped if (a := _aligned(m, producer, consumer, lets)) is not None}
    chosen = next((a for a in found.values() if isinstance(a.value, ir.Var) and a.value.id in wanted), None)
    if chosen is None:
        return None
    same = {name: a for name, a in found.items() if a.peeled == chosen.peeled}
    first = {name: a.first for name, a in same.items() if a.first is not None}
    shift = consumer.lower - producer.lower + (1 if chosen.peeled else 0)
    return _Match(p, c, shift, {name: a.value for name, a in same.items()}, first)


@dataclass(frozen=True)
class _Aligned:
    """A mapped read that goes along the producer: ``value`` is what its iteration has, ``first`` what comes before."""

    value: ir.Atom
    first: ir.Atom | None = None

    @property
    def peeled(self) -> bool:
        return self.first is not None


def _aligned(read: ir.MappedRead, producer: Loop, consumer: Loop, lets: dict[str, ir.Op]) -> _Aligned | None:
    if not isinstance(read.array, ir.Var):
        return None
    length = producer.upper - producer.lower
    start, count = consumer.lower + read.offset, consumer.upper - consumer.lower  # the positions that are read
    stacked = {s.var: s.value for s in producer.stacked}
    if read.array in stacked:
        return _Aligned(stacked[read.array]) if (start, count) == (ZERO, length) else None
    op = lets.get(read.array.id)
    pieces = [(p.ranges[0][0], p.value) for p in op.pieces] if isinstance(op, ir.Assemble) else []
    if not pieces or not isinstance(pieces[-1][1], ir.Var) or pieces[-1][1] not in stacked:
        return None
    low, value = pieces[-1][0], stacked[pieces[-1][1]]
    if len(pieces) <= 2 and (start, count) == (low, length):
        return _Aligned(value)
    if len(pieces) == 2 and low == ONE and (start, count) == (ZERO, length + 1) and isinstance(pieces[0][1], ir.Var):
        wrapped = lets.get(pieces[0][1].id)
        return _Aligned(value, wrapped.elements[0]) if isinstance(wrapped, ir.MakeArray) else None
    return None


def _fused(producer: Loop, consumer: Loop, match: _Match, names: Names) -> Loop:
    """One loop: the producer's iteration, then the consumer's at index + shift."""
    index = producer.index
    here = Size.var(index.id) + match.shift
    atoms: dict[str, ir.Atom] = {**match.values, consumer.index.id: index}
    extra: list[ir.Stmt] = []
    if match.shift != ZERO:
        var = ir.Var(names.fresh(consumer.index.id), ty.INT, level=index.level)
        extra.append(ir.Let(var, ir.Prim("+", (index, ir.SizeAtom(match.shift)))))
        atoms[consumer.index.id] = var
    rest = substitute(consumer.body, atoms, {consumer.index.id: here})
    body = ir.Block((*producer.body.statements, *extra, *rest.statements))
    stacked = (*producer.stacked, *substitute(consumer.stacked, atoms))
    mapped = (*producer.mapped, *(replace(m, offset=m.offset + match.shift) for m in consumer.mapped))
    carries = [c for loop in (producer, consumer) if isinstance(loop, ir.Scan) for c in loop.carries]
    if not carries:
        return replace(producer, body=body, stacked=stacked, mapped=mapped)
    return ir.Scan(
        index,
        producer.lower,
        producer.upper,
        body,
        substitute(tuple(carries), atoms),
        stacked,
        mapped,
        producer.axis,
        span=producer.span,
    )
