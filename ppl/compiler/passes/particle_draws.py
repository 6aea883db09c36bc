"""A continuous draw from particles is the draw of a particle's number: ``z ~ d`` reads ``k ~ weights; z = values[k]``.

The values of the particles change with the seed. A trace that held z would give it probability zero under any other
seed; one that holds k moves along. Whatever is drawn from particles, an execution in which none of them has a positive
weight has density zero, as one in which exact inference finds no possible value.

Law: the joint distribution of what the program draws is unchanged, but for executions without a living particle."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from functools import partial

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.rewrite import Names
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import BOOLEANS, Integers
from ppl.compiler.ir.walk import map_blocks, names, walk
from ppl.compiler.passes.base import reachable


class _Kind(Enum):
    """What a block is: a model's, that of particles (nothing of it is in a trace), or one that is enumerated, where a
    distribution without a possible value has no outcomes anyway."""

    MODEL, SAMPLED, ENUMERATED = range(3)


def follow_particles(program: ir.Program, model: str) -> ir.Program:
    functions = _functions(program)
    wanted = reachable(program, model)
    models = [_Follower(functions, m).done() if m.name in wanted else m for m in program.models]
    bodies = [f if f.body is None else replace(f, body=_in_function(functions, f)) for f in program.functions]
    return replace(program, models=tuple(models), functions=tuple(bodies))


def _gives(op: ir.Op | None, known: dict[str, ir.Op], functions: dict[str, ir.InferOp]) -> ir.InferOp | None:
    """The inference whose particles the operation gives, if it surely does."""
    match op:
        case ir.InferOp(seed=ir.Atom()):
            return op
        case ir.Call(ir.FunctionRef(name)):
            return functions.get(name)
        case ir.Prim("copy", (ir.Var(id=name),)):
            return _gives(known.get(name), known, functions)
    return None


def _functions(program: ir.Program) -> dict[str, ir.InferOp]:
    """The functions whose value is a distribution on particles."""
    found: dict[str, ir.InferOp] = {}
    while True:
        before = len(found)
        for f in program.functions:
            if f.body is None or f.name in found or not isinstance(f.result, ty.Dist):
                continue
            lets: dict[str, ir.Op] = {n.var.id: n.op for n in walk(f.body) if isinstance(n, ir.Let)}
            op = _gives(lets.get(getattr(f.body.results[0], "id", "")), lets, found)
            if op is not None:
                found[f.name] = op
        if len(found) == before:
            return found


def _in_function(functions: dict[str, ir.InferOp], f: ir.Function) -> ir.Block:
    as_model = ir.Model(f.name, "model", f.sizes, f.params, f.result, f.body or ir.Block(()))
    return _Follower(functions, as_model).done().body


class _Follower:
    def __init__(self, functions: dict[str, ir.InferOp], model: ir.Model):
        self.functions, self.model = functions, model
        self.names = Names((*names(model.body), *(p.var.id for p in model.params)))
        self.types = {s.name: s for s in model.sites}
        self.sites: list[ir.SiteInfo] = []

    def done(self) -> ir.Model:
        body = self.block(self.model.body, {}, _Kind.MODEL)
        return replace(self.model, body=body, sites=self.model.sites + tuple(self.sites))

    def block(self, block: ir.Block, known: dict[str, ir.Op], kind: _Kind) -> ir.Block:
        known = dict(known)
        out: list[ir.Stmt] = []
        for s in block.statements:
            inner = kind
            if isinstance(s, ir.Let):
                known[s.var.id] = s.op
                if isinstance(s.op, ir.InferOp):
                    inner = _Kind.SAMPLED if s.op.seed is not None else _Kind.ENUMERATED
            s = map_blocks(s, partial(self.block, known=known, kind=inner))
            source = known.get(getattr(s.dist, "id", "")) if isinstance(s, ir.Draw) else None
            op = _gives(source, known, self.functions)
            if isinstance(s, ir.Draw) and op is not None and s.role is ir.Role.LATENT and kind is not _Kind.ENUMERATED:
                out += self.draw(s, op, kind)
            else:
                out.append(s)
        return ir.Block(tuple(out), block.results)

    def draw(self, s: ir.Draw, op: ir.InferOp, kind: _Kind) -> list[ir.Stmt]:
        out: list[ir.Stmt] = []

        def let(wish: str, type_: ty.Type, op: ir.Op, level: ir.Level) -> ir.Var:
            support = BOOLEANS if type_ == ty.BOOL else s.var.support
            out.append(ir.Let(ir.Var(self.names.fresh(wish), type_, support, level), op, span=s.span))
            return out[-1].var  # type: ignore[attr-defined]

        alive = let(f"{s.var.id} alive", ty.BOOL, ir.Particles(s.dist, "alive"), ir.Level.DISCRETE)
        out.append(ir.Require(alive, span=s.span))
        if kind is not _Kind.MODEL or ty.element(s.var.type) != ty.REAL:
            return [*out, s]
        count = _static(op.method.args[0]) if op.method is not None and op.method.args else None
        local = count if isinstance(self.of(s.dist), ir.InferOp) else None
        number = ty.INT if local is None else ty.IndexType(local)
        support = Integers(0, None if local is None else local - 1)
        by_weight = let(f"{s.var.id} weights", ty.Dist(number), ir.Particles(s.dist, "index"), ir.Level.DISCRETE)
        k = ir.Var(self.names.fresh(f"{s.var.id} particle"), number, support, ir.Level.DISCRETE)
        site = f"{s.site} particle"
        out.append(replace(s, var=k, site=site, dist=by_weight, role=ir.Role.AUX))
        value = let(f"{s.var.id} value", s.var.type, ir.Particles(s.dist, "value", k), s.var.level)
        fixed = let(f"{s.var.id} fixed", ty.Dist(s.var.type), ir.MakeDist("Delta", (("x", value),)), s.var.level)
        info = self.types[s.site]
        axes = ty.shape(info.type)[: len(s.indices)]
        if site not in {x.name for x in self.sites}:
            whole = ty.array(number, *axes)
            self.sites.append(ir.SiteInfo(site, whole, support, ir.Role.AUX, True, info.axes[: len(axes)], span=s.span))
        return [*out, replace(s, dist=fixed)]

    def of(self, atom: ir.Atom) -> ir.Op | None:
        name = getattr(atom, "id", "")
        return next((n.op for n in walk(self.model.body) if isinstance(n, ir.Let) and n.var.id == name), None)


def _static(atom: ir.Atom) -> Size | None:
    match atom:
        case ir.Lit(int() as n):
            return Size.const(n)
        case ir.SizeAtom(size):
            return size
    return None
