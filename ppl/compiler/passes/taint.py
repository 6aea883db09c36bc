"""Which values are computed from given ones, and what reads them: forward flow through pure work, loops and branches.

A draw stops the flow: given the trace, its value is what the trace says, whatever its distribution reads. Draws that
are to be summed out have no given value: the flow goes ``through`` them. Nor have ``deferred`` ones, made after
inference; those are no readers either, since no density scores them."""

from __future__ import annotations

from collections.abc import Container, Iterable

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.walk import free, lag_reads, walk

SCORED = (ir.Draw, ir.Observe, ir.Factor, ir.Require, ir.ParamStmt, ir.SimDraw)


def is_scored(node, deferred: Container[str]) -> bool:
    """Whether it, or something inside, counts in the density (or fixes what is drawn)."""
    return any(isinstance(n, SCORED) and not (isinstance(n, ir.Draw) and n.site in deferred) for n in walk(node))


class Taint:
    """``tainted``: ids of the values that depend on the seeds. ``readers``: the scored statements that read one, or
    happen only on a condition that is one. ``through``: ids of variables; ``deferred``: sites."""

    def __init__(
        self,
        seeds: Iterable[str],
        block: ir.Block,
        through: Container[str] = frozenset(),
        deferred: Container[str] = frozenset(),
    ):
        self.tainted = set(seeds)
        self.through, self.deferred = through, deferred
        self.readers: list[ir.Stmt] = []
        while True:
            before = len(self.tainted)
            self.readers = []
            self._block(block, False)
            if len(self.tainted) == before:
                break

    def reads(self, node) -> bool:
        return not self.tainted.isdisjoint(free(node))

    def _block(self, block: ir.Block, controlled: bool) -> None:
        for stmt in block.statements:
            self._statement(stmt, controlled)

    def _statement(self, stmt: ir.Stmt, controlled: bool) -> None:
        match stmt:
            case ir.Let(op=ir.Lag()):
                pass  # the loop's window decides
            case ir.Let(var, op):
                self._taint(self.reads(op), var)
            case ir.Output():
                pass
            case ir.If(condition, then, otherwise, results):
                self._branches(self.reads(condition), controlled, (then, otherwise), results)
            case ir.Match(subject, cases, results):
                chosen = self.reads(subject)
                for case in cases:
                    self._taint(chosen, *case.binders)
                self._branches(chosen, controlled, tuple(c.body for c in cases), results)
            case ir.SumOut(body=body, results=results):
                self._branches(False, controlled, (body,), results)
            case ir.Plate() | ir.For() | ir.Scan() | ir.ForwardSum():
                self._loop(stmt, controlled)
            case _:
                if not (controlled or self.reads(stmt)):
                    return
                if is_scored(stmt, self.deferred):
                    self.readers.append(stmt)
                if isinstance(stmt, ir.Draw):
                    self._taint(stmt.var.id in self.through or stmt.site in self.deferred, stmt.var)

    def _taint(self, yes: bool, *variables: ir.Var | None) -> None:
        if yes:
            self.tainted.update(v.id for v in variables if v is not None)

    def _branches(
        self, chosen: bool, controlled: bool, blocks: tuple[ir.Block, ...], results: tuple[ir.Var, ...]
    ) -> None:
        for block in blocks:
            self._block(block, controlled or chosen)
        for k, var in enumerate(results):
            values = [b.results[k] for b in blocks]
            differs = chosen and not _one_draw(blocks, values)
            self._taint(differs or any(self.reads(v) for v in values), var)

    def _loop(self, stmt, controlled: bool) -> None:
        if isinstance(stmt, ir.ForwardSum):
            self._branches(False, controlled, (stmt.start,), stmt.results)
        for m in getattr(stmt, "mapped", ()):
            self._taint(self.reads(m.array), m.var)
        for c in getattr(stmt, "carries", ()):
            self._taint(self.reads(c.init) or self.reads(c.next), c.var, c.final)
        for w in getattr(stmt, "windows", ()):
            flows = self.reads(w.value) or any(self.reads(i) for i in w.init if i is not None)
            self._taint(flows, *(s.var for s, lag in lag_reads(stmt.body) if lag.site == w.site))
        self._block(stmt.body, controlled)
        for s in stmt.stacked:
            self._taint(self.reads(s.value), s.var)


def _one_draw(blocks: tuple[ir.Block, ...], values: list[ir.Atom]) -> bool:
    """Whether the values are draws of one element, one in each block: then the trace gives the same value to all."""
    addresses = set()
    for block, value in zip(blocks, values, strict=True):
        draws = [s for s in block.statements if isinstance(s, ir.Draw) and s.var == value]
        addresses.add((draws[0].site, draws[0].affine) if draws else None)
    return len(addresses) == 1 and None not in addresses
