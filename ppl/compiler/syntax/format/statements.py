"""How statements and blocks are written."""

from __future__ import annotations

from ppl.compiler.syntax import ast
from ppl.compiler.syntax.format.doc import HARD, Doc, Nest
from ppl.compiler.syntax.format.expressions import Expressions

_ROLES = {"latent": "", "data": "data ", "aux": "aux "}


class Statements(Expressions):
    def block(self, node: ast.Block) -> Doc:
        """A block on lines of its own; a comment behind its brace stays there."""
        start = node.span.start + 1
        first = node.statements[0].span.start if node.statements else node.span.end
        head = [f" {c.text}" for c in self.comments.behind(start, first)]
        lines = self.comments.sequence(node.statements, start, node.span.end, self.stmt)
        if not lines:
            return ["{", *head, HARD if head else "", "}"]
        return ["{", *head, Nest([HARD, lines]), HARD, "}"]

    def stmt(self, node: ast.Stmt) -> Doc:
        match node:
            case ast.Let():
                return ["let ", self.expr(node.target), self._typed(node.type), " = ", self.expr(node.value)]
            case ast.VarStmt():
                return ["var ", node.name, self._typed(node.type), " = ", self.expr(node.value)]
            case ast.Assign():
                return [self.expr(node.target), " = ", self.expr(node.value)]
            case ast.Draw():
                head = [_ROLES[node.role], self.expr(node.target), self._typed(node.type), " ~ "]
                return [*head, self.expr(node.dist), [" ", self._via(node.via)] if node.via else ""]
            case ast.Observe():
                return ["observe ", self.expr(node.value), " ~ ", self.expr(node.dist)]
            case ast.Factor():
                return ["factor ", self.expr(node.value)]
            case ast.Require():
                return ["require ", self.expr(node.condition)]
            case ast.Output():
                return ["output ", node.name, self._typed(node.type), " = ", self.expr(node.value)]
            case ast.ParamStmt():
                return ["param ", node.name, self._typed(node.type), " = ", self.expr(node.value)]
            case ast.Return():
                return ["return ", self.expr(node.value)]
            case ast.Plate():
                return ["plate ", self.indices(node.indices), " ", self.block(node.body)]
            case ast.For():
                return ["for ", self.indices((node.index,)), " ", self.block(node.body)]
            case ast.If():
                return self._if(node)
            case ast.Match():
                lines = self.comments.sequence(node.arms, node.subject.span.end, node.span.end, self._stmt_arm)
                return ["match ", self.expr(node.subject), " {", Nest([HARD, lines]), HARD, "}"]
        raise TypeError(f"no layout for {type(node).__name__}")

    def _typed(self, type: ast.TypeExpr | None) -> Doc:
        return [": ", self.type(type)] if type is not None else ""

    def _via(self, node: ast.Via) -> Doc:
        args = self.comments.items("(", node.args, ")", node.span, self.arg) if node.args else ""
        return ["via ", node.name, args]

    def _if(self, node: ast.If) -> Doc:
        head: list[Doc] = ["if ", self.expr(node.condition), " ", self.block(node.then)]
        otherwise = node.otherwise
        if otherwise is None:
            return head
        # A comment between `}` and `else` has no place there: it goes to the top of what follows.
        moved = self.comments.take(node.then.span.end, otherwise.span.start)
        chained = len(otherwise.statements) == 1 and otherwise.statements[0].span == otherwise.span
        if chained and not moved:
            return [*head, " else ", self.stmt(otherwise.statements[0])]
        body = self.stmt(otherwise.statements[0]) if chained else None
        lines: list[Doc] = [[HARD, c.text] for c in moved]
        if body is not None:
            return [*head, " else {", Nest([*lines, HARD, body]), HARD, "}"]
        if not moved:
            return [*head, " else ", self.block(otherwise)]
        inner = self.comments.sequence(otherwise.statements, otherwise.span.start + 1, otherwise.span.end, self.stmt)
        return [*head, " else {", Nest([*lines, [HARD, inner] if inner else ""]), HARD, "}"]

    def _stmt_arm(self, node: ast.StmtArm) -> Doc:
        return [self.pattern(node.pattern), " => ", self.block(node.body)]
