"""Indexing arrays: subscripts, proofs that they are in range, reads that a plate can map over."""

from __future__ import annotations

from ppl.compiler.check import support_rules as rules
from ppl.compiler.check.context import Context, suggestion
from ppl.compiler.check.typeexprs import size_of
from ppl.compiler.check.unify import describe, is_numeric, plain
from ppl.compiler.check.values import Value, joined_level, unknown
from ppl.compiler.diagnostics.diagnostic import Help
from ppl.compiler.diagnostics.record import record
from ppl.compiler.diagnostics.span import NOWHERE, Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import Integers, Structured, Support
from ppl.compiler.ir.types import INT, array
from ppl.compiler.syntax import ast


@record
class Subscript:
    """Exactly one of: a ``slice``; a ``point``, affine in loop indices and sizes (with the ``value`` it was written
    as); a ``value`` known at run time only."""

    point: Size | None = None
    slice: ir.SliceAtom | None = None
    value: Value | None = None
    span: Span = NOWHERE


def index(cx: Context, e: ast.Index) -> Value:
    from ppl.compiler.check.expressions import check
    from ppl.compiler.check.sites import named_site, read

    if isinstance(e.base, ast.Name) and cx.peek(e.base.id) is None:
        site = named_site(cx, e.base.id)
        if site is not None:
            subscripts = subscripts_of(cx, e.subscripts)
            return unknown(e.span) if subscripts is None else read(cx, site, subscripts, e.span)
    base = check(cx, e.base)
    subscripts = subscripts_of(cx, e.subscripts)
    if base.unknown or subscripts is None:
        return unknown(e.span)
    return element(cx, base, subscripts, e.span)


def subscripts_of(cx: Context, subscripts: tuple[ast.Expr | ast.Slice, ...]) -> list[Subscript] | None:
    out = [_subscript(cx, s) for s in subscripts]
    return None if any(s is None for s in out) else [s for s in out if s is not None]


def _subscript(cx: Context, s: ast.Expr | ast.Slice) -> Subscript | None:
    from ppl.compiler.check.expressions import check

    if isinstance(s, (ast.Slice, ast.Range)):
        bounds = [None if b is None else size_of(cx, b, "the bound of a slice") for b in (s.lower, s.upper)]
        if any(b is None and given is not None for b, given in zip(bounds, (s.lower, s.upper), strict=True)):
            return None
        return Subscript(slice=ir.SliceAtom(*bounds), span=s.span)
    value = check(cx, s)
    if value.unknown:
        return None
    if value.affine is not None:
        return Subscript(point=value.affine, value=value, span=s.span)
    if not is_numeric(ty.element(value.type)) or plain(ty.element(value.type)) != INT:
        helps = (Help("`where` and comprehensions select by condition"),) if ty.element(value.type) == ty.BOOL else ()
        cx.error(
            "E204",
            f"a subscript must be an int, not {describe(value.type)}",
            s.span,
            f"this is {describe(value.type)}",
            helps=helps,
        )
        return None
    return Subscript(value=value, span=s.span)


def element(cx: Context, base: Value, subscripts: list[Subscript], span: Span, proved: bool = False) -> Value:
    """``base[subscripts]``. ``proved``: the caller has shown every point to be in range."""
    if base.unknown:
        return unknown(span)
    if not isinstance(base.type, ty.Array):
        cx.error(
            "E204",
            f"{describe(base.type)} can't be indexed",
            span,
            "only arrays have elements",
            ((base.span, f"this is {describe(base.type)}"),),
        )
        return unknown(span)
    if len(subscripts) > len(base.type.shape):
        cx.error(
            "E204",
            f"{len(subscripts)} subscripts for an array with {len(base.type.shape)}",
            span,
            f"the array is {base.type}",
        )
        return unknown(span)
    checked = proved or all(
        [_in_range(cx, s, n, base, span) for s, n in zip(subscripts, base.type.shape, strict=False)]
    )
    mapped = _mapped(cx, base, subscripts, span)
    if mapped is not None:
        base, subscripts = mapped, subscripts[1:]
        while subscripts and subscripts[-1].slice == ir.SliceAtom(None, None):
            subscripts = subscripts[:-1]
        if not subscripts:
            return base
        return element(cx, base, subscripts, span, proved=checked)
    if all(s.slice == ir.SliceAtom(None, None) for s in subscripts):
        return base.at(span)
    return _emit(cx, base, subscripts, span, checked)


