"""A distribution of total mass one for values of any type and support: what stands in for a variable that is absent."""

from __future__ import annotations

from math import isfinite

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.rewrite import Names
from ppl.compiler.ir.sizes import ZERO, Size
from ppl.compiler.ir.supports import Integers, Interval, Structured

Args = tuple[tuple[str, ir.Atom], ...]


def noise(var: ir.Var, names: Names) -> tuple[ir.Let, ...] | None:
    """The statements that make the distribution of values like ``var``, which the last of them defines; None where
    there is no standard one. Bounds that depend on other values do not bind here: nothing reads the value."""
    kind, shape = ty.element(var.type), ty.shape(var.type)

    def let(wish: str, type_: ty.Type, op: ir.Op) -> ir.Let:
        return ir.Let(ir.Var(names.fresh(wish), type_), op)

    def dist(name: str, args: Args) -> tuple[ir.Let, ...]:
        return (let("noise", ty.Dist(var.type), ir.MakeDist(name, args, shape)),)

    match var.support:
        case _ if kind == ty.BOOL:
            return dist("Bernoulli", (("p", _real(0.5)),))
        case _ if isinstance(kind, ty.IndexType):
            return dist("DiscreteUniform", (("low", ir.SizeAtom(ZERO)), ("high", ir.SizeAtom(kind.size - 1))))
        case Integers(lower=low, upper=high) if low is not None and high is not None:
            return dist("DiscreteUniform", (("low", _int(low)), ("high", _int(high))))
        case Integers(lower=0 | None, upper=None) if kind == ty.INT:
            return dist("Geometric", (("p", _real(0.5)),))
        case Integers(lower=low) if low is not None:
            return dist("DiscreteUniform", (("low", _int(low)), ("high", _int(low + 1))))
        case Integers(upper=high) if high is not None:
            return dist("DiscreteUniform", (("low", _int(high - 1)), ("high", _int(high))))
        case Structured("simplex") if len(shape) == 1:
            ones = let("ones", var.type, ir.Prim("ones", (ir.SizeAtom(shape[0]),)))
            return (ones, let("noise", ty.Dist(var.type), ir.MakeDist("Dirichlet", (("concentration", ones.var),))))
        case Interval(lower=low, upper=high) if kind == ty.REAL:
            if isfinite(low) and isfinite(high):
                return dist("Uniform", (("low", _real(low)), ("high", _real(high))))
            if not isfinite(low) and not isfinite(high):
                return dist("Normal", (("loc", _real(0)), ("scale", _real(1))))
            if low == 0:
                return dist("Exponential", (("rate", _real(1)),))
    return None


def _real(value: float) -> ir.Lit:
    return ir.Lit(float(value), ty.REAL)


def _int(value: int | Size) -> ir.SizeAtom:
    return ir.SizeAtom(value if isinstance(value, Size) else Size.const(value))
