"""Expressions and patterns."""

from __future__ import annotations

from typing import Any

from ppl.compiler.diagnostics.span import Span
from ppl.compiler.syntax import ast
from ppl.compiler.syntax.builder.base import Base, unquote
from ppl.compiler.syntax.parse.token import Token


class Expressions(Base):
    # --- literals and names

    def int_lit(self, span: Span, token: Token) -> ast.IntLit:
        return ast.IntLit(int(token.text), span=span)

    def float_lit(self, span: Span, token: Token) -> ast.FloatLit:
        value = float(token.text)
        if value == float("inf"):
            self.report("E020", f"`{token.text}` is too large for a number", span, "write `inf` for infinity")
        return ast.FloatLit(value, token.text, span=span)

    def string_lit(self, span: Span, token: Token) -> ast.StringLit:
        return ast.StringLit(unquote(token.text), span=span)

    def bool_lit(self, span: Span, token: Token) -> ast.BoolLit:
        return ast.BoolLit(token.text == "true", span=span)

    def name(self, span: Span, token: Token) -> ast.Name:
        return ast.Name(token.text, span=span)

    def dotted(self, span: Span, first: Token, *rest: Token) -> ast.Expr:
        expr: ast.Expr = ast.Name(first.text, span=self.place(first))
        for token in rest:
            expr = self.attribute(Span(span.file, span.start, token.end), expr, token)
        return expr

    # --- operators

    def binary(self, span: Span, left: ast.Expr, op: Token, right: ast.Expr) -> ast.Binary:
        return ast.Binary(op.text, left, right, span=span)

    def unary(self, span: Span, op: Token, operand: ast.Expr) -> ast.Unary:
        return ast.Unary(op.text, operand, span=span)

    def half_open(self, span: Span, lower: ast.Expr, upper: ast.Expr) -> ast.Range:
        return ast.Range(lower, upper, span=span)

    def if_expr(self, span: Span, condition: ast.Expr, then: ast.Expr, otherwise: ast.Expr) -> ast.IfExpr:
        return ast.IfExpr(condition, then, otherwise, span=span)

    # --- what follows an expression

    def call(self, span: Span, function: ast.Expr, args: tuple[ast.Arg, ...]) -> ast.Call:
        return ast.Call(function, args, span=span)

    def args(self, span: Span, *args: ast.Arg) -> tuple[ast.Arg, ...]:
        return args

    def arg(self, span: Span, value: ast.Expr) -> ast.Arg:
        return ast.Arg(None, value, span=span)

    def keyword_arg(self, span: Span, name: Token, value: ast.Expr) -> ast.Arg:
        return ast.Arg(name.text, value, span=span)

    def index(self, span: Span, base: ast.Expr, subscripts: tuple[Any, ...]) -> ast.Index:
        return ast.Index(base, subscripts, span=span)

    def exprs(self, span: Span, *items: ast.Expr) -> tuple[ast.Expr, ...]:
        return items

    def subscripts(self, span: Span, *items: Any) -> tuple[Any, ...]:
        return tuple(ast.Slice(i.lower, i.upper, span=i.span) if isinstance(i, ast.Range) else i for i in items)

    def whole_axis(self, span: Span) -> ast.Slice:
        return ast.Slice(None, None, span=span)

    def attribute(self, span: Span, base: ast.Expr, name: Token) -> ast.Attribute:
        return ast.Attribute(base, name.text, span=span, name_span=self.place(name))

    def given(self, span: Span, model: ast.Expr, fields: tuple[ast.Field, ...]) -> ast.Given:
        return ast.Given(model, fields, span=span)

    # --- collections

    def tuple_lit(self, span: Span, *elements: ast.Expr) -> ast.TupleLit:
        return ast.TupleLit(elements, span=span)

    def array(self, span: Span, *elements: ast.Expr) -> ast.ArrayLit:
        return ast.ArrayLit(elements, span=span)

    def comprehension(self, span: Span, element: ast.Expr, *indices: ast.LoopIndex) -> ast.Comprehension:
        return ast.Comprehension(element, indices, span=span)

    def loop_index(self, span: Span, name: Token, range: ast.Expr) -> ast.LoopIndex:
        return ast.LoopIndex(name.text, range, span=span, name_span=self.place(name))

    def fields(self, span: Span, *fields: ast.Field) -> tuple[ast.Field, ...]:
        return fields

    def field(self, span: Span, name: Token, value: ast.Expr | None) -> ast.Field:
        return ast.Field(name.text, value, span=span)

    def record(self, span: Span, fields: tuple[ast.Field, ...]) -> ast.RecordLit:
        return ast.RecordLit(fields, span=span)

    # --- functions, inference, choice

    def lambda_expr(self, span: Span, params: tuple[ast.Param, ...], result: Any, body: ast.Expr) -> ast.Lambda:
        return ast.Lambda(params, result, body, span=span)

    def lambda_block(self, span: Span, params: tuple[ast.Param, ...], result: Any, body: ast.Block) -> ast.Lambda:
        return ast.Lambda(params, result, body, span=span)

    def infer(self, span: Span, body: ast.Block, method: ast.Expr | None) -> ast.Infer:
        return ast.Infer(body, method, span=span)

    def expect(self, span: Span, body: ast.Block) -> ast.Expect:
        return ast.Expect(body, span=span)

    def match_expr(self, span: Span, subject: ast.Expr, *arms: ast.ExprArm) -> ast.MatchExpr:
        return ast.MatchExpr(subject, arms, span=span)

    def expr_arm(self, span: Span, pattern: ast.Pattern, value: ast.Expr) -> ast.ExprArm:
        return ast.ExprArm(pattern, value, span=span)

    # --- patterns

    def p_name(self, span: Span, name: Token) -> ast.PName:
        return ast.PName(name.text, span=span)

    def p_wildcard(self, span: Span) -> ast.PWildcard:
        return ast.PWildcard(span=span)

    def p_literal(self, span: Span, value: ast.Expr) -> ast.PLiteral:
        return ast.PLiteral(value, span=span)

    def p_signed(self, span: Span, op: Token, value: ast.Expr) -> ast.PLiteral:
        return ast.PLiteral(ast.Unary(op.text, value, span=span), span=span)

    def p_constructor(self, span: Span, name: Token, *args: ast.Pattern) -> ast.PConstructor:
        return ast.PConstructor(name.text, args, span=span)

    def p_tuple(self, span: Span, *elements: ast.Pattern) -> ast.PTuple:
        return ast.PTuple(elements, span=span)
