"""Text that is no token: what was probably meant, and what to say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ppl.compiler.diagnostics.diagnostic import Diagnostic, Edit, Help, Label
from ppl.compiler.diagnostics.span import Source, Span
from ppl.compiler.syntax.parse.token import Token

if TYPE_CHECKING:
    from ppl.compiler.syntax.parse.lexer import Lexed

#: Signs of other languages, and strings that do not end.
PATTERN = r'&&|\|\||\*\*|:=|[+\-*/]=|//[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/)?|!(?!=)|"(?:[^"\\\n]|\\[^\n])*(?:\\?(?=\n)|\Z)'


def report(out: Lexed, source: Source, piece: str, start: int, end: int) -> None:
    span = Span(source.name, start, end)
    out.diagnostics.append(Diagnostic("E001", f"unexpected character `{piece}`", Label(span, "this begins no token")))
