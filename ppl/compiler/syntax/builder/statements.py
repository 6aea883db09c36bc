"""Statements and blocks."""

from __future__ import annotations

from typing import Any

from ppl.compiler.diagnostics.span import Span
from ppl.compiler.syntax import ast
from ppl.compiler.syntax.builder.base import Base
from ppl.compiler.syntax.parse.token import Token


class Statements(Base):
    def _doc(self, span: Span) -> str | None:
        return self.docs.get(span.start)

    def block(self, span: Span, *statements: ast.Stmt) -> ast.Block:
        return ast.Block(statements, span=span)

    def let(self, span: Span, target: ast.Expr, type: Any, value: ast.Expr) -> ast.Let:
        return ast.Let(target, type, value, span=span, doc=self._doc(span))

    def var(self, span: Span, name: Token, type: Any, value: ast.Expr) -> ast.VarStmt:
        return ast.VarStmt(name.text, type, value, span=span, doc=self._doc(span), name_span=self.place(name))

    def assign(self, span: Span, target: ast.Expr, value: ast.Expr) -> ast.Assign:
        return ast.Assign(target, value, span=span, doc=self._doc(span))

    def _draw(self, role: str, span: Span, target: ast.Expr, type: Any, dist: ast.Expr, via: Any) -> ast.Draw:
        return ast.Draw(role, target, type, dist, via, span=span, doc=self._doc(span))

    def draw(self, span: Span, *parts: Any) -> ast.Draw:
        return self._draw("latent", span, *parts)

    def data_draw(self, span: Span, *parts: Any) -> ast.Draw:
        return self._draw("data", span, *parts)

    def aux_draw(self, span: Span, *parts: Any) -> ast.Draw:
        return self._draw("aux", span, *parts)

    def via(self, span: Span, name: Token, args: tuple[ast.Arg, ...] | None) -> ast.Via:
        return ast.Via(name.text, args or (), span=span)

    def observe(self, span: Span, value: ast.Expr, dist: ast.Expr) -> ast.Observe:
        return ast.Observe(value, dist, span=span, doc=self._doc(span))

    def factor(self, span: Span, value: ast.Expr) -> ast.Factor:
        return ast.Factor(value, span=span, doc=self._doc(span))

    def require(self, span: Span, condition: ast.Expr) -> ast.Require:
        return ast.Require(condition, span=span, doc=self._doc(span))

    def output(self, span: Span, name: Token, type: Any, value: ast.Expr) -> ast.Output:
        return ast.Output(name.text, type, value, span=span, doc=self._doc(span), name_span=self.place(name))

    def param_stmt(self, span: Span, name: Token, type: Any, value: ast.Expr) -> ast.ParamStmt:
        return ast.ParamStmt(name.text, type, value, span=span, doc=self._doc(span), name_span=self.place(name))

    def return_stmt(self, span: Span, value: ast.Expr) -> ast.Return:
        return ast.Return(value, span=span, doc=self._doc(span))

    def plate(self, span: Span, *parts: Any) -> ast.Plate:
        return ast.Plate(parts[:-1], parts[-1], span=span, doc=self._doc(span))

    def for_stmt(self, span: Span, index: ast.LoopIndex, body: ast.Block) -> ast.For:
        return ast.For(index, body, span=span, doc=self._doc(span))

    def if_stmt(self, span: Span, condition: ast.Expr, then: ast.Block, otherwise: ast.Block | ast.If | None) -> ast.If:
        if isinstance(otherwise, ast.If):
            otherwise = ast.Block((otherwise,), span=otherwise.span)
        return ast.If(condition, then, otherwise, span=span, doc=self._doc(span))

    def match_stmt(self, span: Span, subject: ast.Expr, *arms: ast.StmtArm) -> ast.Match:
        return ast.Match(subject, arms, span=span, doc=self._doc(span))

    def stmt_arm(self, span: Span, pattern: ast.Pattern, body: ast.Block) -> ast.StmtArm:
        return ast.StmtArm(pattern, body, span=span)
