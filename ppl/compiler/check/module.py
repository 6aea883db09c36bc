"""One file's declarations: what their names stand for, and their signatures. Bodies are checked on demand, once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ppl.compiler.check.context import Context, Generics, IdPool
from ppl.compiler.check.typeexprs import Declared, declared
from ppl.compiler.check.values import UNKNOWN
from ppl.compiler.diagnostics.diagnostic import Diagnostic, Diagnostics, Help, Label
from ppl.compiler.diagnostics.record import record
from ppl.compiler.diagnostics.span import NOWHERE, Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import ANYTHING, Support
from ppl.compiler.ir.types import SizeType, Type
from ppl.compiler.syntax import ast


@record
class ParameterType:
    name: str
    type: Type
    support: Support
    has_default: bool
    is_size: bool
    missing: bool
    span: Span


@dataclass(slots=True)
class Signature:
    """What a use of a declaration has to know. ``kind``: fn, model, guide, objective or dist; ``result`` is None
    while it is
    not known (a body that is being checked and declares none)."""

    kind: str
    name: str
    generics: Generics
    params: tuple[ParameterType, ...]
    result: Type | None
    result_support: Support
    span: Span

    def __str__(self) -> str:
        sizes = f"[{', '.join(self.generics.sizes)}]" if self.generics.sizes else ""
        params = ", ".join(f"{p.name}: {'size' if p.is_size else p.type}" for p in self.params)
        return f"{self.name}{sizes}({params})"


@dataclass(slots=True)
class ProgramParts:
    """What has been checked of a program, over all files."""

    models: dict[str, ir.Model] = field(default_factory=dict)
    functions: dict[str, ir.Function] = field(default_factory=dict)
    dists: dict[str, ir.UserDist] = field(default_factory=dict)
    sums: dict[str, ir.SumInfo] = field(default_factory=dict)
    constants: dict[str, tuple[ir.Var, ir.Block]] = field(default_factory=dict)
    contexts: dict[str, Context] = field(default_factory=dict)
    recursive: set[str] = field(default_factory=set)
    active: list[str] = field(default_factory=list)
    strategies: bool = False  # a draw names its gradient strategy

    def program(self) -> ir.Program:
        return ir.Program(
            tuple(self.models.values()),
            tuple(self.functions.values()),
            tuple(self.dists.values()),
            tuple(self.sums.values()),
            tuple(self.constants.values()),
        )


class ModuleScope:
    """The top level of one file. ``prefix`` is ``alias.`` for an imported one."""

    def __init__(
        self, module: ast.Module, prefix: str, parts: ProgramParts, sink: Diagnostics, imports: dict[str, ModuleScope]
    ):
        self.module, self.prefix, self.parts, self.sink, self.imports = module, prefix, parts, sink, imports
        self.decls: dict[str, ast.Decl] = {}
        self.constructors: dict[str, tuple[str, ast.Constructor]] = {}
        self._signatures: dict[str, Signature] = {}
        self._types: dict[str, Declared] = {}
        for decl in module.declarations:
            self._declare(decl.name, decl, decl.name_span if decl.name_span != NOWHERE else decl.span)
        for decl in module.declarations:
            if isinstance(decl, ast.TypeDecl) and isinstance(decl.definition, ast.SumType):
                for c in decl.definition.constructors:
                    self._constructor(decl.name, c)

    def _declare(self, name: str, decl: ast.Decl, span: Span) -> None:
        if name in self.decls:
            first = self.decls[name]
            self._twice(name, span, first.name_span if first.name_span != NOWHERE else first.span)
        else:
            self.decls[name] = decl

    def _constructor(self, owner: str, c: ast.Constructor) -> None:
        if c.name in self.constructors or c.name in self.decls:
            earlier = self.constructors[c.name][1].span if c.name in self.constructors else self.decls[c.name].span
            self._twice(c.name, c.span, earlier)
        else:
            self.constructors[c.name] = (owner, c)

    def _twice(self, name: str, span: Span, first: Span) -> None:
        self.sink.add(
            Diagnostic(
                "E102",
                f"the name `{name}` is already defined",
                Label(span, "defined again here"),
                (Label(first, "first defined here"),),
                helps=(Help("give one of them another name"),),
            )
        )

    # --- types --------------------------------------------------------------------------------------------------

    def type_names(self) -> list[str]:
        return [n for n, d in self.decls.items() if isinstance(d, ast.TypeDecl)]

    def type_named(self, name: str) -> Declared | None:
        alias, _, rest = name.partition(".")
        if rest and alias in self.imports:
            return self.imports[alias].type_named(rest)
        decl = self.decls.get(name)
        if not isinstance(decl, ast.TypeDecl):
            return None
        if name not in self._types:
            full = self.prefix + name
            if isinstance(decl.definition, ast.SumType):
                self._types[name] = Declared(ty.Sum(full))
                self._declare_sum(decl, full)
            else:
                self._types[name] = Declared(UNKNOWN)  # a type that contains itself without a constructor stays unknown
                self._types[name] = declared(self.context("const", name), decl.definition)
        return self._types[name]

    def _declare_sum(self, decl: ast.TypeDecl, full: str) -> None:
        cx = self.context("const", decl.name)
        assert isinstance(decl.definition, ast.SumType)
        constructors = tuple(
            ir.ConstructorInfo(c.name, tuple(declared(cx, a).type for a in c.args))
            for c in decl.definition.constructors
        )
        recursive = any(self._mentions(a, full, set()) for c in constructors for a in c.args)
        self.parts.sums[full] = ir.SumInfo(full, constructors, recursive)

    def _mentions(self, t: Type, name: str, seen: set[str]) -> bool:
        match t:
            case ty.Sum(other):
                if other == name:
                    return True
                info = self.parts.sums.get(other)
                if other in seen or info is None:
                    return False
                return any(self._mentions(a, name, seen | {other}) for c in info.constructors for a in c.args)
            case ty.Array(element, _):
                return self._mentions(element, name, seen)
            case ty.Tuple(elements):
                return any(self._mentions(e, name, seen) for e in elements)
            case ty.Record(fields):
                return any(self._mentions(f, name, seen) for _, f in fields)
        return False

    def sum_info(self, full: str) -> ir.SumInfo | None:
        return self.parts.sums.get(full)

    def constructor(self, name: str) -> tuple[ty.Sum, ir.ConstructorInfo] | None:
        """A constructor of this file (or ``alias.Name``), with its type."""
        alias, _, rest = name.partition(".")
        if rest:
            return self.imports[alias].constructor(rest) if alias in self.imports else None
        if name not in self.constructors:
            return None
        owner = self.constructors[name][0]
        t = self.type_named(owner)
        assert t is not None and isinstance(t.type, ty.Sum)
        info = self.parts.sums.get(t.type.name)
        found = next((c for c in info.constructors if c.name == name), None) if info else None
        return (t.type, found) if found else None

    # --- signatures ---------------------------------------------------------------------------------------------

    def context(self, kind: str, name: str, generics: Generics | None = None) -> Context:
        generics = generics or Generics()
        return Context(self, kind, name, IdPool(generics.sizes), self.sink, generics)

    def signature(self, name: str) -> Signature | None:
        """Of a fn, model, guide, objective or dist of this file."""
        if name in self._signatures:
            return self._signatures[name]
        decl: Any = self.decls.get(name)  # each of KINDS has generics and parameters
        kind = KINDS.get(type(decl))
        if kind is None:
            return None
        cx = self.context(kind, name, self.generics(decl))
        params = tuple(parameter_type(cx, p) for p in decl.params)
        result: Type | None = None
        support: Support = ANYTHING
        if isinstance(decl, ast.DistDecl):
            over = declared(cx, decl.over)
            result, support = over.type, over.support
        elif getattr(decl, "result", None) is not None:
            given = declared(cx, decl.result)
            result, support = given.type, given.support
        signature = Signature(kind, self.prefix + name, cx.generics, params, result, support, decl.name_span)
        self._signatures[name] = signature
        return signature

    def generics(self, decl) -> Generics:
        sizes, traces = [], []
        for g in decl.generics:
            if g.name in sizes or g.name in traces:
                self._twice(g.name, g.span, decl.name_span)
            elif g.kind in (None, "size"):
                sizes.append(g.name)
            elif g.kind == "trace":
                traces.append(g.name)
            else:
                self.sink.add(
                    Diagnostic(
                        "E212",
                        f"there is no kind `{g.kind}`",
                        Label(g.span, "a size or a trace"),
                        helps=(Help("write `N` or `N: size` for a size, `Z: trace` for the trace of a model"),),
                    )
                )
        return Generics(tuple(sizes), tuple(traces))

    def site_of(self, model: str, name: str) -> ir.SiteInfo | None:
        found = self.parts.models.get(model)
        return next((s for s in found.sites if s.name == name), None) if found else None

    # --- bodies -------------------------------------------------------------------------------------------------

    def ensure(self, name: str) -> None:
        """Check the body of a declaration now, if that is not done or under way."""
        from ppl.compiler.check.declarations import check_declaration

        full = self.prefix + name
        parts = self.parts
        done = full in parts.models or full in parts.functions or full in parts.dists or full in parts.constants
        if full in parts.active:
            parts.recursive.update(parts.active[parts.active.index(full) :])
            return
        if done:
            return
        parts.active.append(full)
        try:
            check_declaration(self, self.decls[name])
        except RecursionError:
            place = Label(self.decls[name].name_span, "too many operators or blocks in each other")
            help_ = Help("name a part of it with `let`, or move it into a function of its own")
            self.sink.add(Diagnostic("E023", "this is nested too deeply", place, helps=(help_,)))
        finally:
            parts.active.remove(full)

    def check_all(self) -> None:
        for name, decl in self.decls.items():
            if isinstance(decl, ast.TypeDecl):
                if decl.generics:
                    self.sink.add(
                        Diagnostic(
                            "E212",
                            "a type has no parameters of its own",
                            Label(decl.generics[0].span, "not allowed here"),
                            notes=("write the sizes and types out in its definition",),
                        )
                    )
                self.type_named(name)
            elif not isinstance(decl, ast.Import):
                self.ensure(name)


KINDS: dict[type, str] = {
    ast.FnDecl: "fn",
    ast.ExternFnDecl: "fn",
    ast.ModelDecl: "model",
    ast.GuideDecl: "guide",
    ast.ObjectiveDecl: "objective",
    ast.DistDecl: "dist",
}


def parameter_type(cx: Context, p: ast.Param) -> ParameterType:
    """The type of a declared parameter; a ``size`` parameter becomes a size variable for what follows."""
    span = p.name_span if p.name_span != NOWHERE else p.span
    if p.type is None:  # already a syntax error
        return ParameterType(p.name, UNKNOWN, ANYTHING, p.default is not None, False, False, span)
    given = declared(cx, p.type)
    is_size = isinstance(given.type, SizeType)
    if is_size:
        cx.ids.reserve(p.name)
        cx.scopes[0][p.name] = _size_local(cx, p.name, span)
    return ParameterType(p.name, given.type, given.support, p.default is not None, is_size, given.missing, span)


def _size_local(cx: Context, name: str, span: Span):
    from ppl.compiler.check.frames import Local

    return Local(cx.size_value(Size.var(name), span, SizeType()), span, "parameter")
