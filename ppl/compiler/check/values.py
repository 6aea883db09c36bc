"""What the checker knows of an expression: its atom in the IR and the facts about its value."""

from __future__ import annotations

from dataclasses import field, replace

from ppl.compiler.diagnostics.record import record
from ppl.compiler.diagnostics.span import NOWHERE, Span
from ppl.compiler.ir.nodes import Atom, Level, Lit
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import ANYTHING, Support
from ppl.compiler.ir.types import Type, Unknown


@record
class DistFacts:
    """What is known of a distribution value. ``atom``: a point of a continuous space has positive probability
    (``Delta``); ``density``: a part has a density. Both at once is a mixed measure. ``arguments`` by parameter name;
    ``model``: the name of the applied model or guide, with the values of its size variables; ``returns``: where it is
    conditioned or in part integrated out, type and support of what it returns, and ``keeps`` the names of the random
    variables that are left (None: all)."""

    name: str = ""
    event: int | None = None
    discrete: bool | None = None
    atom: bool = False
    density: bool = False
    improper: bool = False
    dynamic: bool = False
    arguments: tuple[tuple[str, Value], ...] = ()
    model: str | None = None
    sizes: tuple[tuple[str, Size], ...] = ()
    returns: tuple[Type, Support] | None = None
    keeps: frozenset[str] | None = None

    def argument(self, name: str) -> Value | None:
        return dict(self.arguments).get(name)


@record
class Value:
    """``affine``: the value as a polynomial in sizes and loop indices, if it is one; ``const``: the folded constant;
    ``origin``: the random variable that the expression reads, unchanged; ``constructor``: of a sum value."""

    atom: Atom
    type: Type
    support: Support = ANYTHING
    level: Level = Level.CONSTANT
    span: Span = NOWHERE
    affine: Size | None = None
    const: int | float | bool | None = None
    dist: DistFacts | None = None
    origin: str | None = None
    submodel: str | None = field(default=None)

    @property
    def unknown(self) -> bool:
        return isinstance(self.type, Unknown)

    def at(self, span: Span) -> Value:
        return replace(self, span=span)


UNKNOWN = Unknown()


def unknown(span: Span) -> Value:
    """The value of an expression with an error already reported: it agrees with everything."""
    return Value(Lit(0, UNKNOWN, span=span), UNKNOWN, ANYTHING, Level.CONSTANT, span)


def joined_level(*values: Value) -> Level:
    return max((v.level for v in values), default=Level.CONSTANT)
