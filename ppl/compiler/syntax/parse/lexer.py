"""From text to tokens: one regular expression, made from the grammar's terminals."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from ppl.compiler.diagnostics.diagnostic import Diagnostic
from ppl.compiler.diagnostics.span import Source, Span
from ppl.compiler.syntax.ast import Comment
from ppl.compiler.syntax.parse.table import Table
from ppl.compiler.syntax.parse.token import Token
from ppl.compiler.syntax.recover import mistakes

_SKIPPED = ("COMMENT", "SPACE")


@dataclass
class Lexed:
    """Tokens, with *every* newline and ``;`` as ``NL`` and ``END`` at last; docs by the start of what they describe."""

    tokens: list[Token] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    docs: dict[int, str] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)


@lru_cache(maxsize=2)
def _scanner(table: Table) -> re.Pattern[str]:
    words = [text for text in table.literals if text.isidentifier() and text != "_"]
    signs = [text for text in table.literals if text not in words]
    groups = [
        *((name, pattern) for name, pattern in table.patterns if name == "NAME"),
        ("BLANK", r"[^\S\n]+"),
        ("NL", r"[\n;]"),
        ("COMMENT", r"#[^\n]*"),
        ("WRONG", mistakes.PATTERN),
        ("WORD", rf"(?:{'|'.join(words)})\b"),
        *((name, pattern) for name, pattern in table.patterns if name not in ("NAME", *_SKIPPED, "MUL_OP", "ADD_OP")),
        ("SIGN", "|".join(re.escape(text) for text in signs)),
        *((name, pattern) for name, pattern in table.patterns if name in ("MUL_OP", "ADD_OP")),
        ("OTHER", r"."),
    ]
    return re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in groups))


def lex(source: Source, table: Table) -> Lexed:
    """Never fails: what is no token is reported and left out, or read as what was probably meant."""
    out = Lexed()
    tokens, text, file = out.tokens, source.text, source.name
    doc: list[str] = []
    for match in _scanner(table).finditer(text):
        kind = match.lastgroup or ""
        if kind == "BLANK":
            continue
        start, end = match.span()
        piece = match.group()
        if kind == "COMMENT":
            trailing = bool(tokens) and tokens[-1].type != "NL"
            out.comments.append(Comment(piece.rstrip(), trailing, span=Span(file, start, end)))
            if piece.startswith("##") and not trailing:
                doc.append(piece[2:].removeprefix(" ").rstrip())
            continue
        if kind == "NL":
            tokens.append(Token("NL", piece, start, end))
            continue
        if kind == "WRONG" or kind == "OTHER":
            mistakes.report(out, source, piece, start, end)
            continue
        if doc:
            out.docs[start] = "\n".join(doc)
            doc.clear()
        tokens.append(Token(piece if kind == "WORD" or kind == "SIGN" else kind, piece, start, end))
    tokens.append(Token("END", "", len(text), len(text)))
    return out
