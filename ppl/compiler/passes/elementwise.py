"""Draws of whole arrays, element by element: what is to be summed out one by one must be drawn, and read, one by one.

``z: index<K>[N] ~ Categorical(w)`` becomes ``plate i in N { z[i] ~ Categorical(w) }``, and so does a draw or an
observation of an array whose distribution is computed from such a z elementwise: ``y ~ Normal(mu[z], s)`` becomes
``plate i in N { y[i] ~ Normal(mu[z[i]], s) }``. Law: the density is unchanged; the trace too, for its arrays are the
same. Done only where elements are to be summed out."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.builtins import BUILTINS
from ppl.compiler.ir.distributions import DISTRIBUTIONS, DistSignature
from ppl.compiler.ir.rewrite import Names
from ppl.compiler.ir.sizes import ZERO, Size
from ppl.compiler.ir.supports import ANYTHING, Structured
from ppl.compiler.ir.walk import map_blocks, statements
from ppl.compiler.passes.finite import operations, resolve
from ppl.compiler.passes.live import prune
from ppl.compiler.passes.taint import Taint


def element_by_element(model: ir.Model, sites: Container[str]) -> ir.Model:
    """The model with the one-dimensional draws of ``sites``, and what is computed from them elementwise, as plates."""
    seeds = [s.var.id for s in statements(model.body) if isinstance(s, ir.Draw) and s.site in sites]
    if not seeds:
        return model
    ops, names = operations(model.body), Names.of(model.body)
    tainted = Taint(seeds, model.body).tainted
    axes = {s.name: s.axes for s in model.sites}
    changed = False

    def block(b: ir.Block) -> ir.Block:
        nonlocal changed
        out: list[ir.Stmt] = []
        for stmt in b.statements:
            stmt = map_blocks(stmt, block)
            if isinstance(stmt, (ir.Draw, ir.Observe)):
                wanted = isinstance(stmt, ir.Draw) and stmt.site in sites
                plate = _Elements(ops, tainted, names).plate(stmt, wanted, axes)
                changed = changed or plate is not None
                stmt = plate or stmt
            out.append(stmt)
        return ir.Block(tuple(out), b.results)

    body = block(model.body)
    return replace(model, body=prune(body)) if changed else model


class _Elements:
    """One plate in the making: its mapped reads and the statements that compute an element."""

    def __init__(self, ops: dict[str, ir.Op], tainted: set[str], names: Names):
        self.ops, self.tainted, self.names = ops, tainted, names
        self.mapped: list[ir.MappedRead] = []
        self.body: list[ir.Stmt] = []
        self.known: dict[str, ir.Atom] = {}

    def plate(self, stmt: ir.Draw | ir.Observe, wanted: bool, axes: dict[str, tuple[str, ...]]) -> ir.Plate | None:
        """The plate of the statement's elements; None if it has no such form, or no need of it: it is not ``wanted``
        and none of its arguments is an array computed from a wanted one."""
        value = stmt.var if isinstance(stmt, ir.Draw) else stmt.value
        op = resolve(stmt.dist, self.ops)
        shape = ty.shape(getattr(value, "type", ty.REAL))
        signature = DISTRIBUTIONS.get(op.name) if isinstance(op, ir.MakeDist) else None
        if len(shape) != 1 or not isinstance(op, ir.MakeDist) or signature is None or signature.event:
            return None
        wanted = wanted or any(isinstance(a, ir.Var) and a.id in self.tainted and ty.shape(a.type) for _, a in op.args)
        if not wanted or (isinstance(stmt, ir.Draw) and stmt.missing):
            return None
        index = ir.Var(self.names.fresh("i"), ty.INT)
        args = self.arguments(op, signature, shape, index)
        if args is None:
            return None
        element = ty.element(getattr(value, "type", ty.REAL))
        level = getattr(stmt.dist, "level", ir.Level.DATA)
        dist = ir.Var(self.names.fresh("dist"), ty.Dist(element), level=level)
        self.body.append(ir.Let(dist, ir.MakeDist(op.name, args, (), op.sizes)))
        if isinstance(stmt, ir.Observe):
            self.body.append(replace(stmt, value=self.element(stmt.value, index), dist=dist))
            return self.finished(index, shape[0], (), "", stmt)
        one = replace(stmt.var, id=self.names.fresh(f"{stmt.var.id}_i"), type=element)
        indices, affine = (*stmt.indices, index), (*stmt.affine, Size.var(index.id))
        self.body.append(replace(stmt, var=one, dist=dist, indices=indices, affine=affine))
        names = axes.get(stmt.site, ())
        axis = names[len(stmt.indices)] if len(names) > len(stmt.indices) else ""
        return self.finished(index, shape[0], (ir.Stacked(stmt.var, one),), axis, stmt)

    def arguments(
        self, op: ir.MakeDist, signature: DistSignature, shape: tuple[Size, ...], index: ir.Var
    ) -> tuple[tuple[str, ir.Atom], ...] | None:
        """The arguments of one element's distribution."""
        args: list[tuple[str, ir.Atom]] = []
        for name, atom in op.args:
            param = signature.param(name)
            if param is None or param.kind not in ("real", "int", "size"):
                return None
            own = ty.shape(getattr(atom, "type", ty.REAL))
            batch = own[: len(own) - param.axes]
            if batch and (op.batch or batch != shape):
                return None
            args.append((name, self.element(atom, index) if batch else atom))
        return tuple(args)

    def finished(
        self, index: ir.Var, length: Size, stacked: tuple[ir.Stacked, ...], axis: str, stmt: ir.Stmt
    ) -> ir.Plate:
        body = ir.Block(tuple(self.body))
        return ir.Plate(index, ZERO, length, body, stacked, tuple(self.mapped), axis, span=stmt.span)

    def element(self, atom: ir.Atom, index: ir.Var) -> ir.Atom:
        """One element of an array: computed in the plate if it depends on what is summed out, else read."""
        if not isinstance(atom, ir.Var) or not ty.shape(atom.type):
            return atom
        if atom.id not in self.known:
            found = self.computed(atom, index) if atom.id in self.tainted else None
            self.known[atom.id] = found or self.read(atom, index)
        return self.known[atom.id]

    def computed(self, array: ir.Var, index: ir.Var) -> ir.Atom | None:
        """The element by the elementwise operation, or the gather, that makes the array."""
        match resolve(array, self.ops):
            case ir.Prim(name, args) if _elementwise(name) and len(ty.shape(array.type)) == 1:
                parts = tuple(self.element(a, index) for a in args)
                return self.let(array.id, ir.Prim(name, parts), array, array.level)
            case ir.IndexOp(base, (ir.Var() as subscript,), checked) if ty.shape(subscript.type):
                if isinstance(base, ir.Var) and base.id in self.tainted:
                    return None
                at = self.element(subscript, index)
                return self.let(array.id, ir.IndexOp(base, (at,), checked), array, array.level)
        return None

    def read(self, array: ir.Var, index: ir.Var) -> ir.Var:
        var = self.row(array, f"{array.id}_{index.id}")
        self.mapped.append(ir.MappedRead(var, array, ZERO))
        return var

    def let(self, wish: str, op: ir.Op, array: ir.Var, level: ir.Level) -> ir.Var:
        var = replace(self.row(array, f"{wish}_i"), level=level)
        self.body.append(ir.Let(var, op))
        return var

    def row(self, array: ir.Var, wish: str) -> ir.Var:
        """A variable for what one position of the array's first axis holds."""
        type_ = ty.array(ty.element(array.type), *ty.shape(array.type)[1:])
        support = ANYTHING if isinstance(array.support, Structured) else array.support
        return replace(array, id=self.names.fresh(wish), type=type_, support=support)


def _elementwise(name: str) -> bool:
    """Whether all arguments are elementwise in some reading of the builtin: ``(real*, real*) -> real*``."""
    builtin = BUILTINS.get(name)
    if builtin is None:
        return False
    params = builtin.scheme.split("|")[0].split("->")[0].strip(" ()").split(",")
    return name not in ("min", "max") and all(p.strip().endswith("*") for p in params)
