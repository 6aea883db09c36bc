"""What a draw from a model runs: the model with its arguments, what is given of its variables, and which are kept.

``m(args) given {y = e}``   each draw of ``y`` becomes an observation of the element of ``e`` in its place
``marginal(m(args), keep = v)``   the other variables are inferred with the program's own, and belong to no result:
                            integrated out by whatever infers the program
``marginal(…, by = importance(n)) given {v = e}``   with all that is kept given, the model is a number: its evidence,
                            estimated by n executions (their mean weight is unbiased), or exactly ``by = enumerate``"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ppl.compiler.diagnostics.diagnostic import Diagnostic, Help, Label
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.supports import REALS
from ppl.compiler.ir.walk import EFFECTS, definitions, free, map_blocks, rebuild, statements, walk
from ppl.compiler.passes.live import prune


@dataclass(frozen=True)
class Application:
    """``keep``: None for all."""

    call: ir.ApplyModel
    given: tuple[tuple[str, ir.Atom], ...] = ()
    keep: tuple[str, ...] | None = None
    method: ir.Method | None = None

    @property
    def estimated(self) -> bool:
        """Whether it stands for its evidence alone, which ``method`` computes."""
        if self.keep is None or self.method is None:
            return False
        return set(self.keep) <= {name for name, _ in self.given}


def application(dist: ir.Atom, lets: Mapping[str, ir.Op]) -> Application | None:
    """What ``dist`` applies, if it is the application of a known model."""
    while isinstance(dist, ir.Var):
        match lets.get(dist.id):
            case ir.ApplyModel(ir.ModelRef()) as op:
                return Application(op)
            case ir.Prim("copy", (inner,)):
                dist = inner
            case ir.GivenOp(target, fields, sizes):
                found = application(target, lets)
                if found is None:
                    return None
                call = replace(found.call, sizes=tuple({**dict(found.call.sizes), **dict(sizes)}.items()))
                return replace(found, call=call, given=(*found.given, *fields))
            case ir.Marginal(target, keep, method):
                found = application(target, lets)
                return None if found is None else replace(found, keep=keep, method=method)
            case _:
                return None
    return None


def conditioned(body: ir.Block, given: Mapping[str, ir.Atom]) -> ir.Block:
    """The draws of the sites in ``given`` observed at the values (whole arrays) there."""

    def block(b: ir.Block) -> ir.Block:
        out: list[ir.Stmt] = []
        for s in b.statements:
            if not (isinstance(s, ir.Draw) and s.site in given):
                out.append(map_blocks(s, block))
                continue
            whole = given[s.site]
            op = ir.IndexOp(whole, s.indices, checked=True) if s.indices else ir.Prim("copy", (whole,))
            out += [ir.Let(s.var, op, span=s.span), ir.Observe(s.var, s.dist, span=s.span)]
        return ir.Block(tuple(out), b.results)

    return block(body) if given else body


def integrated(site: str) -> str:
    """The name of a variable that belongs to no result (no name of the language has a space)."""
    return f"{site} integrated"


def evidence(body: ir.Block, method: ir.Method, seed: ir.Atom | None) -> ir.LogEvidence:
    """Of a body in which all that is kept is observed."""

    def without_outputs(b: ir.Block) -> ir.Block:
        return ir.Block(tuple(map_blocks(s, without_outputs) for s in b.statements if not isinstance(s, ir.Output)))

    return ir.LogEvidence(without_outputs(body), method, seed)


def value_of(body: ir.Block) -> ir.Block | None:
    """The statements that the returned value needs, where it needs no random variable; None where it does."""

    def pure(b: ir.Block) -> ir.Block:
        return ir.Block(tuple(map_blocks(s, pure) for s in b.statements if not isinstance(s, EFFECTS)), b.results)

    live = set(free(body.results))
    kept: list[ir.Stmt] = []
    for s in reversed(prune(pure(body)).statements):
        if any(v.id in live for v in definitions(s)):
            kept.append(s)
            live |= free(s)
    drawn = {s.var.id for s in statements(body) if isinstance(s, ir.Draw)}
    return ir.Block(tuple(reversed(kept)), body.results) if drawn.isdisjoint(live) else None


def factor(var: ir.Var, op: ir.LogEvidence, draw: ir.Draw) -> tuple[ir.Stmt, ...]:
    return (ir.Let(var, op, span=draw.span), ir.Factor(var, span=draw.span))


def number(name: str) -> ir.Var:
    return ir.Var(name, ty.REAL, REALS, ir.Level.CONTINUOUS)


def readdressed(body: ir.Block, draw: ir.Draw, sizes: dict[str, str], keep: frozenset[str] | None) -> ir.Block:
    """Puts ``x.`` in front of the names of the random variables and outputs, and x's indices in front of theirs; names
    those that are integrated out so. Axes that are called after a size of the submodel get the name of the caller's
    size."""

    def named(name: str) -> str:
        whole = f"{draw.site}.{name}"
        return whole if keep is None or name in keep else integrated(whole)

    def go(n):
        if isinstance(n, (ir.Plate, ir.For, ir.Scan)) and n.axis in sizes:
            n = replace(n, axis=sizes[n.axis])
        match n:
            case ir.Draw():
                return replace(n, site=named(n.site), indices=draw.indices + n.indices, affine=draw.affine + n.affine)
            case ir.Output():
                return replace(n, name=f"{draw.site}.{n.name}")
            case ir.ParamStmt():
                return replace(n, site=f"{draw.site}.{n.site}")
            case ir.Let(op=ir.Lag() | ir.Assemble()):
                return replace(n, op=replace(n.op, site=named(n.op.site)))
            case ir.InferOp() | ir.ExpectOp() | ir.Atom():
                return n
            case ir.Window():
                return replace(n, site=named(n.site))
            case ir.Carry() if n.lag is not None:
                return replace(n, lag=(named(n.lag[0]), n.lag[1]))
        return rebuild(n, go)

    return go(body)



def left_over(model: ir.Model) -> list[Diagnostic]:
    """Conditioned models that ``model``, inlined, still draws from: E603."""
    lets = {n.var.id: n.op for n in walk(model.body) if isinstance(n, ir.Let)}
    draws = [s for s in statements(model.body) if isinstance(s, ir.Draw)]
    found = [(s, use) for s in draws if (use := application(s.dist, lets)) is not None and use.estimated]
    return [
        Diagnostic(
            "E603",
            f"not executable yet: `{s.site}` returns a value of variables that are integrated out",
            Label(s.span, "drawn here"),
            helps=(
                Help("keep the variables that the value is made of: `keep = (…)`"),
                Help("or leave `by` out: the program then infers all variables of the model"),
            ),
        )
        for s, use in found
    ]
