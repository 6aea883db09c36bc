"""Reading random variables (and arrays built by ``let x[i] = …``): elements, slices of axes, the whole array.

What an affine index reads is found among the pieces drawn so far. Inside the loop that draws the site, an element of
an earlier iteration is a ``Lag``.
"""

from __future__ import annotations

from dataclasses import replace

from ppl.compiler.check import indexing
from ppl.compiler.check.context import Context
from ppl.compiler.check.frames import Site
from ppl.compiler.check.indexing import Subscript
from ppl.compiler.check.lags import read_while_building
from ppl.compiler.check.slabs import Miss, assemble, indexed, slab, visible
from ppl.compiler.check.values import UNKNOWN, Value, unknown
from ppl.compiler.diagnostics.diagnostic import Help
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.types import REAL
from ppl.compiler.ir.types import element as ty_element


def named_site(cx: Context, name: str) -> Site | None:
    """The site of a name: drawn already, or about to be drawn by an open loop that reads its earlier iterations."""
    site = cx.site(name)
    if site is not None:
        return site
    for f in cx.frames:
        if name in f.forecast:
            ahead = f.forecast[name]
            discrete = ahead.element is not None and ty_element(ahead.element) != REAL
            return Site(name, "latent", ahead.element or UNKNOWN, ahead.support, discrete, len(ahead.axes), ahead.span)
    return None


def read(cx: Context, site: Site, subscripts: list[Subscript], span: Span) -> Value:
    """``x[i, j]``: with fewer subscripts than axes the rest are whole."""
    if site.broken:
        return unknown(span)
    partial = _partial(cx, site.name)
    if partial is not None:
        cx.error(
            "E308",
            f"`{site.name}` is defined on one path only",
            span,
            "read on every path",
            ((partial, "defined only here"),),
            helps=(Help("define it on the other path too, or read it inside the branch"),),
        )
        return unknown(span)
    own, rest = subscripts[: site.rank], subscripts[site.rank :]
    points = tuple(s.point for s in own) + (None,) * (site.rank - len(own))
    value: ir.Var | Miss = Miss.UNDECIDED
    if all(p is not None for p in points):
        value = slab(cx, site, visible(cx, site.name), points, span)
    if isinstance(value, Miss):
        building = [(k, f) for k, f in enumerate(cx.frames) if f.is_loop and site.name in f.forecast]
        if building:
            return read_while_building(cx, site, own, rest, building, span)
        return _read_whole(cx, site, subscripts, span)
    return indexed(cx, site, value, rest, span)


def _partial(cx: Context, name: str) -> Span | None:
    return next((f.partial[name] for f in cx.frames if name in f.partial), None)


def whole(cx: Context, site: Site, span: Span) -> ir.Var | Miss:
    """The array of all that is drawn of the site so far; emitted once, where its pieces are."""
    pieces = visible(cx, site.name)
    if not pieces:
        return Miss.NOWHERE
    if site.rank == 0:
        return pieces[-1].value
    key = tuple(p.value.id for p in pieces)
    if site.assembled is not None and site.assembled[0] == key and any(b is site.assembled[1] for b in cx.blocks):
        return site.assembled[2]
    k = max(i for i, f in enumerate(cx.frames) if site.name in f.sites)
    cx.blocks.append(cx.frames[k].block)
    try:
        var = assemble(cx, site, pieces, tuple(range(site.rank)), span)
    finally:
        cx.blocks.pop()
    if isinstance(var, ir.Var):
        cx.depth[var.id] = k + 1
        site.assembled = (key, cx.frames[k].block, var)
    return var


def _read_whole(cx: Context, site: Site, subscripts: list[Subscript], span: Span) -> Value:
    if site.rank and site.whole_read is None:
        site.whole_read = span
    var = whole(cx, site, span)
    if isinstance(var, Miss):
        cx.error(
            "E305",
            f"`{site.name}` is read before all its elements up to there are defined",
            span,
            "read here",
            tuple((p.span, "defined so far") for p in visible(cx, site.name))[:3],
        )
        site.broken = True
        return unknown(span)
    base = Value(
        var,
        var.type,
        var.support,
        var.level,
        span,
        origin=site.name if site.kind in ("latent", "data", "aux") else None,
        submodel=site.submodel,
        dist=site.dist if site.rank == 0 else None,
    )
    return replace(indexing.element(cx, base, subscripts, span), origin=base.origin) if subscripts else base
