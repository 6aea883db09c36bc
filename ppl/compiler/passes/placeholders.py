"""Some value of a type, for where a variable must have one that nothing reads."""

from __future__ import annotations

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.rewrite import Names
from ppl.compiler.ir.supports import ANYTHING, Interval, Structured, Support


class Placeholders:
    """``sums``: the sum types of the program."""

    def __init__(self, sums: tuple[ir.SumInfo, ...], names: Names):
        self.sums, self.names = {s.name: s for s in sums}, names

    @staticmethod
    def numeric(t: ty.Type) -> bool:
        """Numbers, bools and arrays of them."""
        kind = ty.element(t)
        return kind in (ty.REAL, ty.INT, ty.BOOL) or isinstance(kind, (ty.IndexType, ty.SizeType))

    def make(self, t: ty.Type, support: Support, out: list[ir.Let]) -> ir.Atom | None:
        """The statements that make the value are added to ``out``; None where the type has no values of a known
        form: functions, distributions, recursive types."""
        match t:
            case _ if self.numeric(t):
                return self._numbers(t, support, out)
            case ty.Tuple(elements=elements):
                parts = [self.make(e, ANYTHING, out) for e in elements]
                found = [p for p in parts if p is not None]
                return self._let(t, ir.MakeTuple(tuple(found)), out) if len(found) == len(parts) else None
            case ty.Record(fields=fields):
                named = [(name, self.make(e, ANYTHING, out)) for name, e in fields]
                known = [(name, a) for name, a in named if a is not None]
                return self._let(t, ir.MakeRecord(tuple(known)), out) if len(known) == len(named) else None
            case ty.Sum(name=name) if name in self.sums and not self.sums[name].recursive:
                for c in self.sums[name].constructors:
                    args = [self.make(a, ANYTHING, out) for a in c.args]
                    present = [a for a in args if a is not None]
                    if len(present) == len(args):
                        return self._let(t, ir.MakeSum(c.name, tuple(present)), out)
        return None

    def _numbers(self, t: ty.Type, support: Support, out: list[ir.Let]) -> ir.Atom:
        return self._let(t, filled(t, support), out, support) if ty.shape(t) else inside(t, support)

    def _let(self, t: ty.Type, op: ir.Op, out: list[ir.Let], support: Support = ANYTHING) -> ir.Var:
        var = ir.Var(self.names.fresh("none"), t, support)
        out.append(ir.Let(var, op))
        return var


def filled(t: ty.Type, support: Support) -> ir.Op:
    """An array of numbers in the support."""
    shape = ty.shape(t)
    if isinstance(support, Structured) and support.name != "simplex" and len(shape) == 2:
        return ir.Prim("eye", (ir.SizeAtom(shape[0]),))
    return ir.Prim("full", (*map(ir.SizeAtom, shape), inside(t, support)))


def inside(t: ty.Type, support: Support) -> ir.Lit:
    """A number in the support: 0 if it is, else one near it."""
    element = ty.element(t)
    if element == ty.BOOL:
        return ir.Lit(False, ty.BOOL)
    if isinstance(element, (ty.IndexType, ty.SizeType)) or element == ty.INT:
        return ir.Lit(0, ty.INT)
    if isinstance(support, Interval) and not support.lower < 0.0 < support.upper:
        bounds = [b for b in (support.lower, support.upper) if abs(b) != float("inf")]
        middle = sum(bounds) / 2 if len(bounds) == 2 else bounds[0] + (1.0 if support.lower in bounds else -1.0)
        return ir.Lit(middle, ty.REAL)
    return ir.Lit(0.0, ty.REAL)