def _emit(cx: Context, base: Value, subscripts: list[Subscript], span: Span, checked: bool) -> Value:
    assert isinstance(base.type, ty.Array)
    shape: list[Size] = []
    atoms: list[ir.Atom | ir.SliceAtom] = []
    for s, n in zip(subscripts, base.type.shape, strict=False):
        if s.slice is not None:
            lower, upper = s.slice.lower or Size(), n if s.slice.upper is None else s.slice.upper
            shape.append(upper - lower)
            atoms.append(s.slice)
        elif s.value is not None:
            shape += ty.shape(s.value.type)
            atoms.append(s.value.atom)
        else:
            atoms.append(atom_of(cx, s.point if s.point is not None else Size(), span))
    shape += base.type.shape[len(subscripts) :]
    type_ = array(base.type.element, *shape)
    touched = [i for i, s in enumerate(subscripts) if s.slice != ir.SliceAtom(None, None)]
    support = _support(base.support, len(base.type.shape), touched)
    level = joined_level(base, *(s.value for s in subscripts if s.value is not None))
    hint = base.atom.id if isinstance(base.atom, ir.Var) else "array"
    var = cx.let(ir.IndexOp(base.atom, tuple(atoms), checked), type_, support, level, span, f"{hint}_at")
    dist = base.dist if isinstance(ty.element(type_), ty.Dist) else None
    return Value(var, type_, support, level, span, dist=dist)


def _support(s: Support, rank: int, touched: list[int]) -> Support:
    """A simplex cut through is only numbers in [0, 1]; an element of an array of simplexes is one."""
    if not isinstance(s, Structured):
        return s
    own = 2 if s.name in ("cov", "corr", "chol_cov", "chol_corr") else 1
    return rules.interval(s) if any(i >= rank - own for i in touched) else s


def atom_of(cx: Context, p: Size, span: Span) -> ir.Atom:
    """An affine polynomial as an atom; arithmetic on loop indices is emitted."""
    if not any(v in cx.ranges for v in p.variables):
        return cx.size_value(p, span).atom
    index = next(v for v in p.variables if v in cx.ranges)
    var = next(f.index for f in cx.frames if f.index is not None and f.id == index)
    rest = p - Size.var(index)
    if rest == Size():
        return var
    other = atom_of(cx, rest, span)
    return cx.let(ir.Prim("+", (var, other)), INT, index_support(cx, p), ir.Level.DATA, span)


def index_support(cx: Context, p: Size) -> Support:
    upper = cx.bound(p, greatest=True)
    lower = cx.bound(p, greatest=False)
    return Integers(
        lower.value if lower.value is not None else 0 if lower.provably_nonnegative() else None,
        upper.value if upper.value is not None else upper,
    )


# --- in range? ---------------------------------------------------------------------------------------------------


def _in_range(cx: Context, s: Subscript, n: Size, base: Value, span: Span) -> bool:
    """True if proved; a surely bad subscript is an error; what the sizes decide becomes a check of the data."""
    if s.slice is not None:
        return _slice_in_range(cx, s, n, span)
    if s.point is not None:
        return _point_in_range(cx, s, n, base, span)
    assert s.value is not None
    kind = ty.element(s.value.type)
    where = s.span if s.span is not NOWHERE else span
    if isinstance(kind, ty.IndexType):
        if not cx.require_sizes(kind.size, n, f"an {kind} reaches into an axis of size {n}", where, "<="):
            cx.error(
                "E205",
                f"an {kind} can reach behind an axis of size {n}",
                where,
                f"this is an {kind}",
                ((base.span, f"this is {base.type}"),),
            )
        return not cx.guarded or (n - kind.size).provably_nonnegative()
    support = s.value.support
    if isinstance(support, Integers) and isinstance(support.upper, int) and support.upper < 0:
        cx.error("E205", "the subscript is negative", where, "always below 0", notes=("indices start at 0",))
    return isinstance(support, Integers) and support.lower is not None and _upper_fits(support, n)


