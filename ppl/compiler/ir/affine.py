"""Which integer values are affine in loop indices and sizes: ``t - 1``, ``2*i + N``, as polynomials (``Size``)."""

from __future__ import annotations

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.walk import walk


class Affine:
    """Polynomials of the variables defined so far. Loop indices stand in them under their own ids."""

    def __init__(self) -> None:
        self._known: dict[str, Size] = {}
        self._loops: set[str] = set()

    @staticmethod
    def of(node) -> Affine:
        """Knows every affine value that ``node`` defines, at any depth (ids are unique)."""
        out = Affine()
        for n in walk(node):
            if isinstance(n, (ir.Plate, ir.For, ir.Scan, ir.ForwardSum, ir.Map)):
                out._known[n.index.id] = Size.var(n.index.id)
                out._loops.add(n.index.id)
            elif isinstance(n, ir.Let):
                out._learn(n)
        return out

    def _learn(self, stmt: ir.Let) -> None:
        if not isinstance(stmt.op, ir.Prim):
            return
        args = [p for p in map(self.polynomial, stmt.op.args) if p is not None]
        if len(args) < len(stmt.op.args):
            return
        match stmt.op.name, args:
            case ("copy" | "int", [a]):
                self._known[stmt.var.id] = a
            case ("neg", [a]):
                self._known[stmt.var.id] = -a
            case ("+", [a, b]):
                self._known[stmt.var.id] = a + b
            case ("-", [a, b]):
                self._known[stmt.var.id] = a - b
            case ("*", [a, b]):
                self._known[stmt.var.id] = a * b

    def polynomial(self, atom) -> Size | None:
        """The atom as a polynomial, or None if it is not known to be one."""
        match atom:
            case ir.SizeAtom(size):
                return size
            case ir.Lit(bool()):
                return None
            case ir.Lit(int() as value):
                return Size.const(value)
            case ir.Var(id=name):
                return self._known.get(name)
        return None

    def offset(self, atom, index: str) -> Size | None:
        """``c`` if the atom is ``index + c`` with ``c`` free of loop indices, else None."""
        poly = self.polynomial(atom)
        if poly is None:
            return None
        rest = poly - Size.var(index)
        return None if index in rest.variables or not rest.variables.isdisjoint(self._loops) else rest
