"""Declarations and the module."""

from __future__ import annotations

from typing import Any

from ppl.compiler.diagnostics.diagnostic import Edit, Help
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.syntax import ast
from ppl.compiler.syntax.builder.base import unquote
from ppl.compiler.syntax.builder.expressions import Expressions
from ppl.compiler.syntax.builder.statements import Statements
from ppl.compiler.syntax.builder.types import Types
from ppl.compiler.syntax.parse.token import Token


class Builder(Types, Expressions, Statements):
    """Makes the syntax tree; ``engine.run`` calls it, rule by rule."""

    def module(self, span: Span, *declarations: ast.Decl) -> ast.Module:
        return ast.Module(declarations, span=span)

    def _head(self, span: Span, name: Token) -> dict[str, Any]:
        return {"span": span, "doc": self.docs.get(span.start), "name_span": self.place(name)}

    def import_decl(self, span: Span, path: Token, alias: Token | None) -> ast.Import:
        value = unquote(path.text)
        name = alias.text if alias else value.rsplit("/", 1)[-1].removesuffix(".ppl")
        return ast.Import(name, value, **self._head(span, alias or path))

    def type_decl(self, span: Span, name: Token, generics: Any, definition: ast.TypeExpr) -> ast.TypeDecl:
        return ast.TypeDecl(name.text, generics, definition, **self._head(span, name))

    def const_decl(self, span: Span, name: Token, type: Any, value: ast.Expr) -> ast.ConstDecl:
        return ast.ConstDecl(name.text, type, value, **self._head(span, name))

    def fn_decl(self, span: Span, name: Token, generics: Any, params: Any, result: Any, body: ast.Block) -> ast.FnDecl:
        return ast.FnDecl(name.text, generics, self._typed(params), result, body, **self._head(span, name))

    def model_decl(self, span: Span, name: Token, generics: Any, params: Any, result: Any, body: Any) -> ast.ModelDecl:
        return ast.ModelDecl(name.text, generics, self._typed(params), result, body, **self._head(span, name))

    def guide_decl(
        self, span: Span, name: Token, generics: Any, params: Any, target: ast.Expr, sizes: Any, body: ast.Block
    ) -> ast.GuideDecl:
        typed = self._typed(params)
        return ast.GuideDecl(name.text, generics, typed, target, sizes or (), body, **self._head(span, name))

    def objective_decl(
        self, span: Span, name: Token, generics: Any, params: Any, result: Any, body: ast.Block
    ) -> ast.ObjectiveDecl:
        return ast.ObjectiveDecl(name.text, generics, self._typed(params), result, body, **self._head(span, name))

    def extern_decl(
        self, span: Span, name: Token, generics: Any, params: Any, result: Any, source: Token | None
    ) -> ast.ExternFnDecl:
        where = unquote(source.text) if source else None
        return ast.ExternFnDecl(name.text, generics, self._typed(params), result, where, **self._head(span, name))

    def dist_decl(
        self, span: Span, name: Token, generics: Any, params: Any, over: ast.TypeExpr, *members: Any
    ) -> ast.DistDecl:
        argument = logpdf = sample = None
        for member, arg, body in members:
            if member.text == "logpdf" and arg is not None and logpdf is None:
                argument, logpdf = arg.text, body
            elif member.text == "sample" and arg is None and sample is None:
                sample = body
            else:
                self._member(member, arg, again=member.text in ("logpdf", "sample") and None not in (logpdf, sample))
        parts = (generics, self._typed(params), over, argument, logpdf, sample)
        return ast.DistDecl(name.text, *parts, **self._head(span, name))

    def dist_member(self, span: Span, name: Token, arg: Token | None, body: ast.Block) -> tuple[Token, Any, ast.Block]:
        return name, arg, body

    def _member(self, member: Token, arg: Token | None, again: bool) -> None:
        what = (
            f"`{member.text}` is given twice" if again else f"a distribution has no member `{member.text}` of this form"
        )
        self.report("E021", what, self.place(member), "a `dist` holds one `logpdf(x) { … }` and one `sample { … }`")

    def generics(self, span: Span, *generics: ast.Generic) -> tuple[ast.Generic, ...]:
        return generics

    def generic(self, span: Span, name: Token, kind: Token | None) -> ast.Generic:
        return ast.Generic(name.text, kind.text if kind else None, span=span)

    def params(self, span: Span, *params: ast.Param) -> tuple[ast.Param, ...]:
        return params

    def param(self, span: Span, name: Token, type: Any, default: ast.Expr | None) -> ast.Param:
        return ast.Param(name.text, type, default, span=span, name_span=self.place(name))

    def _typed(self, params: tuple[ast.Param, ...]) -> tuple[ast.Param, ...]:
        """Only the parameters of a lambda may leave their types to inference."""
        for param in params:
            if param.type is None:
                place = param.name_span
                help = Help("give it a type, for example `real`", (Edit(place.after(), ": real"),))
                self.report("E017", f"parameter `{param.name}` has no type", place, "a type is needed here", help)
        return params
