"""Substitution, fresh names, and recomputed levels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.types import Type
from ppl.compiler.ir.walk import binders, definitions, names, rebuild, walk


class Names:
    """Hands out ids that are not taken yet: the wish itself, else with a number behind."""

    def __init__(self, taken: Iterable[str]):
        self._taken = set(taken)

    @staticmethod
    def of(*parts) -> Names:
        return Names(name for part in parts for name in names(part))

    def fresh(self, wish: str) -> str:
        name, n = wish, 1
        while name in self._taken:
            name, n = f"{wish}_{n}", n + 1
        self._taken.add(name)
        return name


def substitute(node, atoms: Mapping[str, ir.Atom] | None = None, sizes: Mapping[str, Size] | None = None):
    """Replace variables by atoms and size variables by sizes, everywhere in ``node`` (types and supports included).

    A variable that ``node`` defines may only be replaced by another Var (renaming). A loop index that is renamed must
    stand in ``sizes`` too, since it may occur in affine indices."""
    atoms, sizes = atoms or {}, sizes or {}

    def go(n):
        if isinstance(n, ir.Var):
            if n.id in atoms:
                return atoms[n.id]
            return rebuild(n, go) if sizes else n
        if isinstance(n, Size):
            return n.substitute(sizes) if sizes and not sizes.keys().isdisjoint(n.variables) else n
        if isinstance(n, Type) and not sizes:
            return n
        return rebuild(n, go)

    return go(node) if atoms or sizes else node


def freshen(node, new_names: Names, prefix: str = ""):
    """A copy of ``node`` in which all that it defines has a new id, ``prefix`` in front of the old one."""
    atoms: dict[str, ir.Atom] = {}
    sizes: dict[str, Size] = {}
    for n in walk(node):
        indices = {n.index.id} if isinstance(n, (ir.Plate, ir.For, ir.Scan, ir.ForwardSum, ir.Map)) else set()
        for var in (*binders(n), *(definitions(n) if isinstance(n, ir.Stmt) else ())):
            new = new_names.fresh(prefix + var.id)
            atoms[var.id] = replace(var, id=new)
            if var.id in indices:
                sizes[var.id] = Size.var(new)
    return rename_loops(substitute(node, atoms, sizes), {old: str(new) for old, new in sizes.items()})


def rename_loops(node, loops: Mapping[str, str]):
    """``Lag.loop`` names its loop by the id of the index."""

    def go(n):
        if isinstance(n, ir.Lag):
            return replace(n, loop=loops.get(n.loop, n.loop))
        return n if isinstance(n, ir.Atom) else rebuild(n, go)

    return go(node) if loops else node


def relevel(block: ir.Block, given: Iterable[ir.Var] = ()) -> ir.Block:
    """The block with the level of every pure value computed again from its inputs; draws and ``given`` keep theirs.

    Needed after inlining, where parameters of level ``data`` have become arguments of any level."""
    levels = {v.id: v.level for v in given}
    while True:
        before = dict(levels)
        _levels(block, levels)
        if levels == before:
            break

    def go(n):
        if isinstance(n, ir.Var):
            level = levels.get(n.id, n.level)
            return n if level == n.level else replace(n, level=level)
        return n if isinstance(n, (Type, Size)) else rebuild(n, go)

    return go(block)


def _levels(block: ir.Block, levels: dict[str, ir.Level]) -> None:
    """One sweep; the callers repeat it until nothing changes (carries)."""

    def of(*parts) -> ir.Level:
        found = [levels.get(n.id, n.level) for part in parts for n in walk(part) if isinstance(n, ir.Var)]
        return max(found, default=ir.Level.CONSTANT)

    for stmt in block.statements:
        for node in walk(stmt) if isinstance(stmt, ir.Let) else (stmt,):
            if isinstance(node, (ir.Map, ir.Closure)):
                for var in node.params if isinstance(node, ir.Closure) else (node.index,):
                    levels[var.id] = var.level
        match stmt:
            case ir.Let(var, ir.Map() as op):
                for m in op.mapped:
                    levels[m.var.id] = of(m.array)
                _levels(op.body, levels)
                levels[var.id] = of(*op.body.results)
            case ir.Let(var, ir.Lag() | ir.InferOp() | ir.ExpectOp() | ir.Marginal()):
                levels[var.id] = var.level
            case ir.Let(var, op):
                for inner in walk(op):
                    if isinstance(inner, ir.Closure):
                        _levels(inner.body, levels)
                levels[var.id] = of(op)
            case ir.If(condition, then, otherwise, results):
                for arm in (then, otherwise):
                    _levels(arm, levels)
                for k, var in enumerate(results):
                    levels[var.id] = of(condition, then.results[k], otherwise.results[k])
            case ir.Match(subject, cases, results):
                for case in cases:
                    levels.update((b.id, of(subject)) for b in case.binders)
                    _levels(case.body, levels)
                for k, var in enumerate(results):
                    levels[var.id] = of(subject, *(case.body.results[k] for case in cases))
            case ir.Plate() | ir.For() | ir.Scan():
                for m in getattr(stmt, "mapped", ()):
                    levels[m.var.id] = of(m.array)
                for c in getattr(stmt, "carries", ()):
                    levels[c.var.id] = max(of(c.init), levels.get(c.var.id, ir.Level.CONSTANT))
                _levels(stmt.body, levels)
                for c in getattr(stmt, "carries", ()):
                    levels[c.var.id] = max(levels[c.var.id], of(c.next))
                    if c.final:
                        levels[c.final.id] = levels[c.var.id]
                for s in stmt.stacked:
                    levels[s.var.id] = of(s.value)
            case ir.SumOut() | ir.ForwardSum():
                for inner in (stmt.body, *((stmt.start,) if isinstance(stmt, ir.ForwardSum) else ())):
                    _levels(inner, levels)
            case _:
                for var in definitions(stmt):
                    levels[var.id] = var.level
