"""``x ~ submodel(args)`` becomes the submodel's own statements, its random variables at the addresses ``x.name``.

Law: the density of the program is unchanged, but for paths that go deeper than a recursive model is inlined in itself
(``unroll``). A draw from a model that is only known when the program runs (a parameter, a branch's result) is left."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.rewrite import Names, freshen, relevel, substitute
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.walk import map_blocks, names, rebuild, statements, walk
from ppl.compiler.passes.base import Note, Pass, Report, replace_model
from ppl.compiler.passes.finite import operations
from ppl.compiler.passes.sites import site_values
from ppl.compiler.passes.unroll import chosen, deepest, ending


def _run(program: ir.Program, model: str) -> tuple[ir.Program, Report]:
    inliner = _Inliner(program)
    new = replace_model(program, inliner.model(program.model(model)))
    return replace(new, functions=tuple(_function(program, f) for f in new.functions)), tuple(inliner.notes)


def _function(program: ir.Program, f: ir.Function) -> ir.Function:
    """What is drawn inside of a function's ``infer`` is inlined there; none of it is a random variable of a model."""
    if f.body is None or not any(isinstance(n, ir.InferOp) for n in walk(f.body)):
        return f
    as_model = ir.Model(f.name, "model", f.sizes, f.params, f.result, f.body)
    return replace(f, body=_Inliner(program).model(as_model).body)


class _Inliner:
    def __init__(self, program: ir.Program):
        self.program = program
        self.models = {m.name: m for m in program.models}
        self.notes: list[Note] = []
        self.names = Names(())
        self.recursive = frozenset(m.name for m in program.models if m.recursive)
        self.cut: dict[str, int] = {}

    def model(self, m: ir.Model) -> ir.Model:
        self.names = Names((*names(m.body), *(p.var.id for p in m.params), *m.sizes))
        self.names_of_constants()
        self.sites = {s.name: s for s in m.sites}
        self.new_checks: list[ir.SizeCheck] = []
        self.outputs: list[tuple[str, ty.Type]] = []
        self.inlined: set[str] = set()
        self.fields: dict[str, tuple[ir.Model, dict[str, ir.Atom]]] = {}
        body = self.block(m.body, {}, {}, (m.name,))
        for name, depth in self.cut.items():
            text = f"`{name}` runs itself: paths that go deeper than {depth} applications have density zero here"
            self.notes.append(Note("cut", text, self.models[name].span))
        if not self.inlined:
            return m
        body = relevel(body, tuple(p.var for p in m.params))
        body = _resolve_fields(body, self.fields)
        drawn = dict.fromkeys(s.site for s in statements(body) if isinstance(s, (ir.Draw, ir.ParamStmt)))
        return replace(
            m,
            body=body,
            sites=tuple(self.sites[name] for name in drawn if name in self.sites),
            outputs=m.outputs + tuple(o for o in self.outputs if o[0] not in dict(m.outputs)),
            size_checks=tuple(dict.fromkeys((*m.size_checks, *self.new_checks))),
            calls=m.calls - self.inlined,
        )

    def names_of_constants(self) -> None:
        for var, _ in self.program.constants:
            self.names.fresh(var.id)

    def block(
        self, block: ir.Block, lets: dict[str, ir.Op], extents: dict[str, Size], stack: tuple[str, ...]
    ) -> ir.Block:
        """``lets``: operations of the variables in scope; ``extents``: the lengths of the loops around, by index."""
        lets = dict(lets)
        out: list[ir.Stmt] = []
        for stmt in block.statements:
            if isinstance(stmt, ir.Let):
                lets[stmt.var.id] = stmt.op
            call = _application(stmt.dist, lets) if isinstance(stmt, ir.Draw) else None
            callee = self.callee(call, stack)
            if isinstance(stmt, ir.If) and not self.recursive.isdisjoint(stack):
                taken = chosen(stmt, lets)
                if taken is not None:
                    inner = self.block(taken, lets, extents, stack)
                    results = zip(stmt.results, inner.results, strict=True)
                    out += (*inner.statements, *(ir.Let(v, ir.Prim("copy", (a,))) for v, a in results))
                    continue
            if callee is not None and call is not None and isinstance(stmt, ir.Draw):
                if stack.count(callee.name) >= self.depth(callee):
                    self.cut[callee.name] = self.depth(callee)
                    out += ending(stmt, self.names) or (stmt,)
                    continue
                spliced, result = self.splice(stmt, call, callee, extents)
                inner = self.block(ir.Block(spliced), lets, extents, (*stack, callee.name))
                out += inner.statements
                out.append(ir.Let(stmt.var, result, span=stmt.span))
                self.fields[stmt.var.id] = (callee, self.values_of(stmt.site, inner))
                continue
            inside = extents
            if isinstance(stmt, (ir.Plate, ir.For, ir.Scan)):
                inside = {**extents, stmt.index.id: stmt.upper}
            out.append(map_blocks(stmt, partial(self.block, lets=lets, extents=inside, stack=stack)))
        return ir.Block(tuple(out), block.results)

    def callee(self, call: ir.ApplyModel | None, stack: tuple[str, ...]) -> ir.Model | None:
        """The model that is applied, if it is known and no guide."""
        if call is None or not isinstance(call.model, ir.ModelRef):
            return None
        found = self.models.get(call.model.name)
        return found if found is not None and found.kind == "model" else None

    def depth(self, callee: ir.Model) -> int:
        """How often a model may run in itself."""
        return deepest(callee, self.recursive, operations(callee.body))

    def values_of(self, site: str, inner: ir.Block) -> dict[str, ir.Atom]:
        prefix = site + "."
        return {name.removeprefix(prefix): atom for name, atom in site_values(inner).items() if name.startswith(prefix)}

    def splice(self, draw: ir.Draw, call: ir.ApplyModel, callee: ir.Model, extents: dict[str, Size]):
        """The callee's statements for this draw, and the operation that gives the drawn value."""
        given = dict(call.args)
        sizes: dict[str, Size] = dict(call.sizes)
        atoms: dict[str, ir.Atom] = {}
        defaults: list[ir.Stmt] = []
        for p in callee.params:
            arg = given.get(p.name)
            if arg is None and p.default is not None:
                block = substitute(freshen(p.default, self.names, f"{draw.site}."), atoms, sizes)
                defaults += block.statements
                arg = block.results[0]
            if arg is None:
                raise ValueError(f"`{callee.name}` is applied without its parameter `{p.name}`")
            atoms[p.var.id] = arg
            if p.is_size:
                sizes[p.var.id] = _static(arg)
        named = {n: str(s) for n, s in sizes.items() if str(s) in s.variables}
        body = _readdress(substitute(freshen(callee.body, self.names, f"{draw.site}."), atoms, sizes), draw, named)
        lengths = [a.substitute(extents) for a in draw.affine]
        outer = self.sites.get(draw.site)
        if outer is not None and len(ty.shape(outer.type)) >= len(draw.indices):
            lengths = list(ty.shape(outer.type)[: len(draw.indices)])
        axes = outer.axes[: len(draw.indices)] if outer else ("",) * len(draw.indices)
        for s in callee.sites:
            type_ = ty.array(substitute(s.type, None, sizes), *lengths)
            new = replace(
                s,
                name=f"{draw.site}.{s.name}",
                type=type_,
                support=substitute(s.support, None, sizes),
                axes=axes + tuple(named.get(a, a) for a in s.axes),
            )
            self.sites[new.name] = new
        self.outputs += [
            (f"{draw.site}.{n}", ty.array(substitute(t, None, sizes), *lengths)) for n, t in callee.outputs
        ]
        self.new_checks += [substitute(c, None, sizes) for c in callee.size_checks]
        self.inlined.add(callee.name)
        ops = operations(callee.body)
        draws = (s for s in statements(callee.body) if isinstance(s, ir.Draw) and _application(s.dist, ops) is None)
        own = dict.fromkeys(s.site for s in draws)
        listed = ", ".join(f"`{draw.site}.{name}`" for name in own) or "in submodels of its own"
        self.notes.append(
            Note("inlined", f"`{draw.site} ~ {callee.name}(…)`: its random variables are {listed}", draw.span)
        )
        result: ir.Op = ir.Prim("copy", (body.results[0],)) if body.results else ir.MakeTuple(())
        return (*defaults, *body.statements), result


