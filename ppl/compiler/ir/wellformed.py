"""What each statement must satisfy by itself: arities, types of results, roles of carries, effects only where
allowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.walk import EFFECTS

Windows = Mapping[str, Mapping[str, int]]  # by For loop (the id of its index), then site: how far back it may be read


def complaints(stmt: ir.Stmt, sites: set[str] | None, *, effects: bool, loops: Windows) -> Iterator[str]:
    """The problems of one statement, its blocks left out. ``sites`` are the random variables that the model declares
    (None: unknown), ``effects`` whether it may draw here, ``loops`` the For loops around it."""
    if isinstance(stmt, EFFECTS) and not effects:
        yield f"{type(stmt).__name__} in a block that must be pure"
    match stmt:
        case ir.Let(var, ir.Lag(site, distance, loop)):
            if loop not in loops:
                yield f'`{var.id}` reads a lag of "{site}" outside its loop `{loop}`'
            if distance < 1:
                yield f'`{var.id}` reads "{site}" at distance {distance}; the least is 1'
            if loop in loops and distance > loops[loop].get(site, 0):
                yield f'`{var.id}` reads "{site}" {distance} back: more than the window of the loop over `{loop}` holds'
        case ir.Let(var, ir.Assemble(site, pieces)):
            yield from _assemble(var, site, pieces)
        case ir.Let(var, ir.Map(body=body)):
            if len(body.results) != 1:
                yield f"the map that gives `{var.id}` has {len(body.results)} results"
        case ir.Draw():
            yield from _draw(stmt, sites)
        case ir.Observe(dist=dist):
            if not _is_dist(dist):
                yield f"an observation's distribution has type {_type(dist)}"
        case ir.If(_, then, otherwise, results):
            for name, arm in (("then", then), ("else", otherwise)):
                yield from _arity(f"the {name} branch", arm, results)
        case ir.Match(_, cases, results):
            if not cases:
                yield "a match without cases"
            for case in cases:
                yield from _arity(f"the case {case.constructor or '_'}", case.body, results)
        case ir.SumOut(var, _, body, results):
            yield from _arity("a sum's body", body, results)
            yield from _defines(body, var)
        case ir.Plate() | ir.For() | ir.Scan():
            yield from _loop(stmt, lags=isinstance(stmt, ir.Scan))
        case ir.ForwardSum():
            yield from _loop(stmt, lags=True)
            yield from _arity("the start of a forward sum", stmt.start, stmt.results)
            yield from _defines(stmt.start, stmt.first)
            yield from _defines(stmt.body, stmt.var)


def _type(atom: ir.Atom) -> ty.Type | None:
    return getattr(atom, "type", None)


def _is_dist(atom: ir.Atom) -> bool:
    return isinstance(_type(atom), (ty.Dist, ty.Target, ty.Guide, ty.Unknown))


def _draw(stmt: ir.Draw, sites: set[str] | None) -> Iterator[str]:
    if not _is_dist(stmt.dist):
        yield f'"{stmt.site}" is drawn from a value of type {_type(stmt.dist)}, not from a distribution'
    if len(stmt.indices) != len(stmt.affine):
        yield f'the draw of "{stmt.site}" has {len(stmt.indices)} indices and {len(stmt.affine)} affine forms'
    if sites is not None and stmt.site not in sites:
        yield f'"{stmt.site}" is drawn but is not a random variable of the model'


def _assemble(var: ir.Var, site: str, pieces: tuple[ir.Piece, ...]) -> Iterator[str]:
    if not pieces:
        yield f'"{site}" is assembled from no pieces'
    axes = {len(p.ranges) for p in pieces}
    if len(axes) > 1:
        yield f'the pieces of "{site}" have different numbers of axes: {sorted(axes)}'
    elif axes and max(axes) > len(ty.shape(var.type)):
        yield f'the pieces of "{site}" have {max(axes)} axes, `{var.id}` has {len(ty.shape(var.type))}'


def _arity(what: str, block: ir.Block, results: tuple[ir.Var, ...]) -> Iterator[str]:
    if len(block.results) != len(results):
        yield f"{what} has {len(block.results)} results where {len(results)} are received"


def _defines(body: ir.Block, var: ir.Var) -> Iterator[str]:
    if not any(isinstance(s, ir.Draw) and s.var == var for s in body.statements):
        yield f"`{var.id}` is summed out, but its draw is not in the body"


def _loop(stmt: ir.Plate | ir.For | ir.Scan | ir.ForwardSum, *, lags: bool) -> Iterator[str]:
    name = stmt.index.id
    windows: dict[str, list[int]] = {}
    for c in getattr(stmt, "carries", ()):
        if c.lag is not None:
            windows.setdefault(c.lag[0], []).append(c.lag[1])
        for what, atom in (("initial", c.init), ("next", c.next)):
            if isinstance(atom, ir.Var) and ty.shape(atom.type) != ty.shape(c.var.type):
                yield f"the {what} value of the carry `{c.var.id}` of type {c.var.type} has type {atom.type}"
        if c.final is not None and c.final.type != c.var.type:
            yield f"the carry `{c.var.id}` of type {c.var.type} ends as {c.final.type}"
    for site, distances in windows.items():
        if not lags:
            yield f'the loop over `{name}` has carries that are lags of "{site}"'
        if sorted(distances) != list(range(1, len(distances) + 1)):
            yield f'the lags of "{site}" in the loop over `{name}` are {sorted(distances)}: not a window'
    for s in stmt.stacked:
        value = _type(s.value)
        if isinstance(value, ty.Type) and ty.shape(s.var.type) != (stmt.upper - stmt.lower, *ty.shape(value)):
            yield f"`{s.var.id}` of type {s.var.type} stacks {stmt.upper - stmt.lower} values of type {value}"
    for m in getattr(stmt, "mapped", ()):
        if not isinstance(array := _type(m.array), ty.Type) or not ty.shape(array):
            yield f"`{m.var.id}` is mapped from a value without axes"
        if name in m.offset.variables:
            yield f"the offset of `{m.var.id}` depends on the loop's own index"
