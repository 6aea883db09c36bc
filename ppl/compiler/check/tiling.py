"""Do index boxes tile an array? Exact cover of a box at the origin by boxes with symbolic bounds."""

from __future__ import annotations

from ppl.compiler.diagnostics.record import record
from ppl.compiler.ir.sizes import Size

Box = tuple[tuple[Size, Size], ...]


@record
class Tiling:
    """``extents`` of the tiled box, None if it is not shown to be one. ``equalities`` have to hold as well. ``gap``:
    a missing
    range (axis, from, to); ``overlap``: two boxes that surely meet, by position, or ``(-1, -1)`` where ranges surely
    overlap
    unless they are empty."""

    extents: tuple[Size, ...] | None
    equalities: tuple[tuple[Size, Size], ...] = ()
    gap: tuple[int, Size, Size] | None = None
    overlap: tuple[int, int] | None = None


def surely_less(a: Size, b: Size) -> bool:
    return (b - a - 1).provably_nonnegative()


def surely_at_most(a: Size, b: Size) -> bool:
    return (b - a).provably_nonnegative()


def disjoint(a: Box, b: Box) -> bool:
    """Proved that the boxes share no point."""
    return any(surely_at_most(x[1], y[0]) or surely_at_most(y[1], x[0]) for x, y in zip(a, b, strict=True))


def meet(a: Box, b: Box) -> bool:
    """Proved that the boxes share a point: on every axis equal ranges, or each starts before the other ends."""
    return all(x == y or (surely_less(x[0], y[1]) and surely_less(y[0], x[1])) for x, y in zip(a, b, strict=True))


def tile(boxes: list[Box]) -> Tiling:
    """Whether the boxes tile a box at the origin. Splits by the ranges of one axis, then tiles each group."""
    for i, a in enumerate(boxes):
        for j in range(i):
            if meet(a, boxes[j]):
                return Tiling(None, overlap=(j, i))
    return _tile(boxes)


def _tile(boxes: list[Box]) -> Tiling:
    rank = len(boxes[0])
    if rank == 0:
        return Tiling(())
    best: Tiling | None = None
    for axis in range(rank):
        result = _along(boxes, axis)
        if result.extents is not None:
            return result
        best = best if best is not None and best.gap is not None else result
    return best if best is not None else Tiling(None)


def _along(boxes: list[Box], axis: int) -> Tiling:
    groups: dict[tuple[Size, Size], list[Box]] = {}
    for box in boxes:
        groups.setdefault(box[axis], []).append(box[:axis] + box[axis + 1 :])
    chain = _chain(list(groups))
    if isinstance(chain, Tiling):
        if len(boxes[0]) > 1 and chain.overlap is not None:
            return Tiling(None)
        return chain if chain.gap is None else Tiling(None, gap=(axis, *chain.gap[1:]))
    end, equalities = chain
    rest: tuple[Size, ...] | None = None
    for members in groups.values():
        inner = _tile(members) if len(boxes[0]) > 1 else Tiling(())
        if inner.extents is None:
            return (
                inner
                if inner.gap is None
                else Tiling(None, gap=(inner.gap[0] + (inner.gap[0] >= axis), *inner.gap[1:]))
            )
        equalities += inner.equalities
        if rest is None:
            rest = inner.extents
        else:
            for a, b in zip(rest, inner.extents, strict=True):
                if surely_less(a, b) or surely_less(b, a):
                    return Tiling(None)
                if a != b:
                    equalities += ((a, b),)
    extents = list(rest or ())
    extents.insert(axis, end)
    return Tiling(tuple(extents), equalities)


def _may_meet(a: Size, b: Size) -> bool:
    return not surely_less(a, b) and not surely_less(b, a)


def _chain(ranges: list[tuple[Size, Size]]) -> tuple[Size, tuple[tuple[Size, Size], ...]] | Tiling:
    """Ranges that follow each other from 0; equalities that can't be decided are taken in the order given."""
    at, left = Size(), list(ranges)
    equalities: tuple[tuple[Size, Size], ...] = ()
    while left:
        following = next((r for r in left if r[0] == at), None)
        if following is None:
            following = next((r for r in left if at != Size() and _may_meet(at, r[0])), None)
            if following is None:
                start = next((r[0] for r in left if surely_less(at, r[0]) or at == Size()), None)
                if start is None:
                    return Tiling(None, overlap=(-1, -1))
                return Tiling(None, gap=(0, at, start))
            equalities += ((at, following[0]),)
        left.remove(following)
        at = following[1]
    return at, equalities
