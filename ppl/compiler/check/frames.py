"""Frames: the loops and branches that are open where the checker stands, and what they have drawn so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from ppl.compiler.check.values import DistFacts, Value
from ppl.compiler.diagnostics.record import record
from ppl.compiler.diagnostics.span import NOWHERE, Span
from ppl.compiler.ir.nodes import Atom, MappedRead, Stmt, Var
from ppl.compiler.ir.sizes import ONE, ZERO, Size
from ppl.compiler.ir.supports import Support
from ppl.compiler.ir.types import Type

Box = tuple[tuple[Size, Size], ...]


@record
class SitePiece:
    """A part of a site that has been drawn. ``box``: one half-open range an axis, as polynomials in sizes and the
    indices
    of open loops. ``axes``: the axes that ``value`` has, in the order in which it has them (the others are points)."""

    box: Box
    axes: tuple[int, ...]
    value: Var
    span: Span


@dataclass(slots=True)
class Site:
    """A random variable, or an array built by ``let x[i] = …``, of one body. ``kind``: latent, data, aux, let or
    field (a variable of a submodel). ``element``: the type of what one statement draws."""

    name: str
    kind: str
    element: Type
    support: Support
    discrete: bool
    rank: int
    span: Span
    missing: bool = False
    doc: str | None = None
    submodel: str | None = None
    role: str = "latent"  # of a field: what it is in its submodel
    dist: DistFacts | None = None
    whole_read: Span | None = None
    conditional: bool = False
    broken: bool = False  # its definition has an error: reads are unknown
    assembled: tuple[tuple[str, ...], list[Stmt], Var] | None = None


@record
class Forecast:
    """What a loop body, read ahead, will draw of a site. ``axes``: for each axis the name of the loop index in its
    subscript and the offset (None at a fixed index); ``extents``: of the axes that inner loops draw, None for
    others."""

    element: Type | None
    support: Support
    axes: tuple[tuple[str, Size] | None, ...]
    extents: tuple[Size | None, ...]
    span: Span


@dataclass(slots=True)
class Lagged:
    """The reads of earlier iterations of one site in one loop: a Var for each distance, and the elements before the
    first."""

    type: Type
    support: Support
    axis: int
    offset: Size
    points: tuple[Size | None, ...]
    lags: dict[int, Var] = field(default_factory=dict)
    init: dict[int, Atom] = field(default_factory=dict)
    span: Span = NOWHERE


@dataclass(slots=True)
class Frame:
    """``kind``: root, plate, for, map, branch or closure. ``outer``: the statements before the loop; ``block``:
    those of the body; ``prefix``: those that come first in it. ``forecast``: what the body draws,
    by site. ``partial``: what is defined on some paths only; its pieces are ``conditional``."""

    kind: str
    span: Span
    index: Var | None = None
    index_name: str = ""
    lower: Size = ZERO
    upper: Size = ZERO
    outer: list[Stmt] = field(default_factory=list)
    block: list[Stmt] = field(default_factory=list)
    prefix: list[Stmt] = field(default_factory=list)
    mapped: dict[tuple[str, Size], MappedRead] = field(default_factory=dict)
    sites: dict[str, list[SitePiece]] = field(default_factory=dict)
    partial: dict[str, Span] = field(default_factory=dict)
    conditional: dict[str, list[SitePiece]] = field(default_factory=dict)
    forecast: dict[str, Forecast] = field(default_factory=dict)
    lagged: dict[str, Lagged] = field(default_factory=dict)
    observed: dict[str, Span] = field(default_factory=dict)

    @property
    def is_loop(self) -> bool:
        return self.index is not None

    @property
    def id(self) -> str:
        """The id of the index of a loop."""
        assert self.index is not None
        return self.index.id


@dataclass(slots=True)
class Local:
    """What a local name stands for. ``mutable``: a ``var``, with its declared type and support."""

    value: Value
    span: Span
    kind: str = "let"
    mutable: bool = False
    depth: int = 0
    used: bool = False
    declared: Support | None = None  # what a declared type says of a state variable


def point(p: Size) -> tuple[Size, Size]:
    return p, p + ONE
