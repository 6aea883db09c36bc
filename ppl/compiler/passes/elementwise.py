"""A discrete variable drawn as a whole array of independent copies becomes a plate of scalar draws.

``z: index<K>[N] ~ Categorical(w)`` is ``plate i in N { z[i] ~ Categorical(w) }``. Law: the density is unchanged; the
trace too, for its arrays are the same. Done only where elements are to be summed out one by one."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.distributions import DISTRIBUTIONS
from ppl.compiler.ir.rewrite import Names
from ppl.compiler.ir.sizes import ZERO, Size
from ppl.compiler.ir.supports import ANYTHING, Structured
from ppl.compiler.ir.walk import map_blocks
from ppl.compiler.passes.finite import operations, resolve


def element_by_element(model: ir.Model, sites: Container[str]) -> ir.Model:
    """The model with the one-dimensional draws of ``sites`` as plates."""
    ops = operations(model.body)
    names = Names.of(model.body)
    axes = {s.name: s.axes for s in model.sites}

    def block(b: ir.Block) -> ir.Block:
        out: list[ir.Stmt] = []
        for stmt in b.statements:
            stmt = map_blocks(stmt, block)
            plate = None
            if isinstance(stmt, ir.Draw) and stmt.site in sites and len(ty.shape(stmt.var.type)) == 1:
                names_of_axes = axes.get(stmt.site, ())
                axis = names_of_axes[len(stmt.indices)] if len(names_of_axes) > len(stmt.indices) else ""
                plate = _plate(stmt, resolve(stmt.dist, ops), axis, names)
            out.append(plate or stmt)
        return ir.Block(tuple(out), b.results)

    return replace(model, body=block(model.body))


def _plate(draw: ir.Draw, op: ir.Op | None, axis: str, names: Names) -> ir.Plate | None:
    signature = DISTRIBUTIONS.get(op.name) if isinstance(op, ir.MakeDist) else None
    if not isinstance(op, ir.MakeDist) or signature is None or signature.event or draw.missing:
        return None
    (length,) = ty.shape(draw.var.type)
    index = ir.Var(names.fresh(f"{draw.var.id}_i"), ty.INT)
    mapped: list[ir.MappedRead] = []
    args: list[tuple[str, ir.Atom]] = []
    for name, atom in op.args:
        param = signature.param(name)
        if param is None or param.kind not in ("real", "int", "size"):
            return None
        own = ty.shape(getattr(atom, "type", ty.REAL))
        batch = own[: len(own) - param.axes]
        if batch:
            if op.batch or batch != (length,) or not isinstance(atom, ir.Var):
                return None
            atom = _slice(atom, index, mapped, names)
        args.append((name, atom))
    element = ty.element(draw.var.type)
    level = getattr(draw.dist, "level", ir.Level.DATA)
    dist = ir.Var(names.fresh(f"{draw.var.id}_dist"), ty.Dist(element), level=level)
    one = replace(draw.var, id=names.fresh(f"{draw.var.id}_one"), type=element)
    inner = replace(
        draw,
        var=one,
        dist=dist,
        indices=(*draw.indices, index),
        affine=(*draw.affine, Size.var(index.id)),
    )
    body = ir.Block((ir.Let(dist, ir.MakeDist(op.name, tuple(args), (), op.sizes)), inner))
    stacked = (ir.Stacked(draw.var, one),)
    return ir.Plate(index, ZERO, length, body, stacked, tuple(mapped), axis, span=draw.span)


def _slice(array: ir.Var, index: ir.Var, mapped: list[ir.MappedRead], names: Names) -> ir.Var:
    type_ = ty.array(ty.element(array.type), *ty.shape(array.type)[1:])
    structured = isinstance(array.support, Structured) and len(ty.shape(type_)) == 0
    support = ANYTHING if structured else array.support
    var = replace(array, id=names.fresh(f"{array.id}_{index.id}"), type=type_, support=support)
    mapped.append(ir.MappedRead(var, array, ZERO))
    return var
