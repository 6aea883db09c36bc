"""``infer { … } by importance(n)`` in an expectation: n particles as a plate, and a draw from it as the draw of one of
them by its weight.

    let d = infer { S; factor w; return r } by importance(n);  v ~ d
    ⟶  plate k in n { S; w[k], r[k] };  i ~ Categorical(softmax(w)) via enum;  let v = r[i]

The particles are then draws of the expectation like any other, with gradient strategies of their own, and the choice
among them is summed out: no noise is added, and weights are differentiated unless ``stop_gradient`` holds them.
Law: the joint distribution of what the expectation draws is that of the self-normalised estimate; from the expectation
under the posterior it differs by a bias of order 1/n."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.rewrite import Names
from ppl.compiler.ir.sizes import ZERO, Size
from ppl.compiler.ir.supports import ANYTHING, REALS, Integers
from ppl.compiler.ir.walk import map_blocks, names, walk

_CONDITIONS = (ir.Factor, ir.Require, ir.Observe)


class WeightedDrawError(Exception):
    """What cannot be written so: where, and an edit that can."""

    def __init__(self, message: str, span: Span, edit: str):
        super().__init__(message)
        self.message, self.span, self.edit = message, span, edit


def draw_by_weight(objective: ir.Model) -> ir.Model:
    """For all expectations of the objective. WeightedDrawError where the particles cannot stand in a plate."""
    rewriter = _Rewriter(Names((*names(objective.body), *(p.var.id for p in objective.params))))
    body = rewriter.block(objective.body, {}, inside=False)
    return objective if body == objective.body else replace(objective, body=body)


class _Rewriter:
    def __init__(self, names: Names):
        self.names = names

    def block(self, block: ir.Block, known: Mapping[str, tuple[ir.Var, ir.Var]], inside: bool) -> ir.Block:
        """``known``: distribution → the probabilities and the values of its particles."""
        known = dict(known)
        out: list[ir.Stmt] = []
        for s in block.statements:
            if isinstance(s, ir.Let) and isinstance(s.op, ir.ExpectOp):
                s = replace(s, op=replace(s.op, body=self.block(s.op.body, known, True)))
            elif inside and isinstance(s, ir.Let) and _samples(s.op):
                assert isinstance(s.op, ir.InferOp)
                known[s.var.id] = self.particles(s, s.op, known, out)
                continue
            elif isinstance(s, ir.Draw) and getattr(s.dist, "id", "") in known:
                out += self.draw(s, *known[getattr(s.dist, "id", "")])
                continue
            else:
                s = map_blocks(s, lambda b: self.block(b, known, inside))
            for n in walk(s):
                if isinstance(n, ir.Var) and n.id in known:
                    raise WeightedDrawError(
                        "a distribution on particles is used in another way than to draw from it",
                        getattr(s, "span", n.span),
                        "draw from it: `v ~ …`, where the expectation needs a value",
                    )
            out.append(s)
        return ir.Block(tuple(out), block.results)

    def var(self, wish: str, type_: ty.Type, support=REALS, level: ir.Level = ir.Level.CONTINUOUS) -> ir.Var:
        return ir.Var(self.names.fresh(wish), type_, support, level)

    def particles(
        self, let: ir.Let, op: ir.InferOp, known: Mapping[str, tuple[ir.Var, ir.Var]], out: list[ir.Stmt]
    ) -> tuple[ir.Var, ir.Var]:
        count = _count(op, let)
        index = self.var("particle", ty.INT, Integers(), ir.Level.CONSTANT)
        body = self.block(op.body, known, True)
        inner: list[ir.Stmt] = []
        terms: list[ir.Var] = []
        for s in body.statements:
            if isinstance(s, _CONDITIONS):
                terms.append(self.term(s, inner))
            else:
                _require_plain(s)
                inner.append(_indexed(s, index))
        total: ir.Atom = terms[0] if terms else ir.Lit(0.0, ty.REAL)
        for term in terms[1:]:
            summed = self.var("log_weight", ty.REAL)
            inner.append(ir.Let(summed, ir.Prim("+", (total, term)), span=let.span))
            total = summed
        result = op.body.results[0]
        kind = getattr(result, "type", ty.REAL)
        weights = self.var("log_weights", ty.array(ty.REAL, count))
        values = self.var("particles", ty.array(ty.element(kind), count, *ty.shape(kind)), ANYTHING, let.var.level)
        stacked = ir.Stacked(weights, total), ir.Stacked(values, result)
        out.append(ir.Plate(index, ZERO, count, ir.Block(tuple(inner)), stacked, span=let.span))
        probabilities = self.var("weights", ty.array(ty.REAL, count))
        out.append(ir.Let(probabilities, ir.Prim("softmax", (weights,)), span=let.span))
        return probabilities, values

    def term(self, s: ir.Stmt, out: list[ir.Stmt]) -> ir.Var:
        """What a condition adds to the log weight."""
        var = self.var("log_weight", ty.REAL)
        match s:
            case ir.Factor(value=value):
                out.append(ir.Let(var, ir.Prim("copy", (value,)), span=s.span))
            case ir.Require(condition=condition):
                ends = ir.Lit(0.0, ty.REAL), ir.Lit(float("-inf"), ty.REAL)
                out.append(ir.Let(var, ir.Prim("where", (condition, *ends)), span=s.span))
            case ir.Observe(value=value, dist=dist):
                out.append(ir.Let(var, ir.LogProb(dist, value), span=s.span))
        return var

    def draw(self, s: ir.Draw, probabilities: ir.Var, values: ir.Var) -> list[ir.Stmt]:
        (count,) = ty.shape(probabilities.type)
        dist = ir.Var(self.names.fresh("by_weight"), ty.Dist(ty.IndexType(count)))
        number = self.var(f"{s.var.id}_particle", ty.IndexType(count), Integers(0, count - 1), ir.Level.DISCRETE)
        chosen = replace(s, var=number, dist=dist, strategy=s.strategy or ir.Strategy("enum"))
        return [
            ir.Let(dist, ir.MakeDist("Categorical", (("p", probabilities),)), span=s.span),
            chosen,
            ir.Let(s.var, ir.IndexOp(values, (number,), checked=True), span=s.span),
        ]


def _samples(op: ir.Op) -> bool:
    return isinstance(op, ir.InferOp) and op.method is not None and op.method.name == "importance"


def _count(op: ir.InferOp, let: ir.Let) -> Size:
    assert op.method is not None
    given = {**dict(zip(("n",), op.method.args, strict=False)), **dict(op.method.kwargs)}
    match given.get("n") if set(given) == {"n"} else None:
        case ir.Lit(int() as n) if n >= 1:
            return Size.const(n)
        case ir.SizeAtom(size):
            return size
    raise WeightedDrawError(
        "`importance` in an expectation takes the number of particles, known when the program is compiled",
        let.span,
        "write `by importance(10)`, or name a parameter of type `size`",
    )


def _require_plain(s: ir.Stmt) -> None:
    for n in walk(s):
        if isinstance(n, _CONDITIONS):
            raise WeightedDrawError(
                "a condition of particles stands in a branch or loop of the block",
                n.span,
                "add the log weight up in a `var` or an array, and write one `factor` at the end of the block",
            )


def _indexed(s: ir.Stmt, index: ir.Var) -> ir.Stmt:
    """Draws get the particle's number as their first index."""
    if isinstance(s, ir.Draw):
        return replace(s, indices=(index, *s.indices), affine=(Size.var(index.id), *s.affine))
    return map_blocks(s, lambda b: replace(b, statements=tuple(_indexed(t, index) for t in b.statements)))
