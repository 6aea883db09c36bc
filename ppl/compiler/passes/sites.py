"""Where the elements of a random variable are drawn, and by which variable they can be read afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.sizes import Size


@dataclass(frozen=True, slots=True)
class LoopRange:
    index: str
    lower: Size
    upper: Size

    @staticmethod
    def of(loop: ir.Plate | ir.For | ir.Scan | ir.ForwardSum) -> LoopRange:
        return LoopRange(loop.index.id, loop.lower, loop.upper)


@dataclass(frozen=True, slots=True)
class Drawn:
    """The elements of ``site`` that one Draw gives, seen from the block in which the loops ``loops`` (outermost first)
    stand: ``value`` has an axis for each of them in front. None where no value leaves the loops."""

    site: str
    affine: tuple[Size, ...]
    loops: tuple[LoopRange, ...]
    value: ir.Atom | None
    role: ir.Role
    draw: ir.Draw

    def axis_of(self, index: str) -> int | None:
        """The position of the one axis whose subscript moves with the loop index."""
        axes = [k for k, size in enumerate(self.affine) if index in size.variables]
        return axes[0] if len(axes) == 1 else None


def drawn(statements: Iterable[ir.Stmt]) -> Iterator[Drawn]:
    """All elements that the statements draw, in the order of the text."""
    for stmt in statements:
        match stmt:
            case ir.Draw():
                yield Drawn(stmt.site, stmt.affine, (), stmt.var, stmt.role, stmt)
            case ir.Plate() | ir.For() | ir.Scan():
                for d in drawn(stmt.body.statements):
                    yield replace(d, loops=(LoopRange.of(stmt), *d.loops), value=_stacked(stmt, d.value))
            case ir.ForwardSum():
                yield from _leaving(stmt.start, stmt.results)
                for d in drawn(stmt.body.statements):
                    yield replace(d, loops=(LoopRange.of(stmt), *d.loops), value=_stacked(stmt, d.value))
            case ir.SumOut(body=body, results=results):
                yield from _leaving(body, results)
            case ir.If(_, then, otherwise, results):
                yield from _merged((then, otherwise), results)
            case ir.Match(_, cases, results):
                yield from _merged(tuple(c.body for c in cases), results)


def _stacked(loop, value: ir.Atom | None) -> ir.Atom | None:
    return next((s.var for s in loop.stacked if value is not None and s.value == value), None)


def _leaving(block: ir.Block, results: tuple[ir.Var, ...]) -> Iterator[Drawn]:
    for d in drawn(block.statements):
        out = [var for var, value in zip(results, block.results, strict=True) if value == d.value]
        yield replace(d, value=out[0] if out else None)


def _merged(arms: tuple[ir.Block, ...], results: tuple[ir.Var, ...]) -> Iterator[Drawn]:
    """What several branches draw at the same place is one thing, read by the result that it goes to in all of them."""
    seen: dict[tuple, list[Drawn]] = {}
    for arm in arms:
        for d in _leaving(arm, results):
            seen.setdefault((d.site, d.affine, d.loops), []).append(d)
    for found in seen.values():
        same = len(found) == len(arms) and len({d.value for d in found}) == 1
        yield found[0] if same else replace(found[0], value=None)


def site_values(block: ir.Block) -> dict[str, ir.Atom]:
    """The value of each random variable at the end of the block, as far as one variable holds it (over the loops in
    it)."""
    values: dict[str, ir.Atom] = {}
    for d in drawn(block.statements):
        if d.value is not None:
            values[d.site] = d.value
    for stmt in block.statements:
        if isinstance(stmt, ir.Let) and isinstance(stmt.op, ir.Assemble):
            values[stmt.op.site] = stmt.var
    return values
