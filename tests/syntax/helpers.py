"""What the syntax tests share."""

from __future__ import annotations

from pathlib import Path

from ppl.compiler.diagnostics.diagnostic import Diagnostic
from ppl.compiler.diagnostics.span import Source
from ppl.compiler.syntax import ast
from ppl.compiler.syntax.parser import parse

HERE = Path(__file__).parent
MODELS = sorted((HERE / "models").glob("*.ppl")) + sorted(HERE.parents[1].glob("examples/*/model.ppl"))


def name_of(path: Path) -> str:
    return path.parent.name if path.name == "model.ppl" else path.stem


def module(text: str) -> ast.Module:
    """The tree of a text without mistakes."""
    parsed, found = parse(Source.of("test.ppl", text))
    assert not found, [f"{d.code} {d.message}" for d in found]
    assert parsed is not None
    return parsed


def findings(text: str) -> list[Diagnostic]:
    return parse(Source.of("test.ppl", text))[1]


def expression(text: str) -> ast.Expr:
    (declaration,) = module(f"const c = {text}").declarations
    assert isinstance(declaration, ast.ConstDecl)
    return declaration.value


def statement(text: str) -> ast.Stmt:
    (declaration,) = module(f"model m() {{\n  {text}\n}}").declarations
    assert isinstance(declaration, ast.ModelDecl)
    return declaration.body.statements[0]


def shape(node: ast.Expr) -> str:
    """An expression with every operation in parentheses."""
    match node:
        case ast.Binary(op=op, left=left, right=right):
            return f"({shape(left)} {op} {shape(right)})"
        case ast.Unary(op=op, operand=operand):
            return f"({op} {shape(operand)})"
        case ast.Range(lower=lower, upper=upper):
            return f"({shape(lower)} .. {shape(upper)})"
        case ast.IfExpr(condition=condition, then=then, otherwise=otherwise):
            return f"(if {shape(condition)} then {shape(then)} else {shape(otherwise)})"
        case ast.Call(function=function, args=args):
            return f"{shape(function)}({', '.join(shape(a.value) for a in args)})"
        case ast.Index(base=base, subscripts=subscripts):
            return f"{shape(base)}[{', '.join(shape(s) if isinstance(s, ast.Expr) else ':' for s in subscripts)}]"
        case ast.Attribute(base=base, name=name):
            return f"{shape(base)}.{name}"
        case ast.Given(model=model):
            return f"({shape(model)} given)"
        case ast.Name(id=name):
            return name
        case ast.IntLit(value=value):
            return str(value)
        case ast.FloatLit(text=text):
            return text
    return type(node).__name__
