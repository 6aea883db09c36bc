"""Reading random variables (and arrays built by ``let x[i] = …``): elements, slices of axes, the whole array.

What an affine index reads is found among the pieces drawn so far. Inside the loop that draws the site, an element of
an earlier iteration is a ``Lag``.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum

from ppl.compiler.check import indexing
from ppl.compiler.check import support_rules as rules
from ppl.compiler.check.context import Context
from ppl.compiler.check.frames import Frame, Lagged, Site, SitePiece
from ppl.compiler.check.indexing import Subscript
from ppl.compiler.check.suggest import nearest
from ppl.compiler.check.tiling import tile
from ppl.compiler.check.values import UNKNOWN, Value, unknown
from ppl.compiler.diagnostics.diagnostic import Edit, Help
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.types import INT, REAL, Record, array
from ppl.compiler.ir.types import element as ty_element
from ppl.compiler.syntax import ast

Points = tuple[Size | None, ...]  # for each axis of the site the index read, None for the whole axis


class Miss(Enum):
    NOWHERE = 1  # surely in no piece
    UNDECIDED = 2


def named_site(cx: Context, name: str) -> Site | None:
    """The site of a name: drawn already, or about to be drawn by an open loop that reads its earlier iterations."""
    site = cx.site(name)
    if site is not None:
        return site
    for f in cx.frames:
        if name in f.forecast:
            ahead = f.forecast[name]
            discrete = ahead.element is not None and ty_element(ahead.element) != REAL
            return Site(name, "latent", ahead.element or UNKNOWN, ahead.support, discrete, len(ahead.axes), ahead.span)
    return None


def read(cx: Context, site: Site, subscripts: list[Subscript], span: Span) -> Value:
    """``x[i, j]``: with fewer subscripts than axes the rest are whole."""
    if site.broken:
        return unknown(span)
    partial = _partial(cx, site.name)
    if partial is not None:
        cx.error(
            "E308",
            f"`{site.name}` is defined on one path only",
            span,
            "read on every path",
            ((partial, "defined only here"),),
            helps=(Help("define it on the other path too, or read it inside the branch"),),
        )
        return unknown(span)
    own, rest = subscripts[: site.rank], subscripts[site.rank :]
    points = tuple(s.point for s in own) + (None,) * (site.rank - len(own))
    value: ir.Var | Miss = Miss.UNDECIDED
    if all(p is not None for p in points):
        value = slab(cx, site, visible(cx, site.name), points, span)
    if isinstance(value, Miss):
        building = [(k, f) for k, f in enumerate(cx.frames) if f.is_loop and site.name in f.forecast]
        if building:
            return _read_while_building(cx, site, own, rest, building, span)
        return _read_whole(cx, site, subscripts, span)
    return _rest(cx, site, value, rest, span)


def _rest(cx: Context, site: Site, var: ir.Var, rest: list[Subscript], span: Span) -> Value:
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


def _partial(cx: Context, name: str) -> Span | None:
    return next((f.partial[name] for f in cx.frames if name in f.partial), None)


def visible(cx: Context, name: str, frames: list[Frame] | None = None) -> list[SitePiece]:
    """The pieces of a site drawn so far, from the outermost open frame inwards."""
    return [p for f in (cx.frames if frames is None else frames) for p in f.sites.get(name, ())]


# --- pieces -----------------------------------------------------------------------------------------------------


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
        Subscript(slice=ir.SliceAtom(None, None)) if points[a] is None else Subscript(point=points[a] - piece.box[a][0])
        for a in piece.axes
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
    rank = len(v.type.shape)
    permutation = order + list(range(len(order), rank))
    type_ = array(v.type.element, *(v.type.shape[i] for i in permutation))
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
    return array(piece.value.type.element, *piece.value.type.shape[len(piece.axes) :])


def whole(cx: Context, site: Site, span: Span) -> ir.Var | Miss:
    """The array of all that is drawn of the site so far; emitted once, where its pieces are."""
    pieces = visible(cx, site.name)
    if not pieces:
        return Miss.NOWHERE
    if site.rank == 0:
        return pieces[-1].value
    key = tuple(p.value.id for p in pieces)
    if site.assembled is not None and site.assembled[0] == key and any(b is site.assembled[1] for b in cx.blocks):
        return site.assembled[2]
    k = max(i for i, f in enumerate(cx.frames) if site.name in f.sites)
    cx.blocks.append(cx.frames[k].block)
    try:
        var = assemble(cx, site, pieces, tuple(range(site.rank)), span)
    finally:
        cx.blocks.pop()
    if isinstance(var, ir.Var):
        cx.depth[var.id] = k + 1
        site.assembled = (key, cx.frames[k].block, var)
    return var


def _read_whole(cx: Context, site: Site, subscripts: list[Subscript], span: Span) -> Value:
    if site.rank and site.whole_read is None:
        site.whole_read = span
    var = whole(cx, site, span)
    if isinstance(var, Miss):
        cx.error(
            "E305",
            f"`{site.name}` is read before all its elements up to there are defined",
            span,
            "read here",
            tuple((p.span, "defined so far") for p in visible(cx, site.name))[:3],
        )
        site.broken = True
        return unknown(span)
    base = Value(
        var,
        var.type,
        var.support,
        var.level,
        span,
        origin=site.name if site.kind in ("latent", "data", "aux") else None,
        submodel=site.submodel,
        dist=site.dist if site.rank == 0 else None,
    )
    return replace(indexing.element(cx, base, subscripts, span), origin=base.origin) if subscripts else base


# --- inside the loop that draws the site ----------------------------------------------------------------------------


def _read_while_building(
    cx: Context, site: Site, own: list[Subscript], rest: list[Subscript], building: list[tuple[int, Frame]], span: Span
) -> Value:
    name = site.name
    for k, frame in building:
        forecast = frame.forecast[name]
        if len(forecast.axes) != site.rank:  # reported where it is drawn
            return unknown(span)
        axis = next((a for a, x in enumerate(forecast.axes) if x is not None and x[0] == frame.index_name), None)
        if axis is None:
            return unknown(span)
        index = Size.var(frame.index.id)
        here = index + forecast.axes[axis][1]
        sub = own[axis] if axis < len(own) else None
        if sub is None or sub.slice is not None:
            cx.error(
                "E316",
                f"`{name}` is read as a whole inside the loop that draws it",
                span,
                "not complete here",
                ((forecast.span, "drawn here"),),
                helps=(Help("read it behind the loop, or read single elements"),),
            )
            return unknown(span)
        shift = None if sub.point is None else (here - sub.point)
        if shift is not None and shift == Size():
            continue
        if frame.kind != "for":
            _cross_iteration(cx, name, frame, forecast.span, span)
            return unknown(span)
        distance = None if shift is None else shift.value
        if distance is None or distance < 0:
            _not_a_lag(cx, name, frame, forecast.span, distance, span)
            return unknown(span)
        return _lag(cx, site, k, axis, distance, own, rest, span)
    row = _row(cx, site, own, rest, building, span)
    if row is not None:
        return row
    cx.error(
        "E305",
        f"`{name}` is read before it is drawn",
        span,
        "nothing drawn yet",
        ((building[-1][1].forecast[name].span, "drawn here"),),
    )
    return unknown(span)


def _row(
    cx: Context, site: Site, own: list[Subscript], rest: list[Subscript], building: list[tuple[int, Frame]], span: Span
) -> Value | None:
    """A read at the very indices of all loops that draw the site: from what this iteration has drawn of it so far,
    as an
    array over the other axes. None if that is not complete."""
    indices = {f.index_name for _, f in building}
    axes = building[0][1].forecast[site.name].axes
    fixed = [a for a, x in enumerate(axes) if x is not None and x[0] in indices]
    points = tuple(own[a].point if a in fixed else None for a in range(site.rank))
    k = max((i for i, f in enumerate(cx.frames) if site.name in f.sites), default=None)
    if k is None:
        return None
    var = slab(cx, site, visible(cx, site.name), points, span, cx.frames[k].block)
    if isinstance(var, ir.Var):
        cx.depth[var.id] = k + 1
    return (
        None
        if isinstance(var, Miss)
        else _rest(cx, site, var, [s for a, s in enumerate(own) if a not in fixed] + rest, span)
    )


def _cross_iteration(cx: Context, name: str, frame: Frame, drawn: Span, span: Span) -> None:
    keyword = Span(frame.span.file, frame.span.start, frame.span.start + len("plate"))
    edit = (Edit(keyword, "for"),) if cx.text(keyword) == "plate" else ()
    cx.error(
        "E307",
        f"an iteration of a plate reads `{name}` of another iteration",
        span,
        "another iteration's variable",
        ((drawn, f"`{name}` is drawn in this plate"),),
        ("the iterations of a plate are independent given what is outside it",),
        (Help("use `for`, whose iterations are ordered", edit),),
    )


def _not_a_lag(cx: Context, name: str, frame: Frame, drawn: Span, distance: int | None, span: Span) -> None:
    what = (
        f"`{name}` is read at a later iteration"
        if distance is not None
        else f"`{name}` is read at an index that is no fixed lag"
    )
    cx.error(
        "E306",
        what,
        span,
        "not drawn yet" if distance is not None else "which iteration this is can't be known",
        ((drawn, f"`{name}` is drawn here"),),
        (
            f"inside the loop that draws it, `{name}` can be read at earlier iterations: `{frame.index_name} - 1`, "
            f"`{frame.index_name} - 2`, …",
        ),
    )


def _lag(
    cx: Context, site: Site, k: int, axis: int, distance: int, own: list[Subscript], rest: list[Subscript], span: Span
) -> Value:
    frame = cx.frames[k]
    forecast = frame.forecast[site.name]
    lagged = frame.lagged.get(site.name)
    if lagged is None:
        lagged = _start_window(cx, site, k, axis, span)
        if lagged is None:
            return unknown(span)
        frame.lagged[site.name] = lagged
    # the elements before the loop that this read needs: those that no condition around it excludes
    lower, _ = cx.extent(frame.index.id)
    skipped = (lower - frame.lower).value or 0
    for j in range(1, distance - skipped + 1):
        if j not in lagged.init:
            position = frame.lower + lagged.offset - j
            points = tuple(position if a == axis else p for a, p in enumerate(lagged.points))
            init = _before(cx, site, cx.frames[:k], points, frame.outer, span)
            if isinstance(init, Miss):
                _never_drawn(cx, site, frame, position, forecast.span, span)
                return unknown(span)
            lagged.init[j] = init
    if distance not in lagged.lags:
        level = ir.Level.DISCRETE if site.discrete else ir.Level.CONTINUOUS
        if site.kind == "let":
            level = ir.Level.CONTINUOUS
        var = cx.let(
            ir.Lag(site.name, distance, frame.index.id),
            lagged.type,
            lagged.support,
            level,
            span,
            f"{site.name}_lag{distance}",
            frame.prefix,
        )
        cx.depth[var.id] = k + 1
        lagged.lags[distance] = var
    var = lagged.lags[distance]
    value = Value(var, var.type, var.support, var.level, span, origin=site.name if site.kind != "let" else None)
    inner = [s for a, s in enumerate(own) if a != axis and lagged.points[a] is None] + rest
    return replace(indexing.element(cx, value, inner, span), origin=value.origin) if inner else value


def _start_window(cx: Context, site: Site, k: int, axis: int, span: Span) -> Lagged | None:
    frame = cx.frames[k]
    forecast = frame.forecast[site.name]
    outer_indices = {f.index_name: Size.var(f.index.id) for f in cx.frames[:k] if f.is_loop}
    points: list[Size | None] = []
    shape = []
    for a, x in enumerate(forecast.axes):
        if a == axis:
            points.append(Size())  # replaced by each position
        elif x is not None and x[0] in outer_indices:
            points.append(outer_indices[x[0]] + x[1])
        else:
            points.append(None)
            shape.append(forecast.extents[a])
    earlier = visible(cx, site.name, cx.frames[:k])
    element = (
        earlier[0].value.type if earlier and not earlier[0].axes else site.element if earlier else forecast.element
    )
    if element is None or any(s is None for s in shape):
        cx.error(
            "E317",
            f"the type of `{site.name}` can't be known where it is read first",
            span,
            "read before any of it is drawn",
            ((forecast.span, "drawn here"),),
            helps=(Help(f"declare its type: `{site.name}[…]: real ~ …`"),),
        )
        return None
    support = rules.join(forecast.support, *(p.value.support for p in earlier))
    return Lagged(
        array(element, *(s for s in shape if s is not None)),
        support,
        axis,
        forecast.axes[axis][1],
        tuple(points),
        span=span,
    )


def _before(
    cx: Context, site: Site, frames: list[Frame], points: Points, into: list[ir.Stmt], span: Span
) -> ir.Var | Miss:
    pieces = visible(cx, site.name, frames)
    found = slab(cx, site, pieces, points, span, into)
    if found is not Miss.UNDECIDED:
        return found
    cx.blocks.append(into)
    try:
        array_ = assemble(cx, site, pieces, tuple(range(site.rank)), span)
        if isinstance(array_, Miss):
            return array_
        base = Value(array_, array_.type, array_.support, array_.level, span)
        subs = [Subscript(slice=ir.SliceAtom(None, None)) if p is None else Subscript(point=p) for p in points]
        value = indexing.element(cx, base, subs, span)
        return value.atom if isinstance(value.atom, ir.Var) else Miss.UNDECIDED
    finally:
        cx.blocks.pop()


def _never_drawn(cx: Context, site: Site, frame: Frame, position: Size, drawn: Span, span: Span) -> None:
    name = site.name
    subs = ", ".join(
        str(position) if x is not None and x[0] == frame.index_name else (x[0] if x else "…")
        for x in frame.forecast[name].axes
    )
    helps = [
        Help(
            f"start the loop later, or read it under a condition: `if {frame.index_name} > {frame.lower} then … else …`"
        )
    ]
    if position.provably_nonnegative():
        helps.insert(0, Help(f"draw `{name}[{subs}]` before the loop"))
    cx.error(
        "E305",
        f"`{name}[{subs}]` is read but never drawn",
        span,
        f"at the start of the loop this is `{name}[{subs}]`",
        ((drawn, f"`{name}` is drawn from here on"), (frame.span, f"`{frame.index_name}` starts at {frame.lower}")),
        helps=tuple(helps),
    )


# --- submodels ---------------------------------------------------------------------------------------------------


def submodel_field(cx: Context, e: ast.Attribute) -> Value | None:
    """``x.theta`` or ``x[i].theta`` where ``x`` runs a submodel; None where it does not."""
    base, subscripts = (e.base.base, e.base.subscripts) if isinstance(e.base, ast.Index) else (e.base, ())
    if not isinstance(base, ast.Name) or cx.peek(base.id) is not None:
        return None
    site = cx.site(base.id)
    if site is None or site.submodel is None:
        return None
    if site.broken:
        return unknown(e.span)
    field = cx.site(f"{base.id}.{e.name}")
    if field is None:
        return _no_such_variable(cx, site, e)
    found = indexing.subscripts_of(cx, subscripts)
    return unknown(e.span) if found is None else read(cx, field, found, e.span)


def _no_such_variable(cx: Context, site: Site, e: ast.Attribute) -> Value | None:
    """None where what the submodel returns may have the field."""
    if isinstance(ty_element(site.element), Record) or e.name == "T" or site.submodel not in cx.module.parts.models:
        return None
    names = [n.removeprefix(f"{site.name}.") for n in cx.sites if n.startswith(f"{site.name}.")]
    near = nearest(e.name, names)
    helps = (Help(f"did you mean `{near}`?", (Edit(e.name_span, near),)),) if near else ()
    notes = (f"it draws {', '.join(f'`{n}`' for n in names)}",) if names else ()
    cx.error(
        "E104",
        f"the model `{site.submodel}` draws no `{e.name}`",
        e.name_span,
        "no such variable",
        ((site.span, "run here"),),
        notes,
        helps,
    )
    return unknown(e.span)
