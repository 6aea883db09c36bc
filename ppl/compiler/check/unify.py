"""Agreement of types: matching a declared type that has generic names against an actual one, and promotion.

Sizes are unified as polynomials: an equation that is linear in one unknown is solved, others are compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ppl.compiler.check import support_rules as rules
from ppl.compiler.check.context import Context
from ppl.compiler.check.values import UNKNOWN, Value
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import Integers
from ppl.compiler.ir.types import BOOL, INT, REAL, SizeType, Type, array, element, shape

_RANK = {"bool": -1, "int": 1, "real": 2}


@dataclass(slots=True)
class Instance:
    """The unknowns of one use of a generic declaration: sizes and traces by name, None while unknown."""

    sizes: dict[str, Size | None] = field(default_factory=dict)
    traces: dict[str, Type | None] = field(default_factory=dict)
    equations: list[tuple[Size, Size, str]] = field(default_factory=list)

    def apply(self, t: Type) -> Type:
        """The type with what has been found put in."""
        return substitute(t, {n: s for n, s in self.sizes.items() if s is not None}, self.traces)

    def equate(self, pattern: Size, actual: Size, what: str) -> None:
        if not self._solve(pattern, actual):
            self.equations.append((pattern, actual, what))

    def _solve(self, pattern: Size, actual: Size) -> bool:
        known = pattern.substitute({n: s for n, s in self.sizes.items() if s is not None})
        free = [n for n in pattern.variables if n in self.sizes and self.sizes[n] is None]
        if len(free) != 1:
            return False
        name = free[0]
        coefficient = dict(known.terms).get((name,), 0)
        if abs(coefficient) != 1 or sum(name in m for m, _ in known.terms) != 1:
            return False
        rest = known - Size.var(name) * Size.const(coefficient)
        self.sizes[name] = actual - rest if coefficient == 1 else rest - actual
        return True

    def finish(self, cx: Context, span: Span) -> list[tuple[Size, Size, str]]:
        """Solve what was left, then compare; the equations that are surely wrong are returned."""
        pending, self.equations = self.equations, []
        for _ in range(len(pending)):
            pending = [e for e in pending if not self._solve(e[0], e[1])]
        found = {n: s for n, s in self.sizes.items() if s is not None}
        return [
            (p.substitute(found), a, what)
            for p, a, what in pending
            if not cx.require_sizes(p.substitute(found), a, what, span)
        ]


def substitute(t: Type, sizes: dict[str, Size], traces: dict[str, Type | None] | None = None) -> Type:
    match t:
        case ty.Array(e, dims):
            return array(substitute(e, sizes, traces), *[d.substitute(sizes) for d in dims])
        case ty.IndexType(size):
            return ty.IndexType(size.substitute(sizes))
        case ty.Tuple(elements):
            return ty.Tuple(tuple(substitute(e, sizes, traces) for e in elements))
        case ty.Record(fields):
            return ty.Record(tuple((n, substitute(f, sizes, traces)) for n, f in fields))
        case ty.Function(params, result):
            return ty.Function(tuple(substitute(p, sizes, traces) for p in params), substitute(result, sizes, traces))
        case ty.Dist(value):
            return ty.Dist(substitute(value, sizes, traces), t.event)
        case ty.Trace(name) if traces and (found := traces.get(name)) is not None:
            return found
        case ty.Target(trace):
            return ty.Target(substitute(trace, sizes, traces))
        case ty.Guide(trace):
            return ty.Guide(substitute(trace, sizes, traces))
    return t


def substitute_support(s, sizes: dict[str, Size]):
    if isinstance(s, Integers):
        lower, upper = (b.substitute(sizes) if isinstance(b, Size) else b for b in (s.lower, s.upper))
        upper = upper.value if isinstance(upper, Size) and upper.value is not None else upper
        return Integers(lower, upper, s.dynamic)
    return s


def is_numeric(t: Type) -> bool:
    return t in (REAL, INT, UNKNOWN) or isinstance(t, (SizeType, ty.IndexType))


def plain(t: Type) -> Type:
    """The type of the values in arithmetic: indices and sizes are ints."""
    if isinstance(t, (SizeType, ty.IndexType)):
        return INT
    if isinstance(t, ty.Array):
        return ty.Array(plain(t.element), t.shape)
    return t


def match(cx: Context, pattern: Type, actual: Type, instance: Instance, what: str = "", exact: bool = False) -> bool:
    """Whether a value of type ``actual`` may stand where ``pattern`` is asked for; fills in the unknowns. Sizes are
    only
    noted as equations. ``exact``: without promotion of numbers (inside functions, tuples and arrays of those)."""
    if pattern == UNKNOWN or actual == UNKNOWN:
        return True
    match pattern, actual:
        case ty.Trace(name), _ if name in instance.traces:
            if instance.traces[name] is None:
                instance.traces[name] = actual
                return True
            return instance.traces[name] == actual
        case ty.Array(e, dims), ty.Array(f, actual_dims):
            if len(dims) != len(actual_dims):
                return False
            for d, a in zip(dims, actual_dims, strict=True):
                instance.equate(d, a, what)
            return match(cx, e, f, instance, what, exact)
        case ty.IndexType(size), ty.IndexType(other):
            instance.equate(size, other, what)
            return True
        case ty.Tuple(es), ty.Tuple(fs):
            return len(es) == len(fs) and all(
                match(cx, e, f, instance, what, exact) for e, f in zip(es, fs, strict=True)
            )
        case ty.Record(es), ty.Record(fs):
            given = dict(fs)
            return len(es) == len(fs) and all(
                n in given and match(cx, e, given[n], instance, what, exact) for n, e in es
            )
        case ty.Function(ps, r), ty.Function(qs, s):
            return (
                len(ps) == len(qs)
                and all(match(cx, p, q, instance, what, True) for p, q in zip(ps, qs, strict=True))
                and match(cx, r, s, instance, what, True)
            )
        case ty.Dist(value), ty.Dist(other):
            return match(cx, value, other, instance, what, exact)
        case ty.Target(trace), ty.Target(other):
            return match(cx, trace, other, instance, what, exact)
        case ty.Guide(trace), ty.Guide(other):
            return match(cx, trace, other, instance, what, exact)
    if pattern == actual:
        return True
    if isinstance(pattern, SizeType):
        return isinstance(actual, SizeType) or (actual == INT and not exact)
    if exact:
        return plain(pattern) == plain(actual)
    if pattern == REAL:
        return is_numeric(actual)
    if pattern == INT:
        return isinstance(actual, (SizeType, ty.IndexType))
    return (
        isinstance(pattern, ty.IndexType) and isinstance(actual, (SizeType, ty.Scalar)) and actual in (INT, SizeType())
    )


def fits(cx: Context, pattern: Type, actual: Type, span: Span, what: str) -> tuple[bool, tuple[Size, Size, str] | None]:
    """``match`` without unknowns: whether the types agree, and an equation of sizes that is surely wrong."""
    instance = Instance()
    ok = match(cx, pattern, actual, instance, what)
    broken = instance.finish(cx, span) if ok else []
    return ok and not broken, broken[0] if broken else None


def promote(cx: Context, value: Value, target: Type) -> ir.Atom:
    """The atom of the value as the type ``target``, which it fits: int literals become real ones, ints get ``real``."""
    atom = value.atom
    have, want = element(value.type), element(target)
    if want != REAL or have in (REAL, UNKNOWN):
        return atom
    if isinstance(atom, ir.Lit) and not isinstance(atom.value, bool):
        return ir.Lit(float(atom.value), REAL, span=value.span)
    if not is_numeric(have):
        return atom
    return cx.let(
        ir.Prim("real", (atom,)),
        array(REAL, *shape(value.type)),
        rules.interval(value.support),
        value.level,
        value.span,
    )


def common_type(cx: Context, a: Type, b: Type, span: Span, what: str) -> Type | None:
    """The type that both promote to; None if there is none."""
    if a == UNKNOWN or b == UNKNOWN:
        return b if a == UNKNOWN else a
    if fits(cx, a, b, span, what)[0] and not isinstance(element(a), (SizeType, ty.IndexType)):
        return a
    if fits(cx, b, a, span, what)[0] and not isinstance(element(b), (SizeType, ty.IndexType)):
        return b
    pa, pb = plain(a), plain(b)
    if pa == pb:
        return a if a == b else pa
    if isinstance(a, ty.Array) and isinstance(b, ty.Array) and {element(pa), element(pb)} == {INT, REAL}:
        return array(REAL, *shape(a)) if fits(cx, pa, array(element(pa), *shape(b)), span, what)[0] else None
    return None


def describe(t: Type) -> str:
    """A type in words for a message."""
    if t == BOOL:
        return "a bool"
    if isinstance(t, ty.Dist):
        return "a distribution" if t.value == UNKNOWN else f"a distribution over {t.value}"
    if isinstance(t, ty.Function):
        return f"a function {t}"
    if t == INT:
        return "an int"
    if isinstance(t, ty.Array):
        return f"an array {t}"
    return f"a {t}" if str(t)[0] not in "aeiou" else f"an {t}"
