"""Removing what the lowering emitted and nothing uses: pure values, stacked arrays, mapped reads. Nothing that draws
or conditions."""

from __future__ import annotations

from dataclasses import replace

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.walk import walk


def prune(block: ir.Block) -> ir.Block:
    """The block without dead values. Law: what it draws, conditions on and returns is unchanged."""
    return _block(block, set())[0]


def _block(block: ir.Block, live: set[str]) -> tuple[ir.Block, set[str]]:
    """``live``: ids used behind the block, besides its results. Returns the block and the ids that it uses."""
    used = live | _ids(block.results)
    kept: list[ir.Stmt] = []
    for stmt in reversed(block.statements):
        new = _statement(stmt, used)
        if new is not None:
            kept.append(new)
    if len(kept) == len(block.statements) and all(
        a is b for a, b in zip(reversed(kept), block.statements, strict=True)
    ):
        return block, used
    return ir.Block(tuple(reversed(kept)), block.results), used


def _ids(node) -> set[str]:
    return {n.id for n in walk(node) if isinstance(n, ir.Var)}


def _statement(stmt: ir.Stmt, used: set[str]) -> ir.Stmt | None:
    """The statement if it is needed; what it uses is added to ``used``."""
    match stmt:
        case ir.Let():
            if stmt.var.id not in used and not (isinstance(stmt.op, ir.Assemble)):
                return None
            return _let(stmt, used)
        case ir.Plate() | ir.For():
            return _loop(stmt, used)
        case ir.If():
            then, a = _block(stmt.then, set(used))
            otherwise, b = _block(stmt.otherwise, set(used))
            used |= a | b | _ids(stmt.condition)
            if not stmt.results and not then.statements and not otherwise.statements:
                return None
            return (
                stmt
                if then is stmt.then and otherwise is stmt.otherwise
                else replace(stmt, then=then, otherwise=otherwise)
            )
        case ir.Match():
            cases = []
            gathered: set[str] = set()
            for c in stmt.cases:
                inner, ids = _block(c.body, set(used))
                gathered |= ids
                cases.append(c if inner is c.body else replace(c, body=inner))
            used |= gathered | _ids(stmt.subject)
            return replace(stmt, cases=tuple(cases))
    used |= _ids(stmt)
    return stmt


def _let(stmt: ir.Let, used: set[str]) -> ir.Let:
    op = stmt.op
    if isinstance(op, (ir.Map, ir.Closure, ir.InferOp, ir.ExpectOp)):
        inner, ids = _block(op.body, set())
        new = op if inner is op.body else replace(op, body=inner)
        if isinstance(op, ir.Map):
            mapped = tuple(m for m in op.mapped if m.var.id in ids)
            new = replace(new, mapped=mapped) if len(mapped) != len(op.mapped) else new  # type: ignore[arg-type]
            ids |= _ids(tuple(m.array for m in mapped))
        if isinstance(op, ir.InferOp) and op.method is not None:
            ids |= _ids(op.method)
        used |= ids
        return stmt if new is op else replace(stmt, op=new)
    used |= _ids(op)
    return stmt


def _loop(stmt: ir.Plate | ir.For, used: set[str]) -> ir.Stmt | None:
    stacked = tuple(s for s in stmt.stacked if s.var.id in used)
    inside = set(used) | _ids(tuple(s.value for s in stacked))
    if isinstance(stmt, ir.For):
        inside |= _ids(tuple(c.next for c in stmt.carries)) | _ids(tuple(w.value for w in stmt.windows))
    body, ids = _block(stmt.body, inside)
    new = replace(stmt, body=body, stacked=stacked)
    if isinstance(stmt, ir.Plate):
        mapped = tuple(m for m in stmt.mapped if m.var.id in ids)
        new = replace(new, mapped=mapped)  # type: ignore[arg-type]
        used |= ids | _ids(tuple(m.array for m in mapped))
    else:
        used |= ids | _ids(tuple(c.init for c in stmt.carries)) | _ids(stmt.windows)
    if not body.statements and not stacked and not getattr(stmt, "carries", ()):
        return None
    return new
