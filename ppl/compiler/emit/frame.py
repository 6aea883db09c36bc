"""What one block knows while it is evaluated (variables, given values, source of randomness), and what it did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, PRNGKeyArray

from ppl.compiler.emit.errors import CompilerDefect
from ppl.compiler.ir.nodes import Atom, FunctionRef, Lit, SizeAtom, Var
from ppl.compiler.ir.sizes import Size
from ppl.core.lanes import child, is_mixed
from ppl.core.select import gate

if TYPE_CHECKING:
    from ppl.compiler.emit.code import Code

NOTHING = object()


class Given(NamedTuple):
    """What is known of a spot's element: ``value`` in its own space, or ``free`` in R^k. ``missing`` marks entries of
    ``value`` that the data lack. ``inside`` is an empty tuple (no leaf of the PyTree) where the value is known to lie
    in the support, else None."""

    value: Any = None
    free: Any = None
    missing: Any = None
    inside: tuple[()] | None = None


class Recorded(NamedTuple):
    """What an interpretation keeps of a draw. ``present``: whether the draw was made, where a branch decides; None if
    surely."""

    value: Any
    present: Any = None


class Effects(NamedTuple):
    """What a block did besides computing values: a PyTree, so that loops stack it. ``weight`` None stands for zero."""

    weight: Any
    records: dict[str, Recorded]
    outputs: dict[str, Any]


class Frame:
    """The variables of a block, inside those of the blocks around it.

    ``deferred``: sites drawn after inference. ``ranges``: bounds of loop indices. ``gated``: the block is a branch
    under that condition; what it takes from outside passes through ``gate``. ``active``: whether this code is on the
    path taken, where branches around it were not decided while tracing (None: it is). What may not end waits for it."""

    def __init__(
        self,
        parent: Frame | None,
        *,
        code: Code | None = None,
        given: Mapping[str, Given] | None = None,
        whole: Mapping[str, Any] | None = None,
        key: PRNGKeyArray | None = None,
        sizes: Mapping[str, int] | None = None,
        gated: Bool[Array, ""] | None = None,
    ):
        self.parent = parent
        self.globals: Frame = self if parent is None else parent.globals
        self.code: Any = code if code is not None else parent.code if parent else None
        self.given: Mapping[str, Given] = given if given is not None else (parent.given if parent else {})
        self.whole = whole or {}
        self.deferred: frozenset[str] = parent.deferred if parent else frozenset()
        self.sizes: Mapping[str, int] = sizes if sizes is not None else (parent.sizes if parent else {})
        self.key = key
        self.gated = gated
        self.active: Any = parent.active if parent else None
        self.values: dict[str, Any] = {}
        self.ranges: dict[str, tuple[int, int]] = {}
        self.weights: list[Any] = []
        self.records: dict[str, Recorded] = {}
        self.outputs: dict[str, Any] = {}
        self._position = 0
        self._expected: int | None = None
        self._keys: Any = None

    def define(self, var: Var, value: Any) -> None:
        self.values[var.id] = value

    def under(self, condition: Any) -> None:
        """This frame is a branch under ``condition``."""
        self.active = condition if self.active is None else jnp.logical_and(self.active, condition)

    def lookup(self, name: str, gated: bool = True) -> Any:
        """The value of a variable, NOTHING if there is none. ``gated=False`` for arrays that are only indexed: gating
        one element is cheaper than gating the array."""
        value = self.values.get(name, NOTHING)
        if value is not NOTHING or self.parent is None:
            return value
        value = self.parent.lookup(name, gated)
        if self.gated is not None and gated and value is not NOTHING:
            value = gate(self.gated, value)
            self.values[name] = value
        return value

    def range(self, name: str) -> tuple[int, int] | None:
        """Half-open bounds of a loop's index, known while tracing."""
        frame: Frame | None = self
        while frame is not None:
            if name in frame.ranges:
                return frame.ranges[name]
            frame = frame.parent
        return None

    def conditions(self, name: str) -> list[Any]:
        """The gates between this frame and the variable, innermost first."""
        found: list[Any] = []
        frame: Frame | None = self
        while frame is not None and name not in frame.values:
            if frame.gated is not None:
                found.append(frame.gated)
            frame = frame.parent
        return found

    def read(self, atom: Atom, gated: bool = True) -> Any:
        match atom:
            case Var(id=name):
                value = self.lookup(name, gated)
                if value is NOTHING:
                    raise CompilerDefect(f"the variable {name!r} has no value")
                return value
            case Lit(value=value):
                return value
            case SizeAtom(size=size):
                return self.size(size)
            case FunctionRef(name=name):
                return self.code.function(name, self)
        raise CompilerDefect(f"{type(atom).__name__} is no value")

    def size(self, size: Size) -> int:
        try:
            return size.evaluate(self.sizes)
        except KeyError as e:
            raise CompilerDefect(f"the size {e.args[0]!r} has no value") from None

    def expect_keys(self, count: int) -> None:
        """At most ``count`` keys will be asked for. They are then made by one split (none, for a single one)."""
        self._expected = count

    def next_key(self) -> Any:
        """A key of its own for each caller."""
        self._position += 1
        if self.key is None:
            return None
        if self._expected is None:
            return jax.random.fold_in(self.key, self._position)
        if self._position > self._expected:
            raise CompilerDefect(f"{self._expected} keys were expected, and more are used")
        if self._expected == 1:
            return self.key
        if is_mixed(self.key):
            return child(self.key, self._position - 1)
        if self._keys is None:
            self._keys = jax.random.split(self.key, self._expected)
        return self._keys[self._position - 1]

    def effects(self) -> Effects:
        return Effects(total(self.weights), self.records, self.outputs)

    def absorb(self, effects: Effects) -> None:
        """Takes over what an inner block did."""
        if effects.weight is not None:
            self.weights.append(effects.weight)
        self.records.update(effects.records)
        self.outputs.update(effects.outputs)


def total(weights: list[Any]) -> Any:
    if not weights:
        return None
    result = weights[0]
    for w in weights[1:]:
        result = result + w
    return result
