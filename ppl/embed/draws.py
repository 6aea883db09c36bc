"""Draws of an embedded model: type, support and level of the value, and the distribution as IR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import supports as S
from ppl.compiler.ir import types as T
from ppl.compiler.ir.sizes import Size
from ppl.embed.atoms import scalar_of, type_of
from ppl.embed.distributions import Operand, Structure

if TYPE_CHECKING:
    from ppl.embed.stage import Scope


@dataclass(frozen=True)
class Facts:
    type: T.Type
    support: S.Support
    discrete: bool

    @property
    def level(self) -> ir.Level:
        return ir.Level.DISCRETE if self.discrete else ir.Level.CONTINUOUS


def draw_facts(structure: Structure, aval: Any, operands: list[ir.Atom]) -> Facts:
    """What a draw of ``structure`` is, as far as it is known when the model is compiled."""
    discrete = _discrete(structure)
    scalar = scalar_of(aval.dtype)
    support = _support(structure, operands)
    if (
        isinstance(support, S.Integers)
        and structure.signature.value.startswith("index")
        and isinstance(support.upper, int)
    ):
        scalar = T.IndexType(Size.const(support.upper + 1))
    return Facts(T.array(scalar, *T.shape(type_of(aval))), support, discrete)


def _discrete(structure: Structure) -> bool:
    known = structure.signature.discrete
    if known is not None:
        return known
    inner = dict(structure.args).get("D")
    if isinstance(inner, tuple):
        return any(_discrete(d) for d in inner)
    return _discrete(inner) if isinstance(inner, Structure) else False


def _support(structure: Structure, operands: list[ir.Atom]) -> S.Support:
    """The set that encloses all values; ``dynamic`` where it depends on arguments that are computed."""
    args, d = dict(structure.args), structure.signature

    def number(name: str) -> float | None:
        value = args.get(name)
        return float(value) if isinstance(value, bool | int | float) else None

    match d.support_rule:
        case "between":
            low, high = number("low"), number("high")
            dynamic = low is None or high is None
            if d.discrete:
                return S.Integers(None if low is None else int(low), None if high is None else int(high), dynamic)
            return S.Interval(-S.inf if low is None else low, S.inf if high is None else high, dynamic=dynamic)
        case "above":
            scale = number("scale")
            return S.Interval(0.0 if scale is None else scale, dynamic=scale is None)
        case "upto":
            n = number("n")
            return S.Integers(0, None if n is None else int(n), n is None)
        case "index":
            vectors = {p.name for p in d.params if p.axes == 1}
            vector = next(v for n, v in structure.args if n in vectors)
            shape = T.shape(getattr(operands[vector.position], "type", T.REAL)) if isinstance(vector, Operand) else ()
            k = shape[-1].value if shape else None
            return S.Integers(0, None if k is None else k - 1 + (d.value == "index+1"))
        case "values":
            return S.ANYTHING
        case "argument" | "truncated" | "zero":
            inner = args.get("D")
            found = [
                _support(i, operands)
                for i in (inner if isinstance(inner, tuple) else (inner,))
                if isinstance(i, Structure)
            ]
            return found[0] if found and all(f == found[0] for f in found) else S.ANYTHING
        case "image":
            return S.ANYTHING
    return d.support


def distribution(scope: Scope, structure: Structure, operands: list[ir.Atom], drawn: T.Type) -> ir.Var:
    """The statements that make the distribution, and its variable."""

    def go(s: Structure) -> ir.Var:
        args = tuple((n, argument(s, n, v)) for n, v in s.args)
        return scope.let(s.name.lower(), T.Dist(drawn), ir.MakeDist(s.name, args), _level(args))

    def argument(s: Structure, name: str, value: Any) -> ir.Atom:
        param = s.signature.param(name)
        match value:
            case Structure():
                return go(value)
            case tuple():
                parts = tuple(go(v) for v in value)
                t = T.array(parts[0].type, Size.const(len(parts)))
                return scope.let("parts", t, ir.MakeArray(parts), max(v.level for v in parts))
            case Operand():
                return operands[value.position]
            case bool():
                return ir.Lit(value, T.BOOL)
            case int() if param is not None and param.kind == "size":
                return ir.SizeAtom(Size.const(value))
            case int() if param is not None and param.kind == "int":
                return ir.Lit(value, T.INT)
            case int() | float():
                return ir.Lit(float(value), T.REAL)
            case _:
                return scope.stager.extern(value, [T.REAL], T.REAL)

    return go(structure)


def _level(args: tuple[tuple[str, ir.Atom], ...]) -> ir.Level:
    return max((getattr(a, "level", ir.Level.CONSTANT) for _, a in args), default=ir.Level.CONSTANT)
