"""Statements of Python and others, and expressions that stand as statements."""

from __future__ import annotations

from ppl.compiler.diagnostics.diagnostic import Edit
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.syntax.parse.token import Token
from ppl.compiler.syntax.recover.fix import Fix
from ppl.compiler.syntax.recover.foreign.at import At, finding, sign


def declared_by(at: At) -> Fix | None:
    """``def f(x):``"""
    if not at.declares or at.first.text not in ("def", "function", "class"):
        return None
    message = f"`{at.first.text}` does not declare anything here"
    help = "begin it with `fn` or `model`, its body in `{ … }`"
    found = finding("E014", message, at.span(at.first), "a declaration begins here", help)
    return at.fix(at.start, at.block_end(), (), found)


def else_if(at: At) -> Fix | None:
    """``} elif c {``"""
    k = 0 if at.token().text in ("elif", "elsif") else -1
    token, before = at.token(k), at.kind(k - 1)
    if token.text not in ("elif", "elsif") or before not in ("}", "NL"):
        return None
    span, edit = at.span(token), Edit(at.span(token), "else if")
    found = finding("E014", f"`{token.text}` is written `else if`", span, "as in Python", "write `else if`", edit)
    return at.fix(k - (before == "NL"), k + 1, (sign("else", token), sign("if", token)), found)


def unbounded_loop(at: At) -> Fix | None:
    """``while c { … }``"""
    if at.declares or at.first.text not in ("while", "repeat") or at.start != -1:
        return None
    help = "loop over a range with `for`, or write a recursive `fn` or `model`"
    found = finding("E014", f"there is no `{at.first.text}`", at.span(at.first), "a loop without a bound", help)
    return at.fix(at.start, at.block_end(), (), found)


def expression_statement(at: At) -> Fix | None:
    """``f(x)`` alone on its line"""
    first, stop = at.first, at.end()
    if at.declares or first.type not in ("NAME", "INT", "FLOAT", "STRING", "("):
        return None
    if at.start == -1 and at.kind() not in ("(", ".", "NL", "}", "ADD_OP", "MUL_OP"):
        return None
    statement = tuple(at.token(k) for k in range(at.start, stop))
    kinds = [t.type for t in statement]
    if "~" in kinds or "{" in kinds or ("=" in kinds and "(" not in kinds[: kinds.index("=")]):
        return None
    place = Span(at.repair.source.name, first.start, first.start)
    tokens = (sign("let", first), Token("NAME", "value", first.start, first.start), sign("=", first), *statement)
    span = at.span(first, at.token(stop - 1))
    message, label = "an expression is not a statement", "its value goes nowhere"
    fix = at.fix(
        at.start, stop, tokens, finding("E019", message, span, label, "name its value", Edit(place, "let value = "))
    )
    goal = min(at.position + stop + 1, len(at.repair.tokens) - 1)
    return fix if at.repair.reach(fix, goal) >= at.position + stop else None
