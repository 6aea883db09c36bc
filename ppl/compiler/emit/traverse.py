"""Static questions to the IR, answered once for each node object (nodes hash by structure, which is slow)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ppl.compiler.ir.nodes import Draw, FunctionRef, Var
from ppl.compiler.ir.walk import walk


class Memo:
    """A function of a node, computed once for each node object."""

    def __init__(self, function: Callable[[Any], Any]):
        self._function = function
        self._known: dict[int, tuple[Any, Any]] = {}

    def __call__(self, node: Any) -> Any:
        known = self._known.get(id(node))
        if known is None or known[0] is not node:
            known = (node, self._function(node))
            self._known[id(node)] = known
        return known[1]


def used_variables(node: Any) -> frozenset[str]:
    """Ids of all variables that stand in ``node``, those that it defines included. Ids are unique in a model, so those
    that it takes from outside are these, restricted to what is defined outside."""
    return frozenset(n.id for n in walk(node) if isinstance(n, Var))


def used_functions(node: Any) -> frozenset[str]:
    """Names of the top-level and builtin functions that ``node`` mentions as values."""
    return frozenset(n.name for n in walk(node) if isinstance(n, FunctionRef))


def draws_in(node: Any) -> tuple[Draw, ...]:
    """Every ``Draw`` inside, at any depth."""
    return tuple(n for n in walk(node) if isinstance(n, Draw))
