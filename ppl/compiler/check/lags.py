"""Reading a random variable inside the loop that draws it: earlier iterations are lags, kept in a window."""

from __future__ import annotations

from dataclasses import replace

from ppl.compiler.check import indexing
from ppl.compiler.check import support_rules as rules
from ppl.compiler.check.context import Context
from ppl.compiler.check.frames import Frame, Lagged, Site
from ppl.compiler.check.indexing import Subscript
from ppl.compiler.check.slabs import Miss, Points, assemble, indexed, slab, visible
from ppl.compiler.check.values import Value, unknown
from ppl.compiler.diagnostics.diagnostic import Edit, Help
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.types import array


def read_while_building(
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
        index = Size.var(frame.id)
        here = index + (forecast.axes[axis] or ("", Size()))[1]
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
            _cross_iteration(cx, name, frame, forecast.span, None if shift is None else shift.value, span)
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
    """A read at the very indices of all loops that draw the site: from what this iteration has drawn of it so far, as
    an array over the other axes. None if that is not complete."""
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
    if isinstance(var, Miss):
        return None
    return indexed(cx, site, var, [s for a, s in enumerate(own) if a not in fixed] + rest, span)


def _cross_iteration(cx: Context, name: str, frame: Frame, drawn: Span, distance: int | None, span: Span) -> None:
    keyword = Span(frame.span.file, frame.span.start, frame.span.start + len("plate"))
    if distance is not None and distance > 0:
        edit = (Edit(keyword, "for"),) if cx.text(keyword) == "plate" else ()
        help_ = Help("use `for`, whose iterations are ordered", edit)
    else:
        help_ = Help("read it in a plate of its own, behind this one, where all of it is drawn")
    cx.error(
        "E307",
        f"an iteration of a plate reads `{name}` of another iteration",
        span,
        "another iteration's variable",
        ((drawn, f"`{name}` is drawn in this plate"),),
        ("the iterations of a plate are independent given what is outside it",),
        (help_,),
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
    lower, _ = cx.extent(frame.id)
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
            ir.Lag(site.name, distance, frame.id),
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
    outer_indices = {f.index_name: Size.var(f.id) for f in cx.frames[:k] if f.is_loop}
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
        (forecast.axes[axis] or ("", Size()))[1],
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