def _application(dist: ir.Atom, lets: dict[str, ir.Op]) -> ir.ApplyModel | None:
    """The application of a known model that ``dist`` is, if it is one."""
    while isinstance(dist, ir.Var):
        match lets.get(dist.id):
            case ir.ApplyModel(ir.ModelRef()) as op:
                return op
            case ir.Prim("copy", (inner,)):
                dist = inner
            case _:
                return None
    return None


def _static(atom: ir.Atom) -> Size:
    if isinstance(atom, ir.SizeAtom):
        return atom.size
    if isinstance(atom, ir.Lit) and isinstance(atom.value, int):
        return Size.const(atom.value)
    raise ValueError(f"a size parameter was given {atom!r}, which is not static")


def _readdress(body: ir.Block, draw: ir.Draw, sizes: dict[str, str]) -> ir.Block:
    """Puts ``x.`` in front of the names of the random variables and outputs, and x's indices in front of theirs. Axes
    that are called after a size of the submodel get the name of the caller's size."""

    def go(n):
        if isinstance(n, (ir.Plate, ir.For, ir.Scan)) and n.axis in sizes:
            n = replace(n, axis=sizes[n.axis])
        match n:
            case ir.Draw():
                return replace(
                    n, site=f"{draw.site}.{n.site}", indices=draw.indices + n.indices, affine=draw.affine + n.affine
                )
            case ir.Output() | ir.ParamStmt() | ir.Let(op=ir.Lag() | ir.Assemble()):
                field = {ir.Output: "name", ir.ParamStmt: "site"}.get(type(n))
                if field:
                    return replace(n, **{field: f"{draw.site}.{getattr(n, field)}"})
                return replace(n, op=replace(n.op, site=f"{draw.site}.{n.op.site}"))
            case ir.InferOp() | ir.ExpectOp() | ir.Atom():
                return n
            case ir.Window():
                return replace(n, site=f"{draw.site}.{n.site}")
            case ir.Carry() if n.lag is not None:
                return replace(n, lag=(f"{draw.site}.{n.lag[0]}", n.lag[1]))
        return rebuild(n, go)

    return go(body)


def _resolve_fields(body: ir.Block, fields: dict[str, tuple[ir.Model, dict[str, ir.Atom]]]) -> ir.Block:
    """``x.theta`` of an inlined ``x`` is the callee's variable, unless the value that the callee returns has that
    field."""

    def go(n):
        if isinstance(n, ir.Let) and isinstance(n.op, ir.GetField) and isinstance(n.op.base, ir.Var):
            callee, values = fields.get(n.op.base.id, (None, {}))
            returned = isinstance(n.op.base.type, ty.Record) and n.op.name in dict(n.op.base.type.fields)
            if callee is not None and not returned and n.op.name in values:
                return replace(n, op=ir.Prim("copy", (values[n.op.name],)))
        return n if isinstance(n, (ir.Atom, ty.Type, Size)) else rebuild(n, go)

    return go(body)


INLINE = Pass("inline", _run, "submodels are inlined, their random variables get dotted addresses", keeps_effects=False)
