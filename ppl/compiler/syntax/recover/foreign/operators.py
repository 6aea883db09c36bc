"""Operators of other languages that are made of tokens of this one."""

from __future__ import annotations

from ppl.compiler.diagnostics.diagnostic import Edit
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.syntax.recover.fix import Fix
from ppl.compiler.syntax.recover.foreign.at import At, finding, sign

_COMPARES = ("<", ">", ">=", "CMP_OP")


def arrow(at: At) -> Fix | None:
    """``x <- e``"""
    less, minus = at.token(), at.token(1)
    if less.type != "<" or minus.text != "-" or less.end != minus.start or at.declares:
        return None
    span = at.span(less, minus)
    named = at.first.type in ("let", "var", "output", "param")
    edits = [*([] if named else [Edit(Span(span.file, at.first.start, at.first.start), "let ")]), Edit(span, "=")]
    message, label = "`<-` is not an assignment here", "this reads as `<` and `-`"
    return at.fix(
        0, 2, (sign("=", less),), finding("E010", message, span, label, "name a value with `let x = e`", *edits)
    )


def colon_range(at: At) -> Fix | None:
    """``1:N``"""
    if at.kind() != ":" or not at.takes("..") or at.unclosed():
        return None
    if at.kind(-1) not in ("NAME", "INT", ")", "]") or at.kind(1) not in ("NAME", "INT", "("):
        return None
    if at.kind(-1) == "NAME" and not any(t.type in ("in", "[") for t in at.before()):
        return None  # a type may follow
    span = at.span(at.token())
    message, label = "a range is written with `..`", "`:` alone means a whole axis"
    note = "indices start at 0 and `a..b` ends before `b`: `1:N` of Stan and R is `0..N`"
    found = finding("E015", message, span, label, "write `..`", Edit(span, ".."), note=note)
    return at.fix(0, 1, (sign("..", at.token()),), found)


def equals(at: At) -> Fix | None:
    """``=`` in a condition"""
    conditions = {"if", "require", "and", "or", "not"} & {t.type for t in at.before()}
    if at.kind() != "=" or not at.takes("CMP_OP") or not conditions or at.unclosed():
        return None
    span = at.span(at.token())
    found = finding("E013", "`=` does not compare", span, "a comparison is needed here", "write `==`", Edit(span, "=="))
    return at.fix(0, 1, (sign("CMP_OP", at.token(), "=="),), found)


def chained(at: At) -> Fix | None:
    """``a < b < c``"""
    if at.kind() not in _COMPARES or not at.takes("and"):
        return None
    middle = next((k for k in range(-1, max(at.start, -8), -1) if at.kind(k) in _COMPARES), None)
    if middle is None or middle == -1:
        return None
    operand = tuple(at.token(k) for k in range(middle + 1, 0))
    span = at.span(at.token(middle), at.token())
    edit = Edit(at.span(operand[-1]).after(), f" and {at.text(operand[0], operand[-1])}")
    message, label = "comparisons do not chain", "two comparisons of one operand"
    found = finding("E016", message, span, label, "join two comparisons with `and`", edit)
    return at.fix(0, 0, (sign("and", at.token()), *operand), found)


def ternary(at: At) -> Fix | None:
    """``c ? a : b``"""
    if at.kind() != "?" or not at.takes("ADD_OP") or not any(at.kind(k) == ":" for k in range(at.end())):
        return None
    span = at.span(at.token())
    found = finding("E014", "there is no `?` operator", span, "as in C and Stan", "write `if c then a else b`")
    return at.fix(0, at.end(), (), found)
