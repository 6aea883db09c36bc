"""The state of the checker inside one body: scopes, open frames, emitted statements, findings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ppl.compiler.check.frames import Frame, Local, Site
from ppl.compiler.check.values import UNKNOWN, Value
from ppl.compiler.diagnostics.diagnostic import Diagnostic, Diagnostics, Edit, Help, Label
from ppl.compiler.diagnostics.span import NOWHERE, Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.nodes import Level, Var
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import ANYTHING, Integers, Support
from ppl.compiler.ir.types import INT, Type

if TYPE_CHECKING:
    from ppl.compiler.check.module import ModuleScope
    from ppl.compiler.syntax import ast


class IdPool:
    """Unique readable ids of one declaration."""

    def __init__(self, taken: tuple[str, ...] = ()):
        self._taken = set(taken)
        self._unnamed = 0

    def reserve(self, name: str) -> None:
        self._taken.add(name)

    def fresh(self, hint: str = "") -> str:
        """``hint``, with a number if it is taken; without a hint ``_1``, ``_2``, …, which no name of a program can
        be."""
        if not hint:
            self._unnamed += 1
            hint = f"_{self._unnamed}"
        name, n = hint, 1
        while name in self._taken:
            n += 1
            name = f"{hint}_{n}"
        self._taken.add(name)
        return name


@dataclass(slots=True)
class Generics:
    """What the names between ``[ ]`` behind a declared name stand for."""

    sizes: tuple[str, ...] = ()
    traces: tuple[str, ...] = ()


@dataclass(slots=True)
class Context:
    """One body. ``kind``: model, guide, objective, fn, sample, logpdf, const, infer, expect or lambda: what may be
    drawn
    follows from it. A nested body (``infer``, ``expect``, a lambda) shares ids, scopes and findings with its parent."""

    module: ModuleScope
    kind: str
    name: str
    ids: IdPool
    sink: Diagnostics
    generics: Generics = field(default_factory=Generics)
    scopes: list[dict[str, Local]] = field(default_factory=lambda: [{}])
    blocks: list[list[ir.Stmt]] = field(default_factory=lambda: [[]])
    frames: list[Frame] = field(default_factory=list)
    sites: dict[str, Site] = field(default_factory=dict)
    outputs: dict[str, tuple[Type, tuple[str, ...], Span]] = field(default_factory=dict)
    size_checks: list[ir.SizeCheck] = field(default_factory=list)
    depth: dict[str, int] = field(default_factory=dict)
    refined: dict[str, tuple[Size, Size]] = field(default_factory=dict)
    ranges: dict[str, tuple[Size, Size]] = field(default_factory=dict)
    calls: set[str] = field(default_factory=set)
    result_type: Type | None = None
    result_support: Support = ANYTHING
    parent: Context | None = None
    guarded: int = 0
    returned: list[Value] = field(default_factory=list)
    upcoming: dict[str, Span] = field(default_factory=dict)
    all_sites: tuple[ir.SiteInfo, ...] = ()  # with those of submodels, once the body is closed
    locals: list[tuple[str, Local]] = field(default_factory=list)  # for the warning about unused ones
    parameter_types: dict[str, ast.TypeExpr] = field(default_factory=dict)
    open_sizes: bool = False  # sizes of an applied model may be found from what it is given

    def __post_init__(self) -> None:
        if not self.frames:
            self.frames.append(Frame("root", NOWHERE, block=self.blocks[0]))

    # --- findings -----------------------------------------------------------------------------------------------

    def error(
        self,
        code: str,
        message: str,
        span: Span,
        label: str = "",
        secondary: tuple[tuple[Span, str], ...] = (),
        notes: tuple[str, ...] = (),
        helps: tuple[Help, ...] = (),
    ) -> None:
        """Also warnings: the code says which."""
        self.sink.add(
            Diagnostic(code, message, Label(span, label), tuple(Label(s, t) for s, t in secondary), notes, helps)
        )

    def text(self, span: Span) -> str:
        source = self.sink.sources.get(span.file)
        return source.slice(span) if source else ""

    # --- variables and statements -------------------------------------------------------------------------------

    def var(
        self, hint: str, type: Type, support: Support = ANYTHING, level: Level = Level.CONSTANT, span: Span = NOWHERE
    ) -> Var:
        v = Var(self.ids.fresh(hint), type, support, level, span=span)
        self.depth[v.id] = len(self.frames)
        return v

    def emit(self, stmt: ir.Stmt) -> None:
        self.blocks[-1].append(stmt)

    def let(
        self,
        op: ir.Op,
        type: Type,
        support: Support,
        level: Level,
        span: Span,
        hint: str = "",
        into: list[ir.Stmt] | None = None,
    ) -> Var:
        v = self.var(hint, type, support, level, span)
        (self.blocks[-1] if into is None else into).append(ir.Let(v, op, span=span))
        return v

    @contextmanager
    def block(self) -> Iterator[list[ir.Stmt]]:
        """Statements emitted inside go to the list; names bound inside are forgotten behind it."""
        statements: list[ir.Stmt] = []
        self.blocks.append(statements)
        self.scopes.append({})
        try:
            yield statements
        finally:
            self.blocks.pop()
            self.scopes.pop()

    @contextmanager
    def frame(self, frame: Frame) -> Iterator[Frame]:
        self.frames.append(frame)
        if frame.index is not None:
            self.ranges[frame.id] = (frame.lower, frame.upper)
        try:
            yield frame
        finally:
            self.frames.pop()

    # --- names --------------------------------------------------------------------------------------------------

    def lookup(self, name: str) -> Local | None:
        for scope in reversed(self.scopes):
            if name in scope:
                scope[name].used = True
                return scope[name]
        return None

    def peek(self, name: str) -> Local | None:
        return next((s[name] for s in reversed(self.scopes) if name in s), None)

    def site(self, name: str) -> Site | None:
        cx: Context | None = self
        while cx is not None:
            if name in cx.sites:
                return cx.sites[name]
            cx = cx.parent
        return None

    def bind(
        self, name: str, value: Value, span: Span, kind: str = "let", mutable: bool = False, shadow: bool = False
    ) -> None:
        """Give a name its meaning in the innermost scope; two meanings at once are an error unless ``shadow``."""
        if not shadow and (earlier := self.defined_at(name)) is not None and name != "_":
            self.error(
                "E102",
                f"the name `{name}` is already defined",
                span,
                "defined again here",
                ((earlier, "first defined here"),) if earlier is not NOWHERE else (),
                helps=(Help(f"choose another name, for example `{name}_2`", (Edit(span, f"{name}_2"),)),),
            )
        local = Local(value, span, kind, mutable, len(self.frames))
        self.scopes[-1][name] = local
        if kind in ("let", "var"):
            self.locals.append((name, local))

    def defined_at(self, name: str) -> Span | None:
        local = self.peek(name)
        if local is not None:
            return local.span
        site = self.sites.get(name)
        return site.span if site is not None else None

    def visible_names(self) -> list[str]:
        names = [n for s in self.scopes for n in s]
        cx: Context | None = self
        while cx is not None:
            names += [s for s in cx.sites if "." not in s]
            cx = cx.parent
        return names + list(self.generics.sizes)

    # --- sizes --------------------------------------------------------------------------------------------------

    def is_loop_index(self, name: str) -> bool:
        return name in self.ranges

    def static_size(self, value: Value) -> Size | None:
        """The value as a size, if it depends on sizes and literals only."""
        if value.affine is None or any(v in self.ranges for v in value.affine.variables):
            return None
        return value.affine

    def extent(self, index: str) -> tuple[Size, Size]:
        """The half-open range of a loop index where the checker stands, narrowed by the conditions around it."""
        return self.refined.get(index) or self.ranges[index]

    def bound(self, p: Size, greatest: bool) -> Size:
        """The least (greatest) value of a polynomial over the ranges of the loop indices in it, outermost last."""
        for _ in range(len(self.ranges) + 1):
            index = next((v for v in p.variables if v in self.ranges), None)
            if index is None:
                return p
            coefficient = sum(c for m, c in p.terms if index in m)
            lower, upper = self.extent(index)
            end = upper - 1 if (coefficient > 0) == greatest else lower
            p = p.substitute({index: end})
        return p

    def surely_nonnegative(self, p: Size) -> bool:
        return self.bound(p, greatest=False).provably_nonnegative()

    def surely_negative(self, p: Size) -> bool:
        return (-self.bound(p, greatest=True) - 1).provably_nonnegative()

    def require_sizes(self, left: Size, right: Size, reason: str, span: Span, relation: str = "==") -> bool:
        """False if the relation is surely broken; a relation that can't be decided becomes a check of the data."""
        difference = right - left
        if relation == "==":
            if left == right:
                return True
            if (difference - 1).provably_nonnegative() or (-difference - 1).provably_nonnegative():
                return False
        else:
            if difference.provably_nonnegative():
                return True
            if (-difference - 1).provably_nonnegative():
                return False
        if any(v in self.ranges for v in difference.variables) or self.guarded:
            return True
        check = ir.SizeCheck(left, right, reason, relation, span=span)
        root = self
        while root.parent is not None:
            root = root.parent
        if not any((c.left, c.right, c.relation) == (left, right, relation) for c in root.size_checks):
            root.size_checks.append(check)
        return True

    def size_value(self, size: Size, span: Span, type: Type = INT) -> Value:
        number = size.value
        atom = ir.Lit(number, INT, span=span) if number is not None else ir.SizeAtom(size, span=span)
        support = (
            Integers(number, number)
            if number is not None
            else Integers(lower=0 if size.provably_nonnegative() else None)
        )
        level = Level.CONSTANT if number is not None else Level.DATA
        return Value(atom, type, support, level, span, affine=size, const=number)

    # --- effects ------------------------------------------------------------------------------------------------

    @property
    def own_frames(self) -> list[Frame]:
        """The frames of this body: those behind the last one that starts a body."""
        start = max(i for i, f in enumerate(self.frames) if f.kind in ("root", "body"))
        return self.frames[start:]

    @property
    def may_draw(self) -> bool:
        return self.kind in ("model", "guide", "sample", "infer", "expect")

    def child(self, kind: str) -> Context:
        """The context of a nested body: outer names stay visible, what it draws stays inside."""
        inner = Context(
            self.module,
            kind,
            self.name,
            self.ids,
            self.sink,
            self.generics,
            self.scopes,
            self.blocks,
            [*self.frames],
            {},
            self.outputs,
            self.size_checks,
            self.depth,
            self.refined,
            self.ranges,
            self.calls,
            parent=self,
            guarded=self.guarded,
            locals=self.locals,
            parameter_types=self.parameter_types,
        )
        inner.frames.append(Frame("body", NOWHERE, block=self.blocks[-1]))
        return inner


def is_unknown(t: Type) -> bool:
    return t == UNKNOWN


def suggestion(text: str, span: Span, replacement: str) -> Help:
    return Help(text, (Edit(span, replacement),))
