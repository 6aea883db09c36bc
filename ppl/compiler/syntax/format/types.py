"""How types are written."""

from __future__ import annotations

from ppl.compiler.syntax import ast
from ppl.compiler.syntax.format.comments import Comments
from ppl.compiler.syntax.format.doc import LINE, Doc, Group, Nest, join


class Types:
    """Needs ``expr`` of the class that writes expressions."""

    comments: Comments

    def expr(self, node: ast.Expr, level: int = 0) -> Doc:
        raise NotImplementedError

    def type(self, node: ast.TypeExpr) -> Doc:
        match node:
            case ast.NamedType(name=name):
                bounds = [[f"{key}=", self.expr(value, 6)] for key, value in node.bounds]
                args = [self.type(a) if isinstance(a, ast.TypeExpr) else self.expr(a, 6) for a in node.args]
                parts: list[Doc] = [*args, *bounds]
                return [name, "<", join(", ", parts), ">"] if parts else name
            case ast.ArrayType(element=element, dims=dims):
                return [self._element(element), "[", join(", ", [self.expr(d) for d in dims]), "]"]
            case ast.MissingType(element=element):
                return [self._element(element), "?"]
            case ast.TupleType(elements=elements):
                return self.comments.items("(", elements, ")", node.span, self.type)
            case ast.RecordType(fields=fields):
                return Group(["{", join(", ", [[name, ": ", self.type(of)] for name, of in fields]), "}"])
            case ast.FnType(params=params, result=result):
                return ["(", join(", ", [self.type(p) for p in params]), ") -> ", self.type(result)]
            case ast.SumType(constructors=constructors):
                shown = [["| ", c.name, self._constructor(c)] for c in constructors]
                return Group(Nest([LINE, join(LINE, shown)]))
        raise TypeError(f"no layout for {type(node).__name__}")

    def _element(self, node: ast.TypeExpr) -> Doc:
        return ["(", self.type(node), ")"] if isinstance(node, ast.FnType) else self.type(node)

    def _constructor(self, node: ast.Constructor) -> Doc:
        return ["(", join(", ", [self.type(a) for a in node.args]), ")"] if node.args else ""
