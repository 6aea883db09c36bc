"""Which of the statements behind a draw must stand under its sum."""

from __future__ import annotations

from collections.abc import Container

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.walk import definitions, free
from ppl.compiler.passes.taint import is_scored

Parts = tuple[list[ir.Stmt], list[ir.Stmt], list[ir.Stmt]]


def partition(rest: tuple[ir.Stmt, ...], tainted: set[str], deferred: Container[str]) -> Parts:
    """The statements behind a draw as those that go before the sum, under it, and behind it, each in the old order.

    Under it go the scored statements that read a ``tainted`` value, and what lies between the draw and them; before it
    go those that need nothing from under it."""
    reads = [free(s) for s in rest]
    defines = [frozenset(v.id for v in definitions(s)) for s in rest]
    under = {k for k, s in enumerate(rest) if not reads[k].isdisjoint(tainted) and is_scored(s, deferred)}
    while True:
        made = tainted | {name for k in under for name in defines[k]}
        behind: set[int] = set()  # not under the sum, but needing what is drawn or computed there
        for k in range(len(rest)):
            if k not in under and not reads[k].isdisjoint(made):
                behind.add(k)
                made |= defines[k]
        wanted = {name for k in under for name in reads[k]}
        between: set[int] = set()
        for k in reversed(range(len(rest))):
            if k in behind and not defines[k].isdisjoint(wanted):
                between.add(k)
                wanted |= reads[k]
        if not between:
            break
        under |= between
    before = set(range(len(rest))) - under - behind
    return _chosen(rest, before), _chosen(rest, under), _chosen(rest, behind)


def _chosen(rest: tuple[ir.Stmt, ...], positions: set[int]) -> list[ir.Stmt]:
    return [s for k, s in enumerate(rest) if k in positions]
