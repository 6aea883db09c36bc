"""Static questions to the IR: which variables a piece of it uses, which draws it holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from ppl.compiler.ir.nodes import Atom, Block, Draw, FunctionRef, Lit, SizeAtom, Var
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import Support
from ppl.compiler.ir.types import Type

_OPAQUE = (Type, Support, Size, Lit, SizeAtom)


def children(node: Any) -> Iterator[Any]:
    """The IR nodes directly inside a node (types, supports and sizes are not nodes)."""
    for name in _field_names(type(node)):
        yield from _nodes(getattr(node, name))


@cache
def _field_names(kind: type) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind))


def _nodes(value: Any) -> Iterator[Any]:
    if isinstance(value, (tuple, list)):
        for item in value:
            yield from _nodes(item)
    elif is_dataclass(value) and not isinstance(value, _OPAQUE):
        yield value


def walk(node: Any) -> Iterator[Any]:
    """All nodes in ``node``, itself first, in the order of the text."""
    yield node
    if not isinstance(node, Atom):
        for child in children(node):
            yield from walk(child)


class Memo:
    """A function of a node, computed once for each node object (nodes hash by structure, which is slow)."""

    def __init__(self, function: Any):
        self._function = function
        self._known: dict[int, tuple[Any, Any]] = {}

    def __call__(self, node: Any) -> Any:
        known = self._known.get(id(node))
        if known is None or known[0] is not node:
            known = (node, self._function(node))
            self._known[id(node)] = known
        return known[1]


def _used(node: Any) -> frozenset[str]:
    return frozenset(n.id for n in walk(node) if isinstance(n, Var))


def _functions(node: Any) -> frozenset[str]:
    return frozenset(n.name for n in walk(node) if isinstance(n, FunctionRef))


def used_variables(node: Any) -> frozenset[str]:
    """Ids of all variables that stand in ``node``, those that it defines included. Ids are unique in a model, so those
    that it takes from outside are these, restricted to what is defined outside."""
    return _used(node)


def used_functions(node: Any) -> frozenset[str]:
    return _functions(node)


def draws_in(block: Block) -> tuple[Draw, ...]:
    """Every ``Draw`` inside, at any depth."""
    return tuple(n for n in walk(block) if isinstance(n, Draw))
