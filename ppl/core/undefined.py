"""The value of a variable that an interpretation does not know."""

from __future__ import annotations

from typing import Any, Final

import jax


@jax.tree_util.register_pytree_node_class
class Undefined:
    """A draw that has no value yet (it is made after inference), and everything computed from it.

    A PyTree without leaves: ``vmap``, ``scan`` and ``jit`` carry it along, and nothing is computed for it."""

    def tree_flatten(self) -> tuple[tuple[()], None]:
        return (), None

    @classmethod
    def tree_unflatten(cls, _aux: None, _children: tuple[()]) -> Undefined:
        return UNDEFINED

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED: Final = Undefined()


def is_undefined(value: Any) -> bool:
    return isinstance(value, Undefined)


def has_undefined(value: Any) -> bool:
    """Whether any part of a PyTree is undefined."""
    if isinstance(value, Undefined):
        return True
    if isinstance(value, (int, float, jax.Array)):
        return False
    return any(isinstance(leaf, Undefined) for leaf in jax.tree.leaves(value, is_leaf=is_undefined))
