"""How expressions and patterns are written, with parentheses only where the grammar needs them."""

from __future__ import annotations

from ppl.compiler.syntax import ast
from ppl.compiler.syntax.format.doc import HARD, LINE, Doc, Group, Nest, join
from ppl.compiler.syntax.format.types import Types

#: How tightly operators bind; the levels of the grammar's rules.
_OR, _AND, _NOT, _COMPARISON, _RANGE, _SUM, _PRODUCT, _SIGNED, _POWER, _POSTFIX, _ATOM = range(1, 12)

_LEVELS = {
    "or": _OR, "and": _AND, "==": _COMPARISON, "!=": _COMPARISON, "<": _COMPARISON, "<=": _COMPARISON, ">": _COMPARISON,
    ">=": _COMPARISON, "+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "%": _PRODUCT, "@": _PRODUCT, "^": _POWER,
}  # fmt: skip


def level_of(node: ast.Expr) -> int:
    match node:
        case ast.Binary(op=op):
            return _LEVELS[op]
        case ast.Unary(op="not"):
            return _NOT
        case ast.Unary():
            return _SIGNED
        case ast.Range():
            return _RANGE
        case ast.IfExpr() | ast.Lambda() | ast.Infer():
            return 0
        case ast.Call() | ast.Index() | ast.Attribute() | ast.Given():
            return _POSTFIX
    return _ATOM


