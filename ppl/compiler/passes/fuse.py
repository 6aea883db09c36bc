"""A loop that reads what an earlier loop draws, element by element, is joined with it.

``plate i { z[i] ~ … }  plate i { data y[i] ~ f(z[i]) }`` becomes one plate, and so does a Markov chain with the plate
that observes it: the first element's observation is peeled off (``peel``), the others join the scan. Then z is read
in its own iteration only, and can be summed out there. Law: the density is unchanged, and so are all values behind
the loops."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.rewrite import Names, substitute
from ppl.compiler.ir.sizes import ONE, ZERO, Size
from ppl.compiler.ir.walk import defined_inside, definitions, free, map_blocks, walk
from ppl.compiler.passes.base import Note, Report
from ppl.compiler.passes.peel import peel

Loop = ir.Plate | ir.Scan


def fuse(model: ir.Model, sites: Container[str]) -> tuple[ir.Model, Report]:
    """Join the loops that draw ``sites`` with the later loops of their blocks that read them."""
    fuser = _Fuser(sites, Names.of(model.body))
    body = fuser.block(model.body)
    return (replace(model, body=body) if fuser.notes else model), tuple(fuser.notes)


@dataclass(frozen=True)
class _Match:
    """``producer`` and ``consumer``: positions in the block; ``read`` the mapped read of the ``value`` that an
    iteration of the producer draws; the consumer's index is the producer's plus ``shift``. ``first``: the element
    before the loop's, which the consumer's first iteration reads."""

    producer: int
    consumer: int
    read: ir.MappedRead
    value: ir.Atom
    shift: Size
    first: ir.Atom | None


class _Fuser:
    def __init__(self, sites: Container[str], names: Names):
        self.sites, self.names = sites, names
        self.notes: list[Note] = []

    def block(self, block: ir.Block) -> ir.Block:
        block = ir.Block(tuple(map_blocks(s, self.block) for s in block.statements), block.results)
        tried: set[tuple[str, str]] = set()
        while (match := self.find(block, tried)) is not None:
            producer, consumer = (block.statements[k] for k in (match.producer, match.consumer))
            tried.add((producer.index.id, consumer.index.id))
            block = self.joined(block, match) or block
        return block

    def find(self, block: ir.Block, tried: set[tuple[str, str]]) -> _Match | None:
        lets = {s.var.id: s.op for s in block.statements if isinstance(s, ir.Let)}
        loops = [(k, s) for k, s in enumerate(block.statements) if isinstance(s, Loop)]
        for p, producer in loops:
            for drawn in producer.body.statements:
                if not isinstance(drawn, ir.Draw) or drawn.site not in self.sites:
                    continue
                for c, consumer in loops:
                    if c > p and (producer.index.id, consumer.index.id) not in tried:
                        match = _match(p, producer, drawn.var, c, consumer, lets)
                        if match is not None:
                            return match
        return None

    def joined(self, block: ir.Block, match: _Match) -> ir.Block | None:
        """The block with the two loops as one, or None where a statement between them is in the way."""
        statements = block.statements
        producer, consumer = statements[match.producer], statements[match.consumer]
        made = {v.id for v in definitions(producer)}
        moved, stay = [], []
        for s in statements[match.producer + 1 : match.consumer]:
            if free(s).isdisjoint(made):
                moved.append(s)
            else:
                stay.append(s)
                made |= {v.id for v in definitions(s)}
        rest = replace(consumer, mapped=tuple(m for m in consumer.mapped if m != match.read))
        if not free(rest).isdisjoint(made | {match.read.var.id} - defined_inside(consumer)):
            return None
        before: list[ir.Stmt] = []
        after: list[ir.Stmt] = []
        if match.first is not None:
            if any(isinstance(n, ir.Output) for n in walk(consumer.body)):
                return None
            peeled = peel(rest, {match.read.var.id: match.first}, self.names)
            before, rest, after = list(peeled.first), peeled.rest, list(peeled.after)
        text = f"the loop over `{consumer.axis or consumer.index.id}` joins the one that it reads"
        self.notes.append(Note("fused", text, consumer.span))
        whole = _fused(producer, rest, match, self.names)
        rebuilt = (*statements[: match.producer], *moved, *before, whole, *stay, *after)
        return ir.Block((*rebuilt, *statements[match.consumer + 1 :]), block.results)


def _match(p: int, producer: Loop, value: ir.Var, c: int, consumer: Loop, lets: dict[str, ir.Op]) -> _Match | None:
    """The one read by which the consumer's iterations go along the producer's draws, if they do."""
    stacked = next((s.var for s in producer.stacked if s.value == value), None)
    length = producer.upper - producer.lower
    for read in consumer.mapped:
        if not isinstance(read.array, ir.Var) or stacked is None:
            continue
        start = consumer.lower + read.offset  # the position that the first iteration reads
        count = consumer.upper - consumer.lower
        if any(m.array == read.array and m != read for m in consumer.mapped) or read.array.id in free(consumer.body):
            return None
        shift = consumer.lower - producer.lower
        if read.array == stacked and (start, count) == (ZERO, length):
            return _Match(p, c, read, value, shift, None)
        pieces = _pieces(lets.get(read.array.id))
        if len(pieces) == 1 and pieces[0] == (ZERO, stacked) and (start, count) == (ZERO, length):
            return _Match(p, c, read, value, shift, None)
        if len(pieces) == 2 and pieces[1] == (ONE, stacked):
            if (start, count) == (ONE, length):
                return _Match(p, c, read, value, shift, None)
            op = lets.get(pieces[0][1].id) if isinstance(pieces[0][1], ir.Var) else None
            if (start, count) == (ZERO, length + 1) and isinstance(op, ir.MakeArray):
                return _Match(p, c, read, value, shift + 1, op.elements[0])
    return None


def _pieces(op: ir.Op | None) -> list[tuple[Size, ir.Atom]]:
    """Where each piece of an array starts along its first axis, if the others are whole."""
    return [(piece.ranges[0][0], piece.value) for piece in op.pieces] if isinstance(op, ir.Assemble) else []


def _fused(producer: Loop, consumer: Loop, match: _Match, names: Names) -> Loop:
    """One loop: the producer's iteration, then the consumer's at index + shift."""
    index = producer.index
    here = Size.var(index.id) + match.shift
    atoms: dict[str, ir.Atom] = {match.read.var.id: match.value, consumer.index.id: index}
    extra: list[ir.Stmt] = []
    if match.shift != ZERO:
        var = ir.Var(names.fresh(consumer.index.id), ty.INT, level=index.level)
        extra.append(ir.Let(var, ir.Prim("+", (index, ir.SizeAtom(match.shift)))))
        atoms[consumer.index.id] = var
    body = substitute(consumer.body, atoms, {consumer.index.id: here})
    mapped = tuple(replace(m, offset=m.offset + match.shift) for m in consumer.mapped)
    carries = (*getattr(producer, "carries", ()), *(substitute(c, atoms) for c in getattr(consumer, "carries", ())))
    common = {
        "body": ir.Block((*producer.body.statements, *extra, *body.statements)),
        "stacked": (*producer.stacked, *substitute(consumer.stacked, atoms)),
        "mapped": (*producer.mapped, *(m for m in mapped if m not in producer.mapped)),
        "axis": producer.axis,
        "span": producer.span,
    }
    if carries:
        return ir.Scan(index, producer.lower, producer.upper, carries=carries, **common)
    return ir.Plate(index, producer.lower, producer.upper, **common)
