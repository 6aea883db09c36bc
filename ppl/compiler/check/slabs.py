"""What is drawn of a random variable at given indices: pieces cut, put in order, assembled."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

from ppl.compiler.check import indexing
from ppl.compiler.check import support_rules as rules
from ppl.compiler.check.context import Context
from ppl.compiler.check.frames import Frame, Site, SitePiece
from ppl.compiler.check.indexing import Subscript
from ppl.compiler.check.tiling import tile
from ppl.compiler.check.values import Value
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.types import INT, array

Points = tuple[Size | None, ...]  # for each axis of the site the index read, None for the whole axis


class Miss(Enum):
    NOWHERE = 1  # surely in no piece
    UNDECIDED = 2


def visible(cx: Context, name: str, frames: list[Frame] | None = None) -> list[SitePiece]:
    """The pieces of a site drawn so far, from the outermost open frame inwards."""
    return [p for f in (cx.frames if frames is None else frames) for p in f.sites.get(name, ())]


def _status(cx: Context, piece: SitePiece, points: Points) -> bool | None:
    """Whether the piece holds the points: True or False if proved."""
    sure = True
    for (lower, upper), p in zip(piece.box, points, strict=True):
        if p is None:
            continue
        if cx.surely_negative(p - lower) or cx.surely_nonnegative(p - upper):
            return False
        if not (cx.surely_nonnegative(p - lower) and cx.surely_nonnegative(upper - p - 1)):
            sure = False
    return True if sure else None


def slab(
    cx: Context, site: Site, pieces: list[SitePiece], points: Points, span: Span, into: list[ir.Stmt] | None = None
) -> ir.Var | Miss:
    """The part of the site at the points, its other axes whole and in order."""
    hits = []
    for piece in pieces:
        status = _status(cx, piece, points)
        if status is None:
            return Miss.UNDECIDED
        if status:
            hits.append(piece)
    if not hits:
        return Miss.NOWHERE
    if into is not None:
        cx.blocks.append(into)
    try:
        parts = [_cut(cx, piece, points, span) for piece in hits]
        whole = tuple(a for a, p in enumerate(points) if p is None)
        if len(parts) == 1 and set(whole) <= set(parts[0].axes) and all(parts[0].box[a][0] == Size() for a in whole):
            return in_order(cx, parts[0]).value
        if not whole:
            return parts[-1].value
        return assemble(cx, site, parts, whole, span)
    finally:
        if into is not None:
            cx.blocks.pop()


def _cut(cx: Context, piece: SitePiece, points: Points, span: Span) -> SitePiece:
    """The piece at the points: their axes dropped from its value."""
    if all(points[a] is None for a in piece.axes):
        return piece
    subs = [
        Subscript(slice=ir.SliceAtom(None, None)) if p is None else Subscript(point=p - piece.box[a][0])
        for a, p in ((a, points[a]) for a in piece.axes)
    ]
    while subs and subs[-1].slice is not None:
        subs.pop()
    base = Value(piece.value, piece.value.type, piece.value.support, piece.value.level, span)
    value = indexing.element(cx, base, subs, span, proved=True)
    assert isinstance(value.atom, ir.Var)
    return SitePiece(piece.box, tuple(a for a in piece.axes if points[a] is None), value.atom, piece.span)


def in_order(cx: Context, piece: SitePiece) -> SitePiece:
    """The piece with the axes of its value in the order of the site."""
    order = sorted(range(len(piece.axes)), key=lambda i: piece.axes[i])
    if order == list(range(len(order))):
        return piece
    v = piece.value
    shape = ty.shape(v.type)
    permutation = order + list(range(len(order), len(shape)))
    type_ = array(ty.element(v.type), *(shape[i] for i in permutation))
    axes = tuple(ir.Lit(i, INT) for i in permutation)
    op = ir.Prim("transpose", (v,)) if permutation == [1, 0] else ir.Prim("permute", (v, *axes))
    value = cx.let(op, type_, v.support, v.level, piece.span, v.id)
    return SitePiece(piece.box, tuple(sorted(piece.axes)), value, piece.span)


def assemble(cx: Context, site: Site, pieces: list[SitePiece], whole: tuple[int, ...], span: Span) -> ir.Var | Miss:
    """An array over the axes ``whole`` from pieces that tile it."""
    found = tile([tuple(p.box[a] for a in whole) for p in pieces])
    if found.extents is None:
        return Miss.UNDECIDED
    for left, right in found.equalities:
        if not cx.require_sizes(left, right, f"the pieces of {site.name} meet without a gap", span):
            return Miss.UNDECIDED
    parts = []
    for p in pieces:
        value, axes = p.value, p.axes
        for a in reversed([a for a in whole if a not in axes]):
            value = cx.let(
                ir.MakeArray((value,)), array(value.type, Size.const(1)), value.support, value.level, p.span, value.id
            )
            axes = (a, *axes)
        parts.append(in_order(cx, SitePiece(p.box, axes, value, p.span)))
    type_ = array(pieces[0].value.type if not pieces[0].axes else _cell(parts[0]), *found.extents)
    op = ir.Assemble(site.name, tuple(ir.Piece(tuple(p.box[a] for a in whole), p.value) for p in parts))
    support = rules.join(*(p.value.support for p in parts))
    return cx.let(op, type_, support, max(p.value.level for p in parts), span, site.name)


def _cell(piece: SitePiece):
    return array(ty.element(piece.value.type), *ty.shape(piece.value.type)[len(piece.axes) :])


def indexed(cx: Context, site: Site, var: ir.Var, rest: list[Subscript], span: Span) -> Value:
    value = Value(
        var,
        var.type,
        var.support,
        var.level,
        span,
        origin=site.name if site.kind in ("latent", "data", "aux") else None,
        submodel=site.submodel,
        dist=site.dist if site.dist and var.type == site.element else None,
    )
    if not rest:
        return value
    return replace(indexing.element(cx, value, rest, span), origin=value.origin)