class Expressions(Types):
    """Needs ``block`` and ``params`` of the classes that write statements and declarations."""

    def block(self, node: ast.Block) -> Doc:
        raise NotImplementedError

    def params(self, params: tuple[ast.Param, ...], span: ast.Span) -> Doc:
        raise NotImplementedError

    def expr(self, node: ast.Expr, level: int = 0) -> Doc:
        """The expression where the grammar takes one that binds at least as tightly as ``level``."""
        shown = self._expr(node)
        return ["(", shown, ")"] if level_of(node) < level else shown

    def _expr(self, node: ast.Expr) -> Doc:
        match node:
            case ast.Name(id=text):
                return text
            case ast.IntLit(value=value):
                return str(value)
            case ast.FloatLit(value=value, text=text):
                return text or repr(value)
            case ast.BoolLit(value=value):
                return "true" if value else "false"
            case ast.StringLit(value=value):
                return quote(value)
            case ast.Binary():
                return self._binary(node)
            case ast.Unary(op=op, operand=operand):
                return ["not ", self.expr(operand, _NOT)] if op == "not" else [op, self.expr(operand, _SIGNED)]
            case ast.Range(lower=lower, upper=upper):
                return [self.expr(lower, _SUM), "..", self.expr(upper, _SUM)]
            case ast.IfExpr(condition=condition, then=then, otherwise=otherwise):
                parts: list[Doc] = [["if ", self.expr(condition), " then"], Nest([LINE, self.expr(then)]), LINE, "else"]
                return Group([*parts, Nest([LINE, self.expr(otherwise)])])
            case ast.Call(function=function, args=args):
                return [
                    self.expr(function, _POSTFIX),
                    self.comments.items("(", args, ")", _behind(node, function), self.arg),
                ]
            case ast.Index(base=base, subscripts=subscripts):
                return [
                    self.expr(base, _POSTFIX),
                    Group(["[", join(", ", [self._subscript(s) for s in subscripts]), "]"]),
                ]
            case ast.Attribute(base=base, name=name):
                number = isinstance(base, ast.IntLit | ast.FloatLit)
                return [["(", self.expr(base), ")"] if number else self.expr(base, _POSTFIX), ".", name]
            case ast.Given(model=model, fields=fields):
                shown = self.comments.items("{", fields, "}", _behind(node, model), self._field)
                return [self.expr(model, _POSTFIX), " given ", shown]
            case ast.ArrayLit(elements=elements):
                return self.comments.items("[", elements, "]", node.span, self.expr)
            case ast.TupleLit(elements=(one,)):
                return ["(", self.expr(one), ",)"]
            case ast.TupleLit(elements=elements):
                return self.comments.items("(", elements, ")", node.span, self.expr)
            case ast.RecordLit(fields=fields):
                return self.comments.items("{", fields, "}", node.span, self._field)
            case ast.Comprehension(element=element, indices=indices):
                return Group(["[", Nest([self.expr(element), LINE, "for ", self.indices(indices)]), "]"])
            case ast.Lambda():
                return self._lambda(node)
            case ast.MatchExpr(subject=subject, arms=arms):
                lines = self.comments.sequence(arms, subject.span.end, node.span.end, self._arm)
                return ["match ", self.expr(subject), " with {", Nest([HARD, lines]), HARD, "}"]
            case ast.Infer(body=body, method=method):
                return ["infer ", self.block(body), [" by ", self.expr(method, _POSTFIX)] if method else ""]
            case ast.Expect(body=body):
                return ["expect ", self.block(body)]
        raise TypeError(f"no layout for {type(node).__name__}")

    def _binary(self, node: ast.Binary) -> Doc:
        """A chain of operators of one level: broken behind the operators, all of them or none."""
        level = _LEVELS[node.op]
        if node.op == "^":
            return [self.expr(node.left, _POSTFIX), "^", self.expr(node.right, _SIGNED)]
        if level == _COMPARISON:
            return Group([self.expr(node.left, _RANGE), f" {node.op}", Nest([LINE, self.expr(node.right, _RANGE)])])
        rest: list[Doc] = []
        left: ast.Expr = node
        while isinstance(left, ast.Binary) and _LEVELS[left.op] == level:
            rest += [self.expr(left.right, level + 1), LINE, f" {left.op}"]
            left = left.left
        rest.reverse()
        return Group([self.expr(left, level), Nest(rest)])

    def _lambda(self, node: ast.Lambda) -> Doc:
        body = node.body
        head: list[Doc] = ["fn", self.params(node.params, ast.Span(node.span.file, node.span.start, body.span.start))]
        if node.result is not None:
            head += [" -> ", self.type(node.result)]
        return [*head, " ", self.block(body)] if isinstance(body, ast.Block) else [*head, " => ", self.expr(body)]

    def arg(self, node: ast.Arg) -> Doc:
        return [node.name, " = ", self.expr(node.value)] if node.name is not None else self.expr(node.value)

    def _field(self, node: ast.Field) -> Doc:
        return [node.name, " = ", self.expr(node.value)] if node.value is not None else node.name

    def _subscript(self, node: ast.Expr | ast.Slice) -> Doc:
        if isinstance(node, ast.Expr):
            return self.expr(node)
        lower, upper = node.lower, node.upper
        return (
            [self.expr(lower, _SUM), "..", self.expr(upper, _SUM)] if lower is not None and upper is not None else ":"
        )

    def indices(self, indices: tuple[ast.LoopIndex, ...]) -> Doc:
        return join(", ", [[i.name, " in ", self.expr(i.range)] for i in indices])

    def _arm(self, node: ast.ExprArm) -> Doc:
        return [self.pattern(node.pattern), " => ", self.expr(node.value)]

    def pattern(self, node: ast.Pattern) -> Doc:
        match node:
            case ast.PName(name=name):
                return name
            case ast.PWildcard():
                return "_"
            case ast.PLiteral(value=value):
                return self.expr(value)
            case ast.PConstructor(name=name, args=args):
                return [name, "(", join(", ", [self.pattern(a) for a in args]), ")"]
            case ast.PTuple(elements=elements):
                return ["(", join(", ", [self.pattern(e) for e in elements]), ")"]
        raise TypeError(f"no layout for {type(node).__name__}")


def _behind(node: ast.Expr, first: ast.Expr) -> ast.Span:
    return ast.Span(node.span.file, first.span.end, node.span.end)


def quote(value: str) -> str:
    """The string as a literal."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'
