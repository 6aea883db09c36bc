"""Text that is no token: what was probably meant, what to say of it, and what to read instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ppl.compiler.diagnostics.diagnostic import Diagnostic, Edit, Help, Label
from ppl.compiler.diagnostics.span import Source, Span
from ppl.compiler.syntax.parse.token import Token

if TYPE_CHECKING:
    from ppl.compiler.syntax.parse.lexer import Lexed

#: Signs of other languages, quotes of other kinds, and strings that do not end.
PATTERN = (
    r"&&|\|\||\*\*|:=|[+\-*/]=|//[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/)?|!(?!=)"
    r"""|'[^'\n]*'|“[^”\n]*”|"(?:[^"\\\n]|\\[^\n])*(?:\\?(?=\n)|\Z)"""
)

#: Operators of other languages: the terminal and the text that stand for them here.
_OPERATORS = {"&&": ("and", "and"), "||": ("or", "or"), "!": ("not", "not"), "**": ("POW_OP", "^")}

#: Characters that look like one of the language's.
_LOOKALIKES = {
    "≤": ("CMP_OP", "<="), "≥": (">=", ">="), "≠": ("CMP_OP", "!="), "×": ("MUL_OP", "*"), "·": ("MUL_OP", "*"),
    "÷": ("MUL_OP", "/"),
    "−": ("ADD_OP", "-"), "–": ("ADD_OP", "-"), "∼": ("~", "~"), "→": ("->", "->"), "…": ("..", ".."),
}  # fmt: skip


def report(out: Lexed, source: Source, piece: str, start: int, end: int) -> None:
    """Adds the finding for ``piece`` and the tokens that stand for it."""
    span = Span(source.name, start, end)
    if piece in _OPERATORS:
        _operator(out, source, span, piece)
    elif piece in _LOOKALIKES:
        kind, text = _LOOKALIKES[piece]
        out.tokens.append(Token(kind, text, start, end))
        help = Help(f"write `{text}`", (Edit(span, text),))
        _add(out, "E001", f"unexpected character `{piece}`", span, "this begins no token", help)
    elif piece.startswith(("//", "/*")):
        _comment(out, span, piece)
    elif piece[0] in "\"'“":
        _string(out, span, piece)
    elif piece.endswith("="):
        _assignment(out, source, span, piece)
    else:
        shown = piece if piece.isprintable() else f"U+{ord(piece):04X}"
        _add(out, "E001", f"unexpected character `{shown}`", span, "this begins no token")


def _add(out: Lexed, code: str, message: str, span: Span, label: str, *helps: Help) -> None:
    out.diagnostics.append(Diagnostic(code, message, Label(span, label), helps=helps))


def _operator(out: Lexed, source: Source, span: Span, piece: str) -> None:
    kind, text = _OPERATORS[piece]
    out.tokens.append(Token(kind, text, span.start, span.end))
    before, after = source.text[: span.start][-1:], source.text[span.end :][:1]
    spaces = ("" if before.isspace() or kind == "not" else " ", "" if after.isspace() else " ")
    written = text if kind == "POW_OP" else f"{spaces[0]}{text}{spaces[1]}"
    help = Help(f"write `{text}`", (Edit(span, written),))
    _add(out, "E011", f"`{piece}` is not an operator of the language", span, f"written `{text}` here", help)


def _comment(out: Lexed, span: Span, piece: str) -> None:
    lines = piece.removeprefix("/*").removesuffix("*/").split("\n") if piece.startswith("/*") else [piece[2:]]
    edit = Edit(span, "\n".join(f"# {line.strip()}".rstrip() for line in lines))
    _add(out, "E012", "comments begin with `#`", span, "this is not a comment", Help("write `#`", (edit,)))


def _string(out: Lexed, span: Span, piece: str) -> None:
    start, end = span.start, span.end
    inner = piece[1:-1] if piece[0] in "'“" else piece[1:]
    out.tokens.append(Token("STRING", f'"{inner}"', start, end))
    if piece[0] == '"':
        place = Span(span.file, start + len(piece.rstrip()), start + len(piece.rstrip()))
        _add(
            out,
            "E002",
            "this string does not end",
            span,
            'a `"` is missing on this line',
            Help('end it with `"`', (Edit(place, '"'),)),
        )
    else:
        _add(out, "E001", f"strings stand between double quotes, not `{piece[0]}`", span, "a string",
             Help("use double quotes", (Edit(span, f'"{inner}"'),)))  # fmt: skip


def _assignment(out: Lexed, source: Source, span: Span, piece: str) -> None:
    """``x := e``, ``x += e`` and Stan's ``target += e``."""
    tokens = out.tokens
    name = tokens[-1] if tokens and tokens[-1].type == "NAME" else None
    leads = name is not None and (len(tokens) < 2 or tokens[-2].type in ("NL", "{"))
    place = Span(span.file, name.start, name.start) if name else span
    if piece == ":=":
        tokens.append(Token("=", "=", span.start, span.end))
        edits = (*((Edit(place, "let "),) if leads else ()), Edit(span, "="))
        _add(
            out,
            "E010",
            "`:=` is not an assignment here",
            span,
            "written `=`",
            Help("name a value with `let x = e`", edits),
        )
    elif name is not None and leads and name.text == "target":
        tokens[-1] = Token("factor", "factor", name.start, span.end)
        whole = Span(span.file, name.start, span.end)
        help = Help("write `factor e`", (Edit(whole, "factor"),))
        _add(out, "E014", "`target +=` is written `factor`", whole, "this is how Stan adds to the log density", help)
    else:
        operator = Token("ADD_OP" if piece[0] in "+-" else "MUL_OP", piece[0], span.start, span.end)
        tokens += [Token("=", "=", span.start, span.start), *([name, operator] if name else [])]
        edits = (Edit(span, f"= {name.text} {piece[0]}"),) if name else ()
        _add(
            out, "E010", f"there is no `{piece}`", span, "written with `=`", Help(f"write `s = s {piece[0]} e`", edits)
        )
