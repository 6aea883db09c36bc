"""What a statement defines: a name, or one element of an array at affine indices."""

from __future__ import annotations

from ppl.compiler.check.context import Context
from ppl.compiler.check.frames import Box, Frame, point
from ppl.compiler.check.indexing import subscripts_of
from ppl.compiler.check.pieces import readable
from ppl.compiler.diagnostics.diagnostic import Edit, Help
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir.sizes import Size
from ppl.compiler.syntax import ast


def target(cx: Context, e: ast.Expr) -> tuple[str, Box] | None:
    """The name and the box (one point an axis) that a statement defines; None after an error."""
    if isinstance(e, ast.Name):
        return (e.id, ()) if _every_loop_indexed(cx, e.id, (), e) else None
    if isinstance(e, ast.Index) and isinstance(e.base, ast.Name):
        subscripts = subscripts_of(cx, e.subscripts)
        if subscripts is None:
            return None
        points: list[Size] = []
        for s, written in zip(subscripts, e.subscripts, strict=True):
            if s.point is None or not _unit(cx, s.point):
                cx.error(
                    "E315",
                    f"`{cx.text(written.span)}` can't stand as the index of what is defined",
                    written.span,
                    "not a loop index plus a constant",
                    notes=("only then it is known that each element is defined exactly once",),
                    helps=(Help("`x[t]`, `x[t + 1]` and `x[0]` can"),),
                )
                return None
            points.append(s.point)
        if not _distinct(cx, points, e) or not _every_loop_indexed(cx, e.base.id, tuple(points), e):
            return None
        return e.base.id, tuple(point(p) for p in points)
    cx.error(
        "E204",
        "one variable is drawn at a time",
        e.span,
        "a tuple",
        helps=(Help("draw `x ~ D`, then `let (a, b) = x`"),),
    )
    return None


def _unit(cx: Context, p: Size) -> bool:
    """At most one loop index, with the factor 1."""
    indices = [v for v in p.variables if cx.is_loop_index(v)]
    if not indices:
        return True
    rest = p - Size.var(indices[0])
    return len(indices) == 1 and not any(cx.is_loop_index(v) for v in rest.variables)


def _distinct(cx: Context, points: list[Size], e: ast.Index) -> bool:
    used = [v for p in points for v in p.variables if cx.is_loop_index(v)]
    if len(used) == len(set(used)):
        return True
    cx.error(
        "E303",
        "only a diagonal is defined: one loop index stands on two axes",
        e.span,
        "the other elements are missing",
    )
    return False


def _every_loop_indexed(cx: Context, name: str, points: tuple[Size, ...], e: ast.Expr) -> bool:
    """Each open loop of this body must choose an element: otherwise its iterations define the same one again."""
    used = {v for p in points for v in p.variables}
    for f in cx.own_frames:
        if f.index is not None and f.id not in used:
            new = f"{name}[{', '.join([f.index_name, *(readable(cx, p) for p in points)])}]"
            cx.error(
                "E302",
                f"every iteration defines `{cx.text(e.span) or name}` again",
                e.span,
                f"no index `{f.index_name}`",
                ((_head(cx, f), f"the iterations of `{f.index_name}`"),),
                ("each random variable is defined exactly once",),
                (Help(f"write `{new}`", (Edit(e.span, new),)),),
            )
            return False
    return True


def _head(cx: Context, f: Frame) -> Span:
    """The first line of a loop."""
    text = cx.text(f.span)
    return Span(f.span.file, f.span.start, f.span.start + len(text.split("{")[0].rstrip())) if text else f.span
