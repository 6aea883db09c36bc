"""``x ~ submodel(args)`` becomes the submodel's own statements, its random variables at the addresses ``x.name``.

Law: the density of the program is unchanged, but for paths that go deeper than a recursive model is inlined in itself
(``unroll``). A draw from a model that is only known when the program runs (a parameter, a branch's result) is left."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.operations import operation
from ppl.compiler.ir.rewrite import Names, freshen, relevel, substitute
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.walk import map_blocks, names, rebuild, statements, walk
from ppl.compiler.passes.applications import (
    Application,
    application,
    conditioned,
    evidence,
    factor,
    integrated,
    number,
    readdressed,
    value_of,
)
from ppl.compiler.passes.base import Note, Pass, Report, replace_model
from ppl.compiler.passes.finite import operations
from ppl.compiler.passes.seeds import seed_draw, seed_site
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
            use = application(stmt.dist, lets) if isinstance(stmt, ir.Draw) else None
            callee = self.callee(use)
            if isinstance(stmt, ir.If) and not self.recursive.isdisjoint(stack):
                taken = chosen(stmt, lets)
                if taken is not None:
                    inner = self.block(taken, lets, extents, stack)
                    results = zip(stmt.results, inner.results, strict=True)
                    out += (*inner.statements, *(ir.Let(v, ir.Prim("copy", (a,))) for v, a in results))
                    continue
            if callee is not None and use is not None and isinstance(stmt, ir.Draw):
                if stack.count(callee.name) >= self.depth(callee):
                    self.cut[callee.name] = self.depth(callee)
                    out += ending(stmt, self.names, self.program.sums) or (stmt,)
                    continue
                made = self.splice(stmt, use, callee, extents)
                if made is None:
                    out.append(stmt)  # ``left_over`` says so before such a program is run
                    continue
                spliced, result = made
                inner = self.block(ir.Block(spliced), lets, extents, (*stack, callee.name))
                out += inner.statements
                out.append(ir.Let(stmt.var, result, span=stmt.span))
                self.fields[stmt.var.id] = (callee, {**self.values_of(stmt.site, inner), **dict(use.given)})
                continue
            inside = extents
            if isinstance(stmt, (ir.Plate, ir.For, ir.Scan)):
                inside = {**extents, stmt.index.id: stmt.upper}
            out.append(map_blocks(stmt, partial(self.block, lets=lets, extents=inside, stack=stack)))
        return ir.Block(tuple(out), block.results)

    def callee(self, use: Application | None) -> ir.Model | None:
        """The model that is applied, if it is known and no guide."""
        if use is None or not isinstance(use.call.model, ir.ModelRef):
            return None
        found = self.models.get(use.call.model.name)
        return found if found is not None and found.kind == "model" else None

    def depth(self, callee: ir.Model) -> int:
        """How often a model may run in itself."""
        return deepest(callee, self.recursive, operations(callee.body))

    def values_of(self, site: str, inner: ir.Block) -> dict[str, ir.Atom]:
        prefix = site + "."
        return {name.removeprefix(prefix): atom for name, atom in site_values(inner).items() if name.startswith(prefix)}

    def splice(
        self, draw: ir.Draw, use: Application, callee: ir.Model, extents: dict[str, Size]
    ) -> tuple[tuple[ir.Stmt, ...], ir.Op] | None:
        """The callee's statements for this draw, and the operation that gives the drawn value; None where that value
        is of variables that are integrated out."""
        defaults, atoms, sizes = self.arguments(draw, use.call, callee)
        named = {n: str(s) for n, s in sizes.items() if str(s) in s.variables}
        body = substitute(freshen(callee.body, self.names, f"{draw.site}."), atoms, sizes)
        body = conditioned(body, dict(use.given))
        lengths = [a.substitute(extents) for a in draw.affine]
        outer = self.sites.get(draw.site)
        if outer is not None and len(ty.shape(outer.type)) >= len(draw.indices):
            lengths = list(ty.shape(outer.type)[: len(draw.indices)])
        axes = outer.axes[: len(draw.indices)] if outer else ("",) * len(draw.indices)
        self.new_checks += [substitute(c, None, sizes) for c in callee.size_checks]
        self.inlined.add(callee.name)
        if use.estimated:
            made = self.evidence(draw, use, body, tuple(lengths), axes)
            if made is None:
                return None
            return (*defaults, *made[0]), made[1]
        keep = None if use.keep is None else frozenset(use.keep)
        body = readdressed(body, draw, named, keep)
        for s in callee.sites:
            site = f"{draw.site}.{s.name}"
            self.sites[site if keep is None or s.name in keep else integrated(site)] = replace(
                s,
                name=site if keep is None or s.name in keep else integrated(site),
                type=ty.array(substitute(s.type, None, sizes), *lengths),
                support=substitute(s.support, None, sizes),
                axes=axes + tuple(named.get(a, a) for a in s.axes),
            )
        self.outputs += [
            (f"{draw.site}.{n}", ty.array(substitute(t, None, sizes), *lengths)) for n, t in callee.outputs
        ]
        self.notes.append(_inlined(draw, use, callee))
        result: ir.Op = ir.Prim("copy", (body.results[0],)) if body.results else ir.MakeTuple(())
        return (*defaults, *body.statements), result

    def arguments(
        self, draw: ir.Draw, call: ir.ApplyModel, callee: ir.Model
    ) -> tuple[list[ir.Stmt], dict[str, ir.Atom], dict[str, Size]]:
        """The statements that compute defaults, and what stands for the callee's parameters and sizes."""
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
        return defaults, atoms, sizes

    def evidence(
        self, draw: ir.Draw, use: Application, body: ir.Block, lengths: tuple[Size, ...], axes: tuple[str, ...]
    ) -> tuple[tuple[ir.Stmt, ...], ir.Op] | None:
        """The factor that the model stands for, all that is kept of it given, and its returned value."""
        assert use.method is not None
        value = value_of(body)
        if value is None:
            return None
        value = freshen(value, self.names, f"{draw.site}.")
        drawn: tuple[ir.Stmt, ...] = ()
        seed: ir.Var | None = None
        if use.method.name != "enumerate":
            site = f"{draw.site} seed"
            drawn, seed = seed_draw(self.names, site, draw.indices, draw.affine)
            self.sites[site] = seed_site(site, lengths, axes)
        var = number(self.names.fresh(f"{draw.site} evidence"))
        by = operation(use.method)
        text = f"`{draw.site}`: the evidence of what is given, by {by}"
        text += "" if seed is None else ": unbiased, so that nothing else is biased by it"
        self.notes.append(Note("particles" if seed is not None else "nested", text, draw.span))
        result: ir.Op = ir.Prim("copy", (value.results[0],)) if value.results else ir.MakeTuple(())
        return (*drawn, *factor(var, evidence(body, use.method, seed), draw), *value.statements), result


def _inlined(draw: ir.Draw, use: Application, callee: ir.Model) -> Note:
    ops = operations(callee.body)
    draws = (s for s in statements(callee.body) if isinstance(s, ir.Draw) and application(s.dist, ops) is None)
    given = dict(use.given)
    own = [n for n in dict.fromkeys(s.site for s in draws) if n not in given and " " not in n]
    kept = [n for n in own if use.keep is None or n in use.keep]
    listed = ", ".join(f"`{draw.site}.{name}`" for name in kept) or "in submodels of its own"
    text = f"`{draw.site} ~ {callee.name}(…)`: its random variables are {listed}"
    if given:
        text += f"; given: {', '.join(f'`{n}`' for n in given)}"
    if len(kept) < len(own):
        text += f"; integrated out with the program's own: {', '.join(f'`{n}`' for n in own if n not in kept)}"
    return Note("inlined", text, draw.span)


def _static(atom: ir.Atom) -> Size:
    if isinstance(atom, ir.SizeAtom):
        return atom.size
    if isinstance(atom, ir.Lit) and isinstance(atom.value, int):
        return Size.const(atom.value)
    raise ValueError(f"a size parameter was given {atom!r}, which is not static")


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
