"""How declarations and whole files are written."""

from __future__ import annotations

from dataclasses import dataclass

from ppl.compiler.syntax import ast
from ppl.compiler.syntax.format.comments import Comments
from ppl.compiler.syntax.format.doc import HARD, Doc, Nest, join
from ppl.compiler.syntax.format.expressions import quote
from ppl.compiler.syntax.format.statements import Statements

_Headed = ast.FnDecl | ast.ModelDecl | ast.GuideDecl | ast.ObjectiveDecl | ast.DistDecl | ast.ExternFnDecl
_BODIES = (ast.FnDecl, ast.ModelDecl, ast.GuideDecl, ast.ObjectiveDecl, ast.DistDecl)


@dataclass(frozen=True, slots=True)
class _Member:
    """``logpdf(x) { … }`` or ``sample { … }`` of a distribution."""

    head: str
    body: ast.Block

    @property
    def span(self) -> ast.Span:
        return self.body.span


class Formatter(Statements):
    def __init__(self, comments: Comments):
        self.comments = comments

    def module(self, node: ast.Module) -> Doc:
        """Declarations with bodies stand apart by an empty line; between others one is kept."""
        lines = self.comments.sequence(node.declarations, 0, node.span.end + 1, self.decl, _apart)
        return [lines, HARD] if lines else ""

    def decl(self, node: ast.Decl) -> Doc:
        match node:
            case ast.Import(name=name, path=path):
                named = self.comments.text[node.name_span.start] != '"'
                return ["import ", quote(path), f" as {name}" if named else ""]
            case ast.TypeDecl(definition=definition):
                gap = "" if isinstance(definition, ast.SumType) else " "
                return ["type ", node.name, self._generics(node.generics), " =", gap, self.type(definition)]
            case ast.ConstDecl():
                return ["const ", node.name, self._typed(node.type), " = ", self.expr(node.value)]
            case ast.ExternFnDecl(source=source):
                where = [" = ", quote(source)] if source is not None else ""
                return ["extern ", self._head("fn", node, node.span.end), " -> ", self.type(node.result), where]
            case ast.DistDecl():
                return self._dist(node)
            case ast.GuideDecl(target_sizes=sizes):
                of = ["[", join(", ", [self.expr(s) for s in sizes]), "]"] if sizes else ""
                head = self._head("guide", node, node.target.span.start)
                return [head, " for ", self.expr(node.target), of, " ", self.block(node.body)]
            case ast.FnDecl() | ast.ModelDecl() | ast.ObjectiveDecl():
                kind = {ast.FnDecl: "fn", ast.ModelDecl: "model", ast.ObjectiveDecl: "objective"}[type(node)]
                result = [" -> ", self.type(node.result)] if node.result is not None else ""
                return [self._head(kind, node, node.body.span.start), result, " ", self.block(node.body)]
        raise TypeError(f"no layout for {type(node).__name__}")

    def _head(self, kind: str, node: _Headed, end: int) -> Doc:
        """``model name[N](a: pos = 1)``; the head ends before ``end``."""
        span = ast.Span(node.span.file, node.name_span.end, end)
        return [kind, " ", node.name, self._generics(node.generics), self.params(node.params, span)]

    def _dist(self, node: ast.DistDecl) -> Doc:
        members = [
            *([_Member(f"logpdf({node.logpdf_arg})", node.logpdf)] if node.logpdf is not None else []),
            *([_Member("sample", node.sample)] if node.sample is not None else []),
        ]
        members.sort(key=lambda m: m.span.start)
        head = [self._head("dist", node, node.over.span.start), " over ", self.type(node.over), " {"]
        behind = self.comments.text.find("{", node.over.span.end) + 1
        first = members[0].span.start if members else node.span.end
        head += [f" {c.text}" for c in self.comments.behind(behind, first)]
        lines = self.comments.sequence(members, behind, node.span.end, self._member)
        return [head, Nest([HARD, lines]), HARD, "}"] if lines else [head, HARD, "}"]

    def _member(self, node: _Member) -> Doc:
        return [node.head, " ", self.block(node.body)]

    def _generics(self, generics: tuple[ast.Generic, ...]) -> Doc:
        return (
            ["[", join(", ", [g.name + (f": {g.kind}" if g.kind else "") for g in generics]), "]"] if generics else ""
        )

    def params(self, params: tuple[ast.Param, ...], span: ast.Span) -> Doc:
        """``span`` holds the parameters and, of the comments, only those between them."""
        if not params:
            return "()"
        inner = ast.Span(span.file, span.start, params[-1].span.end)
        return self.comments.items("(", params, ")", inner, self._param)

    def _param(self, node: ast.Param) -> Doc:
        default = [" = ", self.expr(node.default)] if node.default is not None else ""
        return [node.name, self._typed(node.type), default]


def _apart(node: ast.Decl, previous: ast.Decl | None) -> bool:
    return isinstance(node, _BODIES) or isinstance(previous, _BODIES)
