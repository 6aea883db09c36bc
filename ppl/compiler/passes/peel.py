"""The first iteration of a loop, taken out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.rewrite import Names, freshen, substitute
from ppl.compiler.ir.sizes import ONE


@dataclass(frozen=True)
class Peeled:
    """``first``: the statements of the first iteration; ``rest``: the loop from the second on; ``after``: those that
    put the stacked arrays together again, under their old names."""

    first: tuple[ir.Stmt, ...]
    rest: ir.Plate | ir.Scan
    after: tuple[ir.Stmt, ...]


def peel(loop: ir.Plate | ir.Scan, known: Mapping[str, ir.Atom], names: Names) -> Peeled:
    """Needs a loop of at least one iteration. ``known``: values that variables of the body have in the first iteration,
    besides its index, carries and mapped reads."""
    carries = getattr(loop, "carries", ())
    leaving = (*(c.next for c in carries), *(s.value for s in loop.stacked))
    body = freshen(ir.Block(loop.body.statements, leaving), names)
    values: dict[str, ir.Atom] = {loop.index.id: ir.SizeAtom(loop.lower), **{c.var.id: c.init for c in carries}}
    setup: list[ir.Stmt] = []
    for m in loop.mapped:
        var = replace(m.var, id=names.fresh(m.var.id))
        op = ir.IndexOp(m.array, (ir.SizeAtom(loop.lower + m.offset),), checked=True)
        setup.append(ir.Let(var, op, span=loop.span))
        values[m.var.id] = var
    body = substitute(body, {**values, **known}, {loop.index.id: loop.lower})
    nexts, singles = body.results[: len(carries)], body.results[len(carries) :]
    stacked, after = [], []
    for s, value in zip(loop.stacked, singles, strict=True):
        length, *shape = ty.shape(s.var.type)
        element = ty.element(s.var.type)
        others = replace(s.var, id=names.fresh(f"{s.var.id}_rest"), type=ty.array(element, length - 1, *shape))
        one = replace(s.var, id=names.fresh(f"{s.var.id}_one"), type=ty.array(element, ONE, *shape))
        stacked.append(replace(s, var=others))
        after += [ir.Let(one, ir.MakeArray((value,))), ir.Let(s.var, ir.Prim("concat", (one, others)))]
    rest = replace(loop, lower=loop.lower + 1, stacked=tuple(stacked))
    if isinstance(rest, ir.Scan):
        rest = replace(rest, carries=tuple(replace(c, init=n) for c, n in zip(carries, nexts, strict=True)))
    return Peeled((*setup, *body.statements), rest, tuple(after))
