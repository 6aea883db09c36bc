"""How a variable lies in a register and in a frame of the stack: arrays of one shape, whatever the path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from ppl.compiler.emit.errors import CompilerDefect


@dataclass(frozen=True)
class Slot:
    """The value itself, with the types and shapes of ``zero``."""

    zero: Any

    def store(self, value: Any) -> Any:
        return fitted(self.zero, value)

    def load(self, stored: Any) -> Any:
        return stored


@dataclass(frozen=True)
class View:
    """A part of a value of recursive type that does not change while the machine runs: only where it begins."""

    whole: Any

    @property
    def zero(self) -> Any:
        return jnp.zeros((), int)

    def store(self, value: Any) -> Any:
        return jnp.asarray(value.root, int)

    def load(self, stored: Any) -> Any:
        return eqx.tree_at(lambda a: a.root, self.whole, stored)


def fitted(zero: Any, value: Any) -> Any:
    """``value`` with the structure, types and shapes of ``zero``."""
    if jax.tree.structure(value) != jax.tree.structure(zero):  # type: ignore[operator] # no stubs of PyTreeDef
        raise CompilerDefect(f"a value of a recursion has the structure {jax.tree.structure(value)}")
    return jax.tree.map(lambda z, v: jnp.broadcast_to(jnp.asarray(v, z.dtype), z.shape), zero, value)
