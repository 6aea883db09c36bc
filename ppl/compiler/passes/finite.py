"""Which draws have finitely many values, known before the program runs."""

from __future__ import annotations

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.sizes import ZERO, Size
from ppl.compiler.ir.walk import walk


def operations(block: ir.Block) -> dict[str, ir.Op]:
    """The operation of each Let, at any depth."""
    return {n.var.id: n.op for n in walk(block) if isinstance(n, ir.Let)}


def resolve(atom: ir.Atom, ops: dict[str, ir.Op]) -> ir.Op | None:
    """The operation that computes the atom, behind copies."""
    while isinstance(atom, ir.Var):
        op = ops.get(atom.id)
        if not (isinstance(op, ir.Prim) and op.name == "copy"):
            return op
        atom = op.args[0]
    return None


def finite_values(draw: ir.Draw, ops: dict[str, ir.Op]) -> ir.FiniteValues | str:
    """The values of a scalar draw, or why they are not finitely many that are known: the end of a sentence."""
    if ty.shape(draw.var.type):
        return "is drawn as a whole array, not element by element in a plate"
    op = resolve(draw.dist, ops)
    if not isinstance(op, ir.MakeDist):
        return "has a distribution that is only known when the program runs"
    args = dict(op.args)
    element = draw.var.type
    if op.name in ("Bernoulli", "BernoulliLogit"):
        return ir.FiniteValues(Size.const(2))
    if op.name in ("Categorical", "CategoricalLogit", "OrderedLogistic"):
        count = element.size if isinstance(element, ty.IndexType) else _categories(op.name, args)
        return ir.FiniteValues(count) if count is not None else "has a number of categories that is not known"
    if op.name == "DiscreteUniform":
        low, high = _static(args["low"], ops), _static(args["high"], ops)
        if low is None or high is None:
            return "has bounds that are not constant"
        return ir.FiniteValues(high - low + 1, low)
    if op.name in ("Binomial", "BinomialLogit", "BetaBinomial"):
        n = _static(args["n"], ops)
        return "has a number of trials that is not constant" if n is None else ir.FiniteValues(n + 1)
    if op.name == "Discrete":
        shape = ty.shape(getattr(args["values"], "type", ty.REAL))
        return (
            ir.FiniteValues(shape[0], ZERO, args["values"]) if len(shape) == 1 else "has values that are not one list"
        )
    return f"has the distribution {op.name}, whose values are not finitely many"


def _categories(name: str, args: dict[str, ir.Atom]) -> Size | None:
    vector = args.get({"Categorical": "p", "CategoricalLogit": "logits"}.get(name, "cutpoints"))
    shape = ty.shape(getattr(vector, "type", ty.REAL))
    if len(shape) != 1:
        return None
    return shape[0] + (1 if name == "OrderedLogistic" else 0)


def _static(atom: ir.Atom, ops: dict[str, ir.Op]) -> Size | None:
    match atom:
        case ir.SizeAtom(size):
            return size
        case ir.Lit(bool()):
            return None
        case ir.Lit(int() as value):
            return Size.const(value)
        case ir.Lit(float() as value) if value.is_integer():
            return Size.const(int(value))
    match resolve(atom, ops):
        case ir.Prim("int" | "real" | "copy", (inner,)):
            return _static(inner, ops)
        case ir.Prim("neg", (inner,)):
            inside = _static(inner, ops)
            return None if inside is None else -inside
    return None
