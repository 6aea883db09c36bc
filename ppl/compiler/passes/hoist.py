"""Work that does not depend on the loop leaves the loop; work that depends on data only goes to the front of the body.

What stands in front (``data_prefix``) needs no random variable: an interpretation computes it once for all
evaluations of the density. Only pure statements move, never out of an If or Match that guards them, and never one
that might not end (a call of a recursive function or of a closure) or read out of range. Law: the density is
unchanged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.walk import binders, definitions, free, is_pure, map_blocks, walk
from ppl.compiler.passes.base import Note, Pass, Report, on_blocks


def _pass(data_first: bool) -> Callable[[ir.Program, str], tuple[ir.Program, Report]]:
    def run(program: ir.Program, model: str) -> tuple[ir.Program, Report]:
        recursive = frozenset(f.name for f in program.functions if f.recursive)

        def rewrite(block: ir.Block, given: tuple[ir.Var, ...]) -> tuple[ir.Block, Report]:
            hoister = _Hoister(recursive)
            block = hoister.block(block)
            return _data_first(block, hoister) if data_first else block, tuple(hoister.notes)

        return on_blocks(rewrite)(program, model)

    return run


class _Hoister:
    def __init__(self, recursive: frozenset[str]):
        self.recursive = recursive
        self.notes: list[Note] = []

    def block(self, block: ir.Block) -> ir.Block:
        out: list[ir.Stmt] = []
        for stmt in block.statements:
            stmt = map_blocks(stmt, self.block)
            if isinstance(stmt, (ir.Plate, ir.Scan, ir.For)):
                moved, body = self.lift(stmt)
                out += moved
                stmt = replace(stmt, body=body) if moved else stmt
            elif isinstance(stmt, ir.Let) and isinstance(stmt.op, ir.Map):
                moved, body = self.lift(stmt.op)
                out += moved
                stmt = replace(stmt, op=replace(stmt.op, body=body)) if moved else stmt
            out.append(stmt)
        return ir.Block(tuple(out), block.results)

    def lift(self, loop: ir.Plate | ir.Scan | ir.For | ir.Map) -> tuple[list[ir.Stmt], ir.Block]:
        """The statements of the body that do not depend on the iteration, and the body without them."""
        changing = {v.id for v in binders(loop)}
        moved: list[ir.Stmt] = []
        stay: list[ir.Stmt] = []
        for stmt in loop.body.statements:
            if self.movable(stmt) and free(stmt).isdisjoint(changing):
                moved.append(stmt)
            else:
                stay.append(stmt)
                changing.update(v.id for v in definitions(stmt))
        if not moved:
            return [], loop.body
        names = ", ".join(f"`{v.id}`" for s in moved for v in definitions(s))
        self.notes.append(Note("hoisted", f"{names} out of the loop over `{loop.index.id}`", moved[0].span))
        return moved, ir.Block(tuple(stay), loop.body.results)

    def movable(self, stmt: ir.Stmt) -> bool:
        """Pure, and no evaluation of it runs for ever or reads out of range."""
        return is_pure(stmt) and not any(self.partial(n) for n in walk(stmt))

    def partial(self, node) -> bool:
        match node:
            case ir.Call(ir.FunctionRef(name)):
                return name in self.recursive
            case ir.Call() | ir.InferOp() | ir.LogEvidence() | ir.ExpectOp() | ir.Marginal() | ir.Density() | ir.Lag():
                return True
            case ir.Prim("fori" | "ode_solve") | ir.IndexOp(checked=False):
                return True
        return False


def _data_first(block: ir.Block, hoister: _Hoister) -> ir.Block:
    """Stable: the statements that need no random variable in front, in their order, then the others in theirs."""
    first: list[ir.Stmt] = []
    rest: list[ir.Stmt] = []
    late: set[str] = set()
    for stmt in block.statements:
        early = is_pure(stmt) and free(stmt).isdisjoint(late) and (not rest or hoister.movable(stmt))
        (first if early else rest).append(stmt)
        if not early:
            late.update(v.id for v in definitions(stmt))
    return ir.Block((*first, *rest), block.results)


def data_prefix(model: ir.Model) -> tuple[ir.Stmt, ...]:
    """The leading statements of the body that depend on data alone (no draw, no effect): computed once."""
    out: list[ir.Stmt] = []
    for stmt in model.body.statements:
        if not is_pure(stmt):
            break
        out.append(stmt)
    return tuple(out)


INVARIANTS = Pass("invariants", _pass(False), "work that is the same in every iteration leaves the loop")
HOIST = Pass("hoist", _pass(True), "the same, for what the passes before have made; data-only work goes first")
