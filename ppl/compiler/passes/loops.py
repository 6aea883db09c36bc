"""``for`` becomes a Plate where nothing crosses iterations, else a Scan whose carries are all that crosses them.

A read of an earlier element, ``x[t-k]``, is a ``Lag``. For each random variable so read, as many carries as the
greatest distance replace the loop's ``Window``: each iteration passes its own element on as the first, the first as
the second. Nothing else is carried: lags and state variables that nobody reads are dropped first (``live``), and a
state variable that never changes is read directly.

Law: the density is unchanged; afterwards there is no ``For`` and no ``Lag``."""

from __future__ import annotations

from dataclasses import replace

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.rewrite import Names, substitute
from ppl.compiler.ir.walk import lag_reads, map_blocks, walk
from ppl.compiler.passes.base import Note, Pass, Report, on_blocks
from ppl.compiler.passes.live import prune
from ppl.compiler.passes.placeholders import filled, inside


def _rewrite(block: ir.Block, given: tuple[ir.Var, ...]) -> tuple[ir.Block, Report]:
    if not any(isinstance(n, ir.For) for n in walk(block)):
        return block, ()
    loops = _Loops(Names.of(block, given))
    return loops.block(prune(block)), tuple(loops.notes)


class _Loops:
    def __init__(self, names: Names):
        self.names = names
        self.notes: list[Note] = []

    def block(self, block: ir.Block) -> ir.Block:
        out: list[ir.Stmt] = []
        finals: dict[str, ir.Atom] = {}
        for stmt in block.statements:
            stmt = map_blocks(substitute(stmt, finals), self.block)
            if isinstance(stmt, ir.For):
                stmt, constant = _without_constants(stmt)
                finals |= constant
                out += self.loop(stmt)
            else:
                out.append(stmt)
        return ir.Block(tuple(out), substitute(block.results, finals))

    def loop(self, loop: ir.For) -> list[ir.Stmt]:
        """The loop in its new form, behind the statements that its initial values need."""
        setup: list[ir.Stmt] = []
        windows: list[ir.Carry] = []
        lags: dict[str, ir.Atom] = {}
        reads = lag_reads(loop.body)
        for window in loop.windows:
            distances = {lag.distance: s.var for s, lag in reads if lag.site == window.site}
            following = window.value
            for k in range(1, max(distances, default=0) + 1):
                model = distances.get(k) or distances[max(distances)]
                var = replace(model, id=self.names.fresh(f"{window.site}_{k}_back"))
                init = window.init[k - 1] or self.placeholder(var, setup)
                windows.append(ir.Carry(var, init, following, None, (window.site, k)))
                following = var
                if k in distances:
                    lags[distances[k].id] = var
        statements = tuple(s for s in loop.body.statements if not any(s is let for let, _ in reads))
        body = substitute(ir.Block(statements, loop.body.results), lags)
        carries = tuple(replace(c, next=substitute(c.next, lags)) for c in (*loop.carries, *windows))
        stacked = substitute(loop.stacked, lags)
        common = {"body": body, "stacked": stacked, "axis": loop.axis, "span": loop.span}
        name = loop.index.id
        if not carries:
            self.notes.append(Note("plate", f"`for {name}` is a plate: no iteration reads an earlier one", loop.span))
            return [ir.Plate(loop.index, loop.lower, loop.upper, **common)]
        what = [f"`{c.var.id}`" for c in loop.carries]
        what += [f"`{c.lag[0]}` {c.lag[1]} back" for c in windows if c.lag]
        self.notes.append(Note("scan", f"`for {name}` is a scan that carries {', '.join(what)}", loop.span))
        return [*setup, ir.Scan(loop.index, loop.lower, loop.upper, carries=carries, **common)]

    def placeholder(self, var: ir.Var, setup: list[ir.Stmt]) -> ir.Atom:
        """Some value of the variable's type, for an element that no iteration reads."""
        if not ty.shape(var.type):
            return inside(var.type, var.support)
        out = ir.Var(self.names.fresh(f"{var.id}_none"), var.type, var.support)
        setup.append(ir.Let(out, filled(var.type, var.support)))
        return out


def _without_constants(loop: ir.For) -> tuple[ir.For, dict[str, ir.Atom]]:
    """The loop without the carries that never change, and what their final values are."""
    constant = {c.var.id: c.init for c in loop.carries if c.next in (c.var, c.init)}
    finals = {c.final.id: c.init for c in loop.carries if c.final and c.var.id in constant}
    rest = tuple(c for c in loop.carries if c.var.id not in constant)
    return substitute(replace(loop, carries=rest), constant), finals


LOOPS = Pass("loops", on_blocks(_rewrite), "ordered loops become scans with the smallest carry, or plates")
