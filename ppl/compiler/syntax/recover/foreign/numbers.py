"""Numbers as other languages write them."""

from __future__ import annotations

from ppl.compiler.diagnostics.diagnostic import Edit
from ppl.compiler.syntax.parse.token import Token
from ppl.compiler.syntax.recover.fix import Fix
from ppl.compiler.syntax.recover.foreign.at import At, finding


def number(at: At) -> Fix | None:
    """``.5``, ``1.``, ``0x10``, ``1e``"""
    for k in (0, -1):
        dot, digits = at.token(k), at.token(k + 1)
        joined = dot.type == "." and digits.type == "INT" and dot.end == digits.start
        if joined and at.kind(k - 1) not in ("NAME", ")", "]"):
            return _written(at, k, k + 2, "FLOAT", f"0.{digits.text}", "a number begins with a digit")
    before, last, token = at.token(-2), at.token(-1), at.token()
    if last.type == "." and before.type == "INT" and before.end == last.start:
        return _written(at, -2, 0, "FLOAT", f"{before.text}.0", "a digit is missing behind the point")
    if last.type == "INT" and token.type == "NAME" and last.end == token.start:
        if last.text == "0" and token.text[0] in "xXbBoO":
            return _written(at, -1, 1, "INT", _decimal(last.text + token.text), "numbers are decimal")
        if token.text in ("e", "E"):
            return _written(at, -1, 1, "INT", last.text, "an exponent has digits")
    return None


def _written(at: At, start: int, stop: int, kind: str, text: str, message: str) -> Fix:
    """The tokens at ``start..stop`` are a number, which is written ``text``."""
    span = at.span(at.token(start), at.token(stop - 1))
    found = finding("E020", message, span, "not a number of the language", f"write `{text}`", Edit(span, text))
    return at.fix(start, stop, (Token(kind, text, span.start, span.end),), found)


def _decimal(text: str) -> str:
    try:
        return str(int(text, 0))
    except ValueError:
        return "0"
