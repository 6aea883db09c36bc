"""Generic traversal of the IR: children, bound and free names, child blocks. Works on every node by its fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any

from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import Support
from ppl.compiler.ir.types import Type


@cache
def _is_node_class(cls: type) -> bool:
    return is_dataclass(cls) and not issubclass(cls, Span)


def _is_node(value: Any) -> bool:
    return _is_node_class(value.__class__)


_PLAIN = frozenset({"id", "name", "span", "site", "level", "role", "checked", "doc", "axis"})


@cache
def _field_names(cls: type) -> tuple[str, ...]:
    """The fields that may hold nodes."""
    return tuple(f.name for f in fields(cls) if f.name not in _PLAIN)


def rebuild(node: Any, f: Callable) -> Any:
    """``node`` with ``f`` applied to each direct child node (also inside tuples). Law: rebuild(node, identity) is
    node."""
    if isinstance(node, tuple):
        return _map_tuple(node, f)
    changed = {}
    for name in _field_names(node.__class__):
        old = getattr(node, name)
        new = _map_tuple(old, f) if isinstance(old, tuple) else f(old) if _is_node(old) else old
        if new is not old:
            changed[name] = new
    return replace(node, **changed) if changed else node


def _map_tuple(values: tuple, f: Callable) -> tuple:
    out = tuple(_map_tuple(v, f) if isinstance(v, tuple) else f(v) if _is_node(v) else v for v in values)
    return values if all(a is b for a, b in zip(out, values, strict=True)) else out


def children(node: Any) -> Iterator:
    """The direct child nodes, in the order of the fields."""
    for value in node if isinstance(node, tuple) else (getattr(node, name) for name in _field_names(node.__class__)):
        if isinstance(value, tuple):
            yield from children(value)
        elif _is_node(value):
            yield value


#: Annotations of fields in which no node stands that a walk visits.
_LEAVES = frozenset(
    "str int bool Span Level Role Type Support Type|None str|None int|float|bool|str tuple[str,...]".split()
)


@cache
def _inner_names(cls: type) -> tuple[str, ...] | None:
    """The fields of a node class in which nodes may stand, last first; None for what is no node."""
    if not is_dataclass(cls) or cls is Span or issubclass(cls, (Type, Support)):
        return None
    return tuple(f.name for f in reversed(fields(cls)) if str(f.type).replace(" ", "") not in _LEAVES)


def walk(node: Any) -> Iterator:
    """The node and everything below it, in preorder; types and supports are left out."""
    todo = [node]
    while todo:
        n = todo.pop()
        if type(n) is tuple:
            todo.extend(reversed(n))
            continue
        names = _inner_names(n.__class__)
        if names is not None:
            yield n
            for name in names:
                todo.append(getattr(n, name))


#: Annotations of fields in which blocks may stand, at any depth.
_HOLDERS = frozenset("Block Block|None Op tuple[Case,...] tuple[Stmt,...]".split())


@cache
def _holding_names(cls: type) -> tuple[str, ...]:
    if not is_dataclass(cls):
        return ()
    return tuple(f.name for f in reversed(fields(cls)) if str(f.type).replace(" ", "") in _HOLDERS)


def statements(block: ir.Block) -> Iterator[ir.Stmt]:
    """All statements of the block and of the blocks inside it, in the order of the text."""
    todo: list = [block]
    while todo:
        n = todo.pop()
        if type(n) is tuple:
            todo.extend(reversed(n))
            continue
        if isinstance(n, ir.Stmt):
            yield n
        for name in _holding_names(n.__class__):
            todo.append(getattr(n, name))


def child_blocks(node) -> Iterator[ir.Block]:
    """The blocks directly inside a statement or operation (not blocks inside those)."""
    for child in children(node):
        if isinstance(child, ir.Block):
            yield child
        elif not isinstance(child, (Type, Support)):
            yield from child_blocks(child)


def map_blocks(node, f: Callable[[ir.Block], ir.Block]):
    """``node`` with ``f`` applied to each of its ``child_blocks``."""

    def go(child):
        if isinstance(child, ir.Block):
            return f(child)
        return child if isinstance(child, (Type, Support, Size, ir.Atom)) else rebuild(child, go)

    return rebuild(node, go)


def lag_reads(body: ir.Block) -> list[tuple[ir.Let, ir.Lag]]:
    """The reads of earlier iterations with which the body of a ``For`` starts."""
    return [(s, s.op) for s in body.statements if isinstance(s, ir.Let) and isinstance(s.op, ir.Lag)]


def definitions(stmt: ir.Stmt) -> tuple[ir.Var, ...]:
    """The variables that a statement defines for the statements after it."""
    match stmt:
        case ir.Let() | ir.Draw() | ir.ParamStmt():
            return (stmt.var,)
        case ir.SimDraw():
            return (stmt.trace, stmt.log_density)
        case ir.If() | ir.Match() | ir.SumOut():
            return stmt.results
        case ir.Plate():
            return tuple(s.var for s in stmt.stacked)
        case ir.For() | ir.Scan():
            return tuple(s.var for s in stmt.stacked) + tuple(c.final for c in stmt.carries if c.final)
        case ir.ForwardSum():
            return stmt.results + tuple(s.var for s in stmt.stacked) + tuple(c.final for c in stmt.carries if c.final)
    return ()


def binders(node) -> tuple[ir.Var, ...]:
    """The variables that a statement, operation or match case defines for its own blocks only."""
    match node:
        case ir.Plate() | ir.Map():
            return (node.index, *(m.var for m in node.mapped))
        case ir.For():
            return (node.index, *(c.var for c in node.carries))
        case ir.Scan():
            return (node.index, *(c.var for c in node.carries), *(m.var for m in node.mapped))
        case ir.ForwardSum():
            return (node.index, node.previous, *(c.var for c in node.carries), *(m.var for m in node.mapped))
        case ir.Case():
            return node.binders
        case ir.Closure():
            return node.params + ((node.recursive,) if node.recursive else ())
    return ()


def defined_inside(node) -> frozenset[str]:
    """Ids of all variables defined anywhere in ``node``, by statements and by binders."""
    out: set[str] = set()
    for n in walk(node):
        if isinstance(n, ir.Stmt):
            out.update(v.id for v in definitions(n))
        out.update(v.id for v in binders(n))
    return frozenset(out)


def names(node) -> Iterator[str]:
    """Every occurrence of a variable's id in ``node`` (definitions too), and of a size variable or loop index in a
    size."""
    for n in walk(node):
        if isinstance(n, ir.Var):
            yield n.id
        elif isinstance(n, Size):
            yield from n.variables


def free(node) -> frozenset[str]:
    """Ids that ``node`` uses and does not define: those of variables, and size variables. Relies on unique ids."""
    return frozenset(names(node)) - defined_inside(node)


EFFECTS = (ir.Draw, ir.SimDraw, ir.Observe, ir.Factor, ir.Require, ir.Output, ir.ParamStmt)


def is_pure(node) -> bool:
    """No statement of it draws, conditions, outputs or declares a parameter. Bodies of closures, ``infer`` and
    ``expect`` do not count: they run elsewhere, or are values."""
    if isinstance(node, EFFECTS):
        return False
    if isinstance(node, ir.Let) and not isinstance(node.op, ir.Map):
        return True
    return all(is_pure(s) for block in child_blocks(node) for s in block.statements)
