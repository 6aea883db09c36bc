"""A plate whose first element starts a chain, and whose others drive it, gives its first element apart.

``plate t in T { z[t] ~ … }  let x[0] = f(z[0])  for t in 1..T { let x[t] = g(x[t-1], z[t]) }`` draws z[0] alone, and
the others in a plate as long as the loop, which ``interleave`` can then join. Law: the density is unchanged, and so
is every value."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.rewrite import Names
from ppl.compiler.ir.sizes import ONE, ZERO
from ppl.compiler.passes.peel import peel


def first_apart(model: ir.Model, sites: Container[str]) -> ir.Model:
    """``model`` with the first iteration of such plates of its top level, which draw ``sites``, taken out."""
    statements = list(model.body.statements)
    names = Names.of(model.body)
    for plate in [s for s in statements if isinstance(s, ir.Plate)]:
        drawn = {s.var for s in plate.body.statements if isinstance(s, ir.Draw) and s.site in sites}
        for stacked in plate.stacked:
            if stacked.value in drawn and plate in statements:
                statements = _apart(statements, plate, stacked.var, names)
    if statements == list(model.body.statements):
        return model
    return replace(model, body=replace(model.body, statements=tuple(statements)))


def _apart(statements: list[ir.Stmt], plate: ir.Plate, array: ir.Var, names: Names) -> list[ir.Stmt]:
    """The statements with the plate's first iteration apart, if one of them reads the first element of ``array`` (so
    that there is one) and a scan the others."""
    arrays = {array} | {s.var for s in statements if isinstance(s, ir.Let) and _is_whole(s.op, array)}
    firsts = [s for s in statements if isinstance(s, ir.Let) and _is_first(s.op, arrays)]
    scans = [s for s in statements if isinstance(s, ir.Scan) and any(_along(m, s, plate, arrays) for m in s.mapped)]
    if plate.lower != ZERO or not firsts or not scans:
        return statements
    peeled = peel(plate, {}, names)
    position = [s.var for s in plate.stacked].index(array)
    rest = peeled.rest.stacked[position].var
    single = peeled.after[2 * position]  # the array of one element that holds the first
    assert isinstance(single, ir.Let) and isinstance(single.op, ir.MakeArray)
    out: list[ir.Stmt] = []
    for s in statements:
        if s is plate:
            out += [*peeled.first, peeled.rest, *peeled.after]
        elif isinstance(s, ir.Let) and _is_first(s.op, arrays):
            out.append(replace(s, op=ir.Prim("copy", single.op.elements)))
        elif isinstance(s, ir.Scan):
            mapped = [
                replace(m, array=rest, offset=m.offset - 1) if _along(m, s, plate, arrays) else m for m in s.mapped
            ]
            out.append(replace(s, mapped=tuple(mapped)))
        else:
            out.append(s)
    return out


def _is_whole(op: ir.Op, array: ir.Var) -> bool:
    return isinstance(op, ir.Assemble) and len(op.pieces) == 1 and op.pieces[0].value == array


def _is_first(op: ir.Op, arrays: Container[ir.Atom]) -> bool:
    if not isinstance(op, ir.IndexOp) or op.base not in arrays or len(op.subscripts) != 1:
        return False
    at = op.subscripts[0]
    return (isinstance(at, ir.Lit) and at.value == 0) or (isinstance(at, ir.SizeAtom) and at.size == ZERO)


def _along(read: ir.MappedRead, scan: ir.Scan, plate: ir.Plate, arrays: Container[ir.Atom]) -> bool:
    """Whether a scan reads all elements but the first, one in each iteration."""
    start, count = scan.lower + read.offset, scan.upper - scan.lower
    return read.array in arrays and start == ONE and count == plate.upper - plate.lower - 1
