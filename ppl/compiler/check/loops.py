"""Plates and ordered loops: ranges, state that is carried, what the iterations leave behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ppl.compiler.check.context import Context, suggestion
from ppl.compiler.check.expressions import conform
from ppl.compiler.check.forecast import assigned, forecast
from ppl.compiler.check.frames import Frame, Local, Site, SitePiece
from ppl.compiler.check.pieces import add_piece
from ppl.compiler.check.slabs import Miss, slab, visible
from ppl.compiler.check.typeexprs import size_of
from ppl.compiler.check.unify import describe
from ppl.compiler.check.values import Value
from ppl.compiler.diagnostics.diagnostic import Help
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.nodes import Level
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import ANYTHING, REALS, Integers
from ppl.compiler.ir.types import INT, array
from ppl.compiler.syntax import ast

Body = Callable[[], None]


def loop_range(cx: Context, i: ast.LoopIndex) -> tuple[Size, Size] | None:
    """The half-open range of a loop: two static sizes. A size ``n`` stands for ``0..n``."""
    e = i.range
    if isinstance(e, ast.Range):
        lower = size_of(cx, e.lower, "the start of a range")
        upper = size_of(cx, e.upper, "the end of a range")
        if lower is None or upper is None:
            return None
        if not cx.require_sizes(lower, upper, "a range does not end before it starts", e.span, "<="):
            cx.error("E206", f"the range {lower}..{upper} ends before it starts", e.span, "never runs")
            return None
        return lower, upper
    from ppl.compiler.check.expressions import check

    value = check(cx, e)
    if value.unknown:
        return None
    if isinstance(value.type, ty.Array):
        text = cx.text(e.span)
        cx.error(
            "E206",
            "a loop runs over a range, not over an array",
            e.span,
            f"this is {describe(value.type)}",
            helps=(suggestion(f"run over its indices and read `{text}[{i.name}]`", e.span, f"length({text})"),),
        )
        return None
    size = cx.static_size(value)
    if size is None:
        from ppl.compiler.check.typeexprs import not_static

        not_static(cx, value, e, "the range of a loop")
        return None
    return Size(), size


def plate(cx: Context, stmt: ast.Plate, body: Body) -> None:
    """``plate i in N, k in K`` is a plate in a plate."""
    _plates(cx, stmt, stmt.indices, body)


def _plates(cx: Context, stmt: ast.Plate, indices: tuple[ast.LoopIndex, ...], body: Body) -> None:
    if not indices:
        body()
        return
    loop(cx, "plate", stmt, indices[0], lambda: _plates(cx, stmt, indices[1:], body), _inner(stmt, indices))


def _inner(stmt: ast.Plate, indices: tuple[ast.LoopIndex, ...]) -> ast.Block:
    """The body as the forecast of the first index sees it."""
    if len(indices) == 1:
        return stmt.body
    return ast.Block((ast.Plate(indices[1:], stmt.body, span=stmt.span),), span=stmt.body.span)


def for_loop(cx: Context, stmt: ast.For, body: Body) -> None:
    loop(cx, "for", stmt, stmt.index, body, stmt.body)


def loop(cx: Context, kind: str, stmt: ast.Plate | ast.For, i: ast.LoopIndex, body: Body, block: ast.Block) -> None:
    bounds = loop_range(cx, i)
    if bounds is None:
        _check_body_anyway(cx, i, body)
        return
    lower, upper = bounds
    last = upper - 1
    support = Integers(lower.value, last.value if last.value is not None else last)
    index = cx.var(i.name, INT, support, Level.DATA, i.name_span)
    frame = Frame(
        kind, stmt.span, index, i.name, lower, upper, outer=cx.blocks[-1], forecast=forecast(cx, block, i.name)
    )
    carried = _start_carries(cx, block) if kind == "for" else []
    with cx.frame(frame), cx.block() as statements:
        frame.block = statements
        for local, var, _ in carried:
            cx.depth[var.id] = len(cx.frames)
            local.value = replace(local.value, atom=var, level=var.level, support=var.support, const=None, affine=None)
        cx.bind(
            i.name, Value(index, INT, support, Level.DATA, i.name_span, affine=Size.var(index.id)), i.name_span, "index"
        )
        body()
        windows = _windows(cx, frame)
        nexts = [_next(cx, local, var, stmt.span) for local, var, _ in carried]
    stacked = _stack(cx, frame)
    carries = tuple(
        ir.Carry(var, init, following, _final(cx, local, var))
        for (local, var, init), following in zip(carried, nexts, strict=True)
    )
    axis = upper.terms[0][0][0] if lower == Size() and upper in [Size.var(v) for v in upper.variables] else i.name
    if kind == "plate":
        cx.emit(
            ir.Plate(
                index,
                lower,
                upper,
                ir.Block(tuple(statements)),
                stacked,
                tuple(frame.mapped.values()),
                axis,
                span=stmt.span,
            )
        )
    else:
        inside = ir.Block((*frame.prefix, *statements))
        cx.emit(ir.For(index, lower, upper, inside, carries, stacked, windows, axis, span=stmt.span))
    for text, where in frame.observed.items():
        cx.frames[-1].observed.setdefault(text, where)


def _check_body_anyway(cx: Context, i: ast.LoopIndex, body: Body) -> None:
    """The range has an error: the body is checked with an index that agrees with everything."""
    index = cx.var(i.name, INT, ANYTHING, Level.DATA, i.name_span)
    frame = Frame("plate", i.span, index, i.name, Size(), Size.var("?"), outer=cx.blocks[-1])
    with cx.frame(frame), cx.block() as statements:
        frame.block = statements
        value = Value(index, INT, ANYTHING, Level.DATA, i.name_span, affine=Size.var(index.id))
        cx.bind(i.name, value, i.name_span, "index")
        body()
    for name in frame.sites:
        site = cx.site(name)
        if site is not None:
            site.broken = True


# --- state variables ------------------------------------------------------------------------------------------------


def _start_carries(cx: Context, block: ast.Block) -> list[tuple[Local, ir.Var, ir.Atom]]:
    """The outer state variables that the body assigns to, each as a variable of the body."""
    out = []
    names = assigned(block)
    for scope in cx.scopes:
        for name, local in scope.items():
            if name in names and local.mutable and not local.value.unknown and cx.peek(name) is local:
                v = local.value
                level = max(v.level, Level.CONTINUOUS)
                support = (
                    local.declared
                    if local.declared is not None
                    else REALS
                    if ty.element(v.type) == ty.REAL
                    else ANYTHING
                )
                out.append((local, cx.var(name, v.type, support, level, local.span), v.atom))
    return out


def _next(cx: Context, local: Local, var: ir.Var, span: Span) -> ir.Atom:
    value = conform(cx, local.value, var.type, "the state variable", "E210") if not local.value.unknown else local.value
    return value.atom


def _final(cx: Context, local: Local, var: ir.Var) -> ir.Var:
    final = cx.var(var.id, var.type, var.support, var.level, local.span)
    local.value = Value(final, var.type, var.support, var.level, local.span)
    return final


# --- windows and stacked values --------------------------------------------------------------------------------------


def _windows(cx: Context, frame: Frame) -> tuple[ir.Window, ...]:
    out = []
    for name, lagged in frame.lagged.items():
        site = cx.site(name)
        if site is None or site.broken:
            continue
        here = Size.var(frame.id) + lagged.offset
        points = tuple(here if a == lagged.axis else p for a, p in enumerate(lagged.points))
        value = slab(cx, site, visible(cx, name, [frame]), points, lagged.span)
        if isinstance(value, Miss):
            if name not in frame.partial:
                cx.error(
                    "E305",
                    f"`{name}` is read at an earlier iteration, but not drawn in each",
                    lagged.span,
                    "read here",
                    ((site.span, "drawn here"),),
                )
            continue
        if not _window_type(cx, site, frame, lagged, value):
            continue
        greatest = max(lagged.lags, default=0)
        out.append(ir.Window(name, value, tuple(lagged.init.get(j) for j in range(1, greatest + 1))))
    return tuple(out)


def _window_type(cx: Context, site: Site, frame: Frame, lagged, value: ir.Var) -> bool:
    from ppl.compiler.check.unify import fits

    if fits(cx, lagged.type, value.type, lagged.span, f"the elements of {site.name}")[0]:
        return True
    cx.error(
        "E317",
        f"`{site.name}` is read as {describe(lagged.type)}, but the loop draws {describe(value.type)}",
        lagged.span,
        "read here",
        ((site.span, f"`{site.name}` is first drawn here"), (frame.forecast[site.name].span, "drawn in the loop here")),
        helps=(Help("declare the type where it is first drawn"),),
    )
    return False


def _stack(cx: Context, frame: Frame) -> tuple[ir.Stacked, ...]:
    """What the iterations drew, as arrays with a leading axis, become pieces of the frame outside."""
    out = []
    parent = cx.frames[-1]
    for name, pieces in frame.sites.items():
        site = cx.site(name)
        for piece in pieces:
            axis = _axis_of(piece, frame)
            if site is None or axis is None or site.broken:
                continue
            v = piece.value
            hint = f"{site.name}_s"
            stacked = cx.var(hint, array(v.type, frame.upper - frame.lower), v.support, v.level, v.span)
            out.append(ir.Stacked(stacked, v))
            add_piece(
                cx, site, SitePiece(_project(piece, axis, frame), (axis, *piece.axes), stacked, piece.span), parent
            )
    for name, where in frame.partial.items():
        parent.partial.setdefault(name, where)
        for piece in frame.conditional.get(name, ()):
            axis = _axis_of(piece, frame)
            if axis is not None:
                parent.conditional.setdefault(name, []).append(replace(piece, box=_project(piece, axis, frame)))
    return tuple(out)


def _axis_of(piece: SitePiece, frame: Frame) -> int | None:
    return next((a for a, (lo, _) in enumerate(piece.box) if frame.id in lo.variables), None)


def _project(piece: SitePiece, axis: int, frame: Frame):
    """The box over all iterations."""
    first, last = {frame.id: frame.lower}, {frame.id: frame.upper - 1}
    return tuple(
        (lo.substitute(first), hi.substitute(last)) if a == axis else (lo, hi) for a, (lo, hi) in enumerate(piece.box)
    )
