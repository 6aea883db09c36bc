"""Reading a body ahead: which names it draws, and for loops at which indices."""

from __future__ import annotations

from collections.abc import Iterator

from ppl.compiler.check.context import Context
from ppl.compiler.check.frames import Forecast
from ppl.compiler.check.refinements import polynomial
from ppl.compiler.check.typeexprs import Declared
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.distributions import DISTRIBUTIONS
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import ANYTHING, REALS, Support
from ppl.compiler.ir.types import BOOL, INT, REAL, Type, array
from ppl.compiler.syntax import ast

_Inner = tuple[str, Size | None, Size | None]  # a loop inside: its index and range


def targets(e: ast.Expr) -> Iterator[tuple[str, tuple[ast.Expr | ast.Slice, ...], Span]]:
    """The names that a target defines, with their subscripts."""
    match e:
        case ast.Name(id):
            yield id, (), e.span
        case ast.Index(ast.Name(id), subscripts):
            yield id, subscripts, e.span
        case ast.TupleLit(elements):
            for x in elements:
                yield from targets(x)


def drawn(block: ast.Block) -> Iterator[tuple[str, Span]]:
    """Every random variable, and every array built by ``let x[i] = …``, of a body."""
    for stmt in _all(block):
        if isinstance(stmt, ast.Draw):
            yield from ((name, span) for name, _, span in targets(stmt.target))
        elif isinstance(stmt, ast.Let):
            yield from ((name, span) for name, subs, span in targets(stmt.target) if subs)


def _all(block: ast.Block) -> Iterator[ast.Stmt]:
    for stmt in block.statements:
        yield stmt
        for inner in blocks(stmt):
            yield from _all(inner)


def blocks(stmt: ast.Stmt) -> tuple[ast.Block, ...]:
    match stmt:
        case ast.Plate() | ast.For():
            return (stmt.body,)
        case ast.If():
            return (stmt.then, stmt.otherwise) if stmt.otherwise is not None else (stmt.then,)
        case ast.Match():
            return tuple(a.body for a in stmt.arms)
    return ()


def assigned(block: ast.Block) -> set[str]:
    """The state variables that a body assigns to."""
    out: set[str] = set()
    for stmt in _all(block):
        if isinstance(stmt, ast.Assign):
            out |= {name for name, _, _ in targets(stmt.target)}
    return out


def forecast(cx: Context, body: ast.Block, index: str) -> dict[str, Forecast]:
    """What the body of a loop over ``index`` draws element by element, before it is checked."""
    out: dict[str, Forecast] = {}
    open_indices = [f.index_name for f in cx.frames if f.is_loop] + [index]
    _collect(cx, body, open_indices, [], out)
    return out


def _collect(
    cx: Context, block: ast.Block, open_indices: list[str], inner: list[_Inner], out: dict[str, Forecast]
) -> None:
    for stmt in block.statements:
        match stmt:
            case ast.Draw(target=target) | ast.Let(target=target):
                for name, subscripts, span in targets(target):
                    if subscripts:
                        _note(cx, stmt, name, subscripts, span, open_indices, inner, out)
            case ast.Plate(indices, body):
                _collect(cx, body, open_indices, inner + [_range(cx, i) for i in indices], out)
            case ast.For(index, body):
                _collect(cx, body, open_indices, [*inner, _range(cx, index)], out)
            case _:
                for b in blocks(stmt):
                    _collect(cx, b, open_indices, inner, out)


def _range(cx: Context, i: ast.LoopIndex) -> _Inner:
    if isinstance(i.range, ast.Range):
        return i.name, polynomial(cx, i.range.lower), polynomial(cx, i.range.upper)
    return i.name, Size(), polynomial(cx, i.range)


def _note(cx, stmt, name, subscripts, span, open_indices, inner, out) -> None:
    axes: list[tuple[str, Size] | None] = []
    extents: list[Size | None] = []
    for s in subscripts:
        axis, extent = _axis(cx, s, open_indices, inner) if isinstance(s, ast.Expr) else (None, None)
        axes.append(axis)
        extents.append(extent)
    earlier = out.get(name)
    type_, support = _type(cx, stmt)
    if earlier is None:
        out[name] = Forecast(type_, support, tuple(axes), tuple(extents), span)
        return
    if len(earlier.axes) == len(axes):
        merged = tuple(a or b for a, b in zip(earlier.axes, axes, strict=True))
        wider = tuple(_greater(a, b) for a, b in zip(earlier.extents, extents, strict=True))
        from ppl.compiler.check.support_rules import join

        out[name] = Forecast(earlier.element or type_, join(earlier.support, support), merged, wider, earlier.span)


def _greater(a: Size | None, b: Size | None) -> Size | None:
    if a is None or b is None:
        return a or b
    return a if (a - b).provably_nonnegative() else b


def _axis(
    cx: Context, e: ast.Expr, open_indices: list[str], inner: list[_Inner]
) -> tuple[tuple[str, Size] | None, Size | None]:
    """The loop in a subscript with the offset to its index, and how far an inner loop reaches."""
    ranges = {n: (lo, hi) for n, lo, hi in inner}
    for index in (*reversed([n for n, _, _ in inner]), *reversed(open_indices)):
        offset = _offset(cx, e, index)
        if offset is None:
            continue
        if index in ranges:
            upper = ranges[index][1]
            return (index, offset), None if upper is None else upper + offset
        return (index, offset), None
    fixed = polynomial(cx, e)
    return None, None if fixed is None else fixed + 1


def _offset(cx: Context, e: ast.Expr, index: str) -> Size | None:
    match e:
        case ast.Name(id) if id == index:
            return Size()
        case ast.Binary("+", left, right):
            for a, b in ((left, right), (right, left)):
                inner, other = _offset(cx, a, index), polynomial(cx, b)
                if inner is not None and other is not None:
                    return inner + other
        case ast.Binary("-", left, right):
            inner, other = _offset(cx, left, index), polynomial(cx, right)
            if inner is not None and other is not None:
                return inner - other
    return None


def _type(cx: Context, stmt: ast.Draw | ast.Let) -> tuple[Type | None, Support]:
    """The declared type, or what the distribution's name says."""
    from ppl.compiler.check.typeexprs import declared
    from ppl.compiler.check.values import UNKNOWN

    if stmt.type is not None:
        before = len(cx.sink.items)
        given: Declared = declared(cx, stmt.type)
        del cx.sink.items[before:]  # reported where the statement is checked
        return (None if given.type == UNKNOWN else given.type), given.support
    if isinstance(stmt, ast.Let):
        return REAL, ANYTHING
    d = stmt.dist
    if isinstance(d, ast.Call) and isinstance(d.function, ast.Name) and d.function.id in DISTRIBUTIONS:
        signature = DISTRIBUTIONS[d.function.id]
        scalar = {"real": REAL, "int": INT, "bool": BOOL}.get(signature.value)
        if signature.value == "as D" and d.args and isinstance(d.args[0].value, ast.Call):
            return _type(cx, ast.Draw("latent", stmt.target, None, d.args[0].value, None))[0], ANYTHING
        if signature.value.startswith("index"):
            return INT, signature.support
        if signature.event:
            return _event(cx, signature.event, d), REALS
        return scalar, signature.support
    return None, ANYTHING


def _event(cx: Context, event: tuple[str, ...], d: ast.Call) -> Type | None:
    """Multivariate draws whose first vector is a name with a known shape."""
    for a in d.args:
        if isinstance(a.value, ast.Name) and (local := cx.peek(a.value.id)) is not None:
            axes = ty.shape(local.value.type)
            if axes:
                return array(REAL, *axes[-1:] * len(event))
    return None