def _upper_fits(support: Integers, n: Size) -> bool:
    if support.upper is None or not isinstance(support.lower, int) or support.lower < 0:
        return False
    upper = Size.const(support.upper) if isinstance(support.upper, int) else support.upper
    return (n - 1 - upper).provably_nonnegative()


def _point_in_range(cx: Context, s: Subscript, n: Size, base: Value, span: Span) -> bool:
    p = s.point if s.point is not None else Size()
    where = s.span if s.span is not NOWHERE else span
    least, greatest = cx.bound(p, greatest=False), cx.bound(p, greatest=True)
    if not least.provably_nonnegative():
        if (-least - 1).provably_nonnegative() and (not cx.guarded or least == p):
            _negative(cx, p, least, n, where)
        elif not cx.guarded and not any(v in cx.ranges for v in least.variables):
            cx.require_sizes(Size(), least, "a subscript is not negative", where, "<=")
            return True
        return False
    if (n - 1 - greatest).provably_nonnegative():
        return True
    if (greatest - n).provably_nonnegative() and (not cx.guarded or greatest == p):
        what = f"`{cx.text(where)}` reaches {greatest}, which" if greatest != p else f"the subscript {p}"
        helps: tuple[Help, ...] = ()
        if n.value is not None or greatest == p:
            helps = (suggestion(f"the last element is `{n - 1}`", where, str(n - 1)),) if greatest == p else ()
        cx.error(
            "E205",
            f"{what} is outside an axis of size {n}",
            where,
            f"indices are 0 to {n - 1}",
            ((base.span, f"this is {base.type}"),) if base.span != span else (),
            helps=helps,
        )
        return False
    if not cx.guarded:
        cx.require_sizes(greatest + 1, n, "a subscript stays inside its axis", where, "<=")
        return True
    return False


def _negative(cx: Context, p: Size, least: Size, n: Size, where: Span) -> None:
    helps: tuple[Help, ...] = ()
    if p.value is not None:
        helps = (suggestion("count from the end by hand", where, f"{n + p}"),)
    what = f"the subscript is {least} in the first iteration" if p.value is None else f"the subscript {p} is negative"
    cx.error("E205", what, where, "indices start at 0", helps=helps)


def _slice_in_range(cx: Context, s: Subscript, n: Size, span: Span) -> bool:
    assert s.slice is not None
    lower, upper = s.slice.lower or Size(), n if s.slice.upper is None else s.slice.upper
    fine = cx.require_sizes(lower, upper, "a slice does not end before it starts", s.span, "<=") and cx.require_sizes(
        upper, n, "a slice stays inside its axis", s.span, "<="
    )
    if not fine:
        cx.error(
            "E205",
            f"the slice {lower}..{upper} is outside an axis of size {n}",
            s.span,
            f"the axis has the indices 0 to {n - 1}",
        )
    return True


# --- mapped reads -------------------------------------------------------------------------------------------------


def _mapped(cx: Context, base: Value, subscripts: list[Subscript], span: Span) -> Value | None:
    """``a[i + c]`` with the index of an open plate that ``a`` is outside of: sliced once, outside the loop."""
    p = subscripts[0].point if subscripts else None
    if p is None or not isinstance(base.atom, ir.Var):
        return None
    found = next(((k, f) for k, f in enumerate(cx.frames) if f.kind in ("plate", "map") and f.id in p.variables), None)
    if found is None:
        return None
    k, frame = found
    offset = p - Size.var(frame.id)
    if any(v in cx.ranges for v in offset.variables) or cx.depth.get(base.atom.id, 0) > k:
        return None
    n, *rest = ty.shape(base.type)
    if not (frame.lower + offset).provably_nonnegative():
        return None
    if not (n - frame.upper - offset).provably_nonnegative() and (
        cx.guarded or any(v in cx.ranges for v in (n - frame.upper).variables)
    ):
        return None
    key = (base.atom.id, offset)
    if key not in frame.mapped:
        type_ = array(ty.element(base.type), *rest)
        support = _support(base.support, len(rest) + 1, [0])
        var = cx.var(f"{base.atom.id}_{frame.index_name}", type_, support, base.level, span)
        cx.depth[var.id] = k + 1
        frame.mapped[key] = ir.MappedRead(var, base.atom, offset)
    var = frame.mapped[key].var
    return Value(var, var.type, var.support, var.level, span, dist=base.dist)
