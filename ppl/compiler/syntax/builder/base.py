"""What the parts of the builder share."""

from __future__ import annotations

from ppl.compiler.diagnostics.diagnostic import Diagnostic, Help, Label
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.syntax.parse.token import Token


class Base:
    """Each grammar alternative names a method here or in a subclass: ``method(span, *parts) -> value``."""

    def __init__(self, file: str, docs: dict[int, str]):
        self.file = file
        self.docs = docs
        self.diagnostics: list[Diagnostic] = []

    def report(self, code: str, message: str, span: Span, label: str, *helps: Help) -> None:
        self.diagnostics.append(Diagnostic(code, message, Label(span, label), helps=helps))

    def place(self, token: Token) -> Span:
        return Span(self.file, token.start, token.end)


def unquote(text: str) -> str:
    """The value of a string literal."""
    out, escaped = [], False
    for char in text[1:-1]:
        if escaped:
            out.append({"n": "\n", "t": "\t"}.get(char, char))
            escaped = False
        elif char == "\\":
            escaped = True
        else:
            out.append(char)
    return "".join(out)
