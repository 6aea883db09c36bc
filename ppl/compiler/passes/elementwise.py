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
from ppl.compiler.ir.distributions import DISTRIBUTIONS
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
        args: list[tuple[str, ir.Atom]] = []
        for name, atom in op.args:
            param = signature.param(name)
            if param is None or param.kind not in ("real", "int", "size"):
                return None
            own = ty.shape(getattr(atom, "type", ty.REAL))
            batch = own[: len(own) - param.axes]
            if batch:
                if op.batch or batch != shape:
                    return None
                atom = self.element(atom, index)
                if atom is None:
                    return None
            args.append((name, atom))
        element = ty.element(value.type)
        level = getattr(stmt.dist, "level", ir.Level.DATA)
        dist = self.let("dist", ir.MakeDist(op.name, tuple(args), (), op.sizes), ty.Dist(element), level)
        if isinstance(stmt, ir.Observe):
            atom = self.element(stmt.value, index)
            if atom is None:
                return None
            self.body.append(replace(stmt, value=atom, dist=dist))
            return self.finished(index, shape[0], (), "", stmt)
        one = replace(stmt.var, id=self.names.fresh(f"{stmt.var.id}_i"), type=element)
        place = {"indices": (*stmt.indices, index), "affine": (*stmt.affine, Size.var(index.id))}
        self.body.append(replace(stmt, var=one, dist=dist, **place))
        names = axes.get(stmt.site, ())
        axis = names[len(stmt.indices)] if len(names) > len(stmt.indices) else ""
        return self.finished(index, shape[0], (ir.Stacked(stmt.var, one),), axis, stmt)

    def finished(
        self, index: ir.Var, length: Size, stacked: tuple[ir.Stacked, ...], axis: str, stmt: ir.Stmt
    ) -> ir.Plate:
        body = ir.Block(tuple(self.body))
        return ir.Plate(index, ZERO, length, body, stacked, tuple(self.mapped), axis, span=stmt.span)

    def element(self, atom: ir.Atom, index: ir.Var) -> ir.Atom | None:
        """One element of an array: computed in the plate if it depends on what is summed out, else read."""
        if not isinstance(atom, ir.Var) or not ty.shape(atom.type):
            return atom
        if atom.id not in self.known:
            found = self.computed(atom, index) if atom.id in self.tainted else None
            if found is None:
                found = self.read(atom, index)
            self.known[atom.id] = found
        return self.known[atom.id]

    def computed(self, array: ir.Var, index: ir.Var) -> ir.Atom | None:
        """The element by the elementwise operation, or the gather, that makes the array."""
        op = resolve(array, self.ops)
        length = ty.shape(array.type)[0]
        match op:
            case ir.Prim(name, args) if _elementwise(name) and len(ty.shape(array.type)) == 1:
                parts = [self.element(a, index) for a in args]
                return None if None in parts else self.let(array.id, ir.Prim(name, tuple(parts)), array, array.level)
            case ir.IndexOp(base, (ir.Var() as subscript,), checked) if ty.shape(subscript.type) == (length,):
                if isinstance(base, ir.Var) and base.id in self.tainted:
                    return None
                at = self.element(subscript, index)
                return self.let(array.id, ir.IndexOp(base, (at,), checked), array, array.level)
        return None

    def read(self, array: ir.Var, index: ir.Var) -> ir.Var:
        structured = isinstance(array.support, Structured)
        var = replace(
            array,
            id=self.names.fresh(f"{array.id}_{index.id}"),
            type=_row(array.type),
            support=ANYTHING if structured else array.support,
        )
        self.mapped.append(ir.MappedRead(var, array, ZERO))
        return var

    def let(self, wish: str, op: ir.Op, like: ir.Var | ty.Type, level: ir.Level) -> ir.Var:
        name = self.names.fresh(f"{wish}_i")
        var = (
            replace(like, id=name, type=_row(like.type))
            if isinstance(like, ir.Var)
            else ir.Var(name, like, level=level)
        )
        self.body.append(ir.Let(var, op))
        return var


def _row(type_: ty.Type) -> ty.Type:
    return ty.array(ty.element(type_), *ty.shape(type_)[1:])


def _elementwise(name: str) -> bool:
    """Whether all arguments are elementwise in some reading of the builtin: ``(real*, real*) -> real*``."""
    builtin = BUILTINS.get(name)
    if builtin is None:
        return False
    params = builtin.scheme.split("|")[0].split("->")[0].strip(" ()").split(",")
    return name not in ("min", "max") and all(p.strip().endswith("*") for p in params)
