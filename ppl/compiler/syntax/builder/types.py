"""Types, and what stands between ``<`` and ``>``."""

from __future__ import annotations

from typing import Any

from ppl.compiler.diagnostics.span import Span
from ppl.compiler.syntax import ast
from ppl.compiler.syntax.builder.base import Base
from ppl.compiler.syntax.parse.token import Token


class Types(Base):
    def named_type(self, span: Span, name: ast.Expr) -> ast.NamedType:
        return ast.NamedType(_dotted_text(name), span=span)

    def applied_type(self, span: Span, name: ast.Expr, args: list[Any]) -> ast.NamedType:
        bounds = tuple(a for a in args if isinstance(a, tuple))
        rest = tuple(a for a in args if not isinstance(a, tuple))
        return ast.NamedType(_dotted_text(name), rest, bounds, span=span)

    def array_type(self, span: Span, element: ast.TypeExpr, dims: tuple[ast.Expr, ...]) -> ast.ArrayType:
        return ast.ArrayType(element, dims, span=span)

    def missing_type(self, span: Span, element: Any) -> ast.MissingType:
        return ast.MissingType(self._type(element), span=span)

    def type_list(self, span: Span, *types: ast.TypeExpr) -> tuple[ast.TypeExpr, ...]:
        return types

    def tuple_type(self, span: Span, types: tuple[ast.TypeExpr, ...]) -> ast.TypeExpr:
        if not types:
            self.report("E018", "`()` is not a type", span, "a tuple type has two parts or more")
        return types[0] if len(types) == 1 else ast.TupleType(types, span=span)

    def fn_type(self, span: Span, params: tuple[ast.TypeExpr, ...], result: ast.TypeExpr) -> ast.FnType:
        return ast.FnType(params, result, span=span)

    def field_type(self, span: Span, name: Token, type: ast.TypeExpr) -> tuple[str, ast.TypeExpr]:
        return name.text, type

    def record_type(self, span: Span, *fields: tuple[str, ast.TypeExpr]) -> ast.RecordType:
        return ast.RecordType(fields, span=span)

    def constructor(self, span: Span, name: Token, args: tuple[ast.TypeExpr, ...] | None) -> ast.Constructor:
        return ast.Constructor(name.text, args or (), span=span)

    def sum_type(self, span: Span, *constructors: ast.Constructor) -> ast.SumType:
        return ast.SumType(constructors, span=span)

    # Between `<` and `>` a name alone is read as a type; arithmetic shows that it was a size after all.

    def type_args(self, span: Span, *args: Any) -> list[Any]:
        return list(args)

    def bound(self, span: Span, name: Token, value: Any) -> tuple[str, ast.Expr]:
        if name.text not in ("lower", "upper"):
            self.report("E018", f"a type has no bound `{name.text}`", self.place(name), "`lower` or `upper`")
        return name.text, self._expr(value)

    def arg_binary(self, span: Span, left: Any, op: Token, right: Any) -> ast.Binary:
        return ast.Binary(op.text, self._expr(left), self._expr(right), span=span)

    def arg_unary(self, span: Span, op: Token, operand: Any) -> ast.Unary:
        return ast.Unary(op.text, self._expr(operand), span=span)

    def arg_index(self, span: Span, base: Any, dims: tuple[ast.Expr, ...]) -> ast.ArrayType | ast.Index:
        if isinstance(base, ast.TypeExpr):
            return ast.ArrayType(base, dims, span=span)
        return ast.Index(base, dims, span=span)

    def arg_call(self, span: Span, function: Any, args: tuple[ast.Arg, ...]) -> ast.Call:
        return ast.Call(self._expr(function), args, span=span)

    def type_arg_list(self, span: Span, *args: Any) -> tuple[Any, ...]:
        return args

    def arg_group(self, span: Span, args: tuple[Any, ...]) -> Any:
        if len(args) == 1 and not isinstance(args[0], tuple):
            return args[0]
        return self.tuple_type(span, tuple(self._type(a) for a in args))

    def arg_fn_type(self, span: Span, params: tuple[Any, ...], result: Any) -> ast.FnType:
        return ast.FnType(tuple(self._type(p) for p in params), self._type(result), span=span)

    def _type(self, node: Any) -> ast.TypeExpr:
        if isinstance(node, ast.TypeExpr):
            return node
        value = node[1] if isinstance(node, tuple) else node
        self.report("E018", "a type is needed here", value.span, "this is a value, not a type")
        return ast.NamedType("real", span=value.span)

    def _expr(self, node: Any) -> ast.Expr:
        """The expression that was read as a type: a name, or an element of an array."""
        match node:
            case ast.NamedType(name=name, args=(), bounds=()):
                first, *rest = name.split(".")
                expr: ast.Expr = ast.Name(first, span=node.span)
                for part in rest:
                    expr = ast.Attribute(expr, part, span=node.span, name_span=node.span)
                return expr
            case ast.ArrayType(element=element, dims=dims):
                return ast.Index(self._expr(element), dims, span=node.span)
            case ast.Expr():
                return node
        span = node[1].span if isinstance(node, tuple) else node.span
        self.report("E018", "a size or a number is needed here", span, "this is a type, not a value")
        return ast.IntLit(0, span=span)


def _dotted_text(name: ast.Expr) -> str:
    return f"{_dotted_text(name.base)}.{name.name}" if isinstance(name, ast.Attribute) else getattr(name, "id", "")
