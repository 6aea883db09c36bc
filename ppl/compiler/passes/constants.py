"""The value of an operation on literals and sizes. Folding is in 64 bits, and gives up where a result is not finite or
has a sign that equality does not see (−0)."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.sizes import Size

_SIZES: dict[str, Callable[[Size, Size], Size]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}
_BINARY: dict[str, Callable] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "^": operator.pow,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
    "and": operator.and_, "or": operator.or_,
}  # fmt: skip
_UNARY: dict[str, Callable] = {
    "neg": operator.neg, "not": operator.not_, "real": float, "int": int, "abs": abs,
    "exp": math.exp, "log": math.log, "sqrt": math.sqrt, "log1p": math.log1p, "expm1": math.expm1,
}  # fmt: skip


def evaluate(op: ir.Prim, type_: ty.Type) -> ir.Atom | None:
    """The atom that the operation equals, if its arguments are constants and the result (of ``type_``) is a plain
    number."""
    if not isinstance(type_, (ty.Scalar, ty.IndexType, ty.SizeType)):
        return None
    size = _on_sizes(op)
    if size is not None and type_ != ty.REAL:
        return ir.SizeAtom(size) if size.value is None else ir.Lit(size.value, ty.INT)
    values = [a.value if isinstance(a, ir.Lit) else _constant(a) for a in op.args]
    if any(v is None or isinstance(v, str) for v in values) or not isinstance(type_, ty.Scalar):
        return None
    function = {1: _UNARY, 2: _BINARY}.get(len(values), {}).get(op.name)
    if function is None:
        return None
    try:
        result = function(*values)
    except (ArithmeticError, ValueError, TypeError):
        return None
    return _literal(result, type_)


def _constant(atom: ir.Atom) -> int | None:
    return atom.size.value if isinstance(atom, ir.SizeAtom) else None


def _on_sizes(op: ir.Prim) -> Size | None:
    """Arithmetic with at least one size: the result is a size."""
    if not any(isinstance(a, ir.SizeAtom) for a in op.args):
        return None
    found = (a.size if isinstance(a, ir.SizeAtom) else _integer(a) for a in op.args)
    sizes = [s for s in found if s is not None]
    if len(sizes) < len(op.args):
        return None
    if op.name in _SIZES and len(sizes) == 2:
        return _SIZES[op.name](sizes[0], sizes[1])
    if op.name in ("neg", "int", "copy") and len(sizes) == 1:
        return -sizes[0] if op.name == "neg" else sizes[0]
    return None


def _integer(atom: ir.Atom) -> Size | None:
    if isinstance(atom, ir.Lit) and isinstance(atom.value, int) and not isinstance(atom.value, bool):
        return Size.const(atom.value)
    return None


def _literal(value, type_: ty.Scalar) -> ir.Lit | None:
    if isinstance(value, complex):
        return None
    if type_ == ty.REAL:
        value = float(value)
        finite = math.isfinite(value) and not (value == 0.0 and math.copysign(1.0, value) < 0)
        return ir.Lit(value, ty.REAL) if finite else None
    if type_ == ty.BOOL:
        return ir.Lit(bool(value), ty.BOOL)
    small = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31
    return ir.Lit(value, ty.INT) if small else None
