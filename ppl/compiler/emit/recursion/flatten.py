"""Loops around recursive applications, written out: a machine's segments are straight pieces of code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.rewrite import Names, freshen, substitute
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.walk import map_blocks

_ITERATIONS = 64


def flattened(
    block: ir.Block, sizes: Mapping[str, int], recursive: Callable[[ir.Stmt], bool], names: Names
) -> ir.Block:
    """The block without loops that hold recursive applications. ``sizes``: the values of the size variables.

    EmissionError where a loop has more than 64 iterations."""
    out: list[ir.Stmt] = []
    for s in block.statements:
        if not recursive(s):
            out.append(s)
            continue
        match s:
            case ir.Let(op=ir.Map() as loop) | (ir.Plate() | ir.Scan() as loop):
                written = ir.Block(tuple(_iterations(s, loop, sizes, names)))
                out += flattened(written, sizes, recursive, names).statements
            case ir.If() | ir.Match():
                out.append(map_blocks(s, lambda b: flattened(b, sizes, recursive, names)))
            case _:
                out.append(s)
    return ir.Block(tuple(out), block.results)


def _iterations(s: ir.Stmt, loop: ir.Map | ir.Plate | ir.Scan, sizes: Mapping[str, int], names: Names):
    lower, upper = loop.lower.evaluate(sizes), loop.upper.evaluate(sizes)
    if upper - lower > _ITERATIONS:
        raise EmissionError(
            f"a recursive function is applied in a loop of {upper - lower} iterations inside of its own body, "
            f"which is written out: at most {_ITERATIONS} can be",
            s.span,
            helps=("write the loop as a recursion too, over its index",),
        )
    carries = loop.carries if isinstance(loop, ir.Scan) else ()
    if isinstance(loop, ir.Map):
        assert isinstance(s, ir.Let)
        stacked: tuple[ir.Stacked, ...] = (ir.Stacked(s.var, loop.body.results[0]),)
    else:
        stacked = loop.stacked
    state = [c.init for c in carries]
    columns: list[list[ir.Atom]] = [[] for _ in stacked]
    for i in range(lower, upper):
        leaving = (*(c.next for c in carries), *(x.value for x in stacked))
        body = freshen(ir.Block(loop.body.statements, leaving), names)
        at = Size.const(i)
        atoms: dict[str, ir.Atom] = {loop.index.id: ir.SizeAtom(at)}
        atoms |= {c.var.id: value for c, value in zip(carries, state, strict=True)}
        for m in loop.mapped:
            var = replace(m.var, id=names.fresh(m.var.id))
            yield ir.Let(var, ir.IndexOp(m.array, (ir.SizeAtom(at + m.offset),), checked=True), span=s.span)
            atoms[m.var.id] = var
        body = substitute(body, atoms, {loop.index.id: at})
        yield from body.statements
        state = list(body.results[: len(carries)])
        for column, atom in zip(columns, body.results[len(carries) :], strict=True):
            column.append(atom)
    for x, column in zip(stacked, columns, strict=True):
        yield ir.Let(x.var, _array(x.var, column), span=s.span)
    for c, value in zip(carries, state, strict=True):
        if c.final is not None:
            yield ir.Let(c.final, ir.Prim("copy", (value,)), span=s.span)


def _array(var: ir.Var, elements: list[ir.Atom]) -> ir.Op:
    if elements:
        return ir.MakeArray(tuple(elements))
    if ty.element(var.type) != ty.REAL:
        raise EmissionError(f"an empty loop gives no values of type {var.type}", var.span)
    return ir.Prim("zeros", tuple(map(ir.SizeAtom, ty.shape(var.type))))
