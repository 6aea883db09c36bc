"""Constructions of Stan, R, Python and C, with the way to say them here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ppl.compiler.diagnostics.diagnostic import Diagnostic, Edit, Help, Label
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.syntax.parse.token import Token
from ppl.compiler.syntax.recover.fix import Fix

if TYPE_CHECKING:
    from ppl.compiler.syntax.recover.repair import Repair

_STAN_TYPES = frozenset(
    "real int vector matrix row_vector array simplex ordered positive_ordered cov_matrix corr_matrix complex".split()
)
_STAN_BLOCKS = frozenset("parameters transformed generated functions".split())


def recognise(repair: Repair, position: int) -> Iterator[Fix]:
    """What the failing token at ``position`` shows to be another language's way, if anything."""
    for recogniser in _RECOGNISERS:
        if (fix := recogniser(repair, position)) is not None:
            yield fix


class _At:
    """The failing token and its neighbours."""

    def __init__(self, repair: Repair, position: int):
        self.repair, self.position = repair, position
        self.start = repair.statement_start(position)
        self.declares = "model" in repair.table.actions[repair.stacks[self.start][-1]]

    def token(self, offset: int = 0) -> Token:
        place = self.position + offset
        return self.repair.tokens[place] if 0 <= place < len(self.repair.tokens) else Token("END", "", 0, 0)

    def kind(self, offset: int = 0) -> str:
        return self.token(offset).type

    def takes(self, kind: str) -> bool:
        return kind in self.repair.table.actions[self.repair.stacks[self.position][-1]]

    def unclosed(self) -> bool:
        """Whether a bracket that is open here is never closed, which may be the mistake."""
        ahead = self.repair.tokens[self.position : self.position + 80]
        return any(u.opening.start < self.token().start and u.closer in ahead for u in self.repair.unclosed)

    def span(self, first: Token, last: Token | None = None) -> Span:
        return Span(self.repair.source.name, first.start, (last or first).end)

    def text(self, first: Token, last: Token) -> str:
        return self.repair.source.text[first.start : last.end]

    def fix(self, start: int, stop: int, tokens: tuple[Token, ...], code: str, message: str, span: Span, label: str,
            help: str = "", *edits: Edit, note: str = "") -> Fix:  # fmt: skip
        """Replaces the tokens at ``start..stop``, counted from the failing one."""
        helps = (Help(help, edits),) if help else ()
        found = Diagnostic(code, message, Label(span, label), notes=(note,) if note else (), helps=helps)
        return Fix(self.position + start, self.position + stop, tokens, 0.0, lambda: found, sure=True)


def _sign(kind: str, like: Token, text: str = "") -> Token:
    return Token(kind, text or kind, like.start, like.end)


def _arrow(repair: Repair, position: int) -> Fix | None:
    """``x <- e``"""
    at = _At(repair, position)
    if at.kind() != "<" or at.token(1).text != "-" or at.token().end != at.token(1).start or at.declares:
        return None
    first = repair.tokens[at.start]
    span = at.span(at.token(), at.token(1))
    edits = (Edit(Span(span.file, first.start, first.start), "let "), Edit(span, "="))
    if first.type in ("let", "var", "output", "param"):
        edits = edits[1:]
    return at.fix(0, 2, (_sign("=", at.token()),), "E010", "`<-` is not an assignment here", span,
                  "this reads as `<` and `-`", "name a value with `let x = e`", *edits)  # fmt: skip


def _loop(repair: Repair, position: int) -> Fix | None:
    """``for (i in 1:N) {``"""
    at = _At(repair, position)
    if at.kind() != "(" or at.kind(-1) not in ("for", "plate") or (at.kind(1), at.kind(2)) != ("NAME", "in"):
        return None
    close = _closing(repair.tokens, position)
    if close is None:
        return None
    inner = repair.tokens[position + 1 : close]
    opening, closing = repair.tokens[position], repair.tokens[close]
    edits = [Edit(at.span(opening), "" if at.token(-1).end < opening.start else " "), Edit(at.span(closing), "")]
    notes = ""
    for k, token in enumerate(inner):
        if token.type == ":":
            inner[k] = _sign("..", token)
            low, high = inner[k - 1], inner[k + 1] if k + 1 < len(inner) else inner[k]
            one = low.text == "1" and k == 3
            edits += [Edit(at.span(low), "0")] if one else []
            edits.append(Edit(at.span(token), ".."))
            notes = f"indices start at 0 and ranges are half open: `1:{high.text}` of Stan and R is `0..{high.text}`"
    return at.fix(0, close + 1 - position, tuple(inner), "E014", "a loop's index stands without parentheses",
                  at.span(opening, closing), "as in Stan, R and C", "write `for i in 0..N { … }`", *edits, note=notes)  # fmt: skip


def _closing(tokens: list[Token], position: int) -> int | None:
    depth = 0
    for k in range(position, len(tokens)):
        depth += (tokens[k].type in ("(", "[")) - (tokens[k].type in (")", "]"))
        if depth == 0:
            return k
        if tokens[k].type in ("NL", "END"):
            return None
    return None


def _colon_range(repair: Repair, position: int) -> Fix | None:
    """``1:N``"""
    at = _At(repair, position)
    if at.kind() != ":" or not at.takes("..") or at.kind(-1) not in ("NAME", "INT", ")", "]") or at.unclosed():
        return None
    if at.kind(1) not in ("NAME", "INT", "("):
        return None
    if at.kind(-1) == "NAME" and not any(t.type in ("in", "[") for t in repair.tokens[at.start : position]):
        return None
    span = at.span(at.token())
    return at.fix(0, 1, (_sign("..", at.token()),), "E015", "a range is written with `..`", span, "`:` alone means a whole axis",
                  "write `..`", Edit(span, ".."),
                  note="indices start at 0 and `a..b` ends before `b`: `1:N` of Stan and R is `0..N`")  # fmt: skip


def _equals(repair: Repair, position: int) -> Fix | None:
    """``=`` in a condition"""
    at = _At(repair, position)
    before = {t.type for t in repair.tokens[at.start : position]}
    if at.kind() != "=" or not at.takes("CMP_OP") or at.unclosed() or not before & {"if", "require", "and", "or", "not"}:
        return None
    span = at.span(at.token())
    return at.fix(0, 1, (_sign("CMP_OP", at.token(), "=="),), "E013", "`=` does not compare", span,
                  "a comparison is needed here", "write `==`", Edit(span, "=="))  # fmt: skip


def _chained(repair: Repair, position: int) -> Fix | None:
    """``a < b < c``"""
    at = _At(repair, position)
    compares = ("<", ">", ">=", "CMP_OP")
    if at.kind() not in compares or not at.takes("and"):
        return None
    middle = next((k for k in range(position - 1, at.start, -1) if repair.tokens[k].type in compares), None)
    if middle is None or position - middle > 8:
        return None
    operand = repair.tokens[middle + 1 : position]
    span = at.span(repair.tokens[middle], at.token())
    text = at.text(operand[0], operand[-1])
    tokens = (_sign("and", at.token()), *operand)
    return at.fix(0, 0, tokens, "E016", "comparisons do not chain", span, "two comparisons of one operand",
                  "join two comparisons with `and`", Edit(at.span(operand[-1]).after(), f" and {text}"))  # fmt: skip


def _stan_declaration(repair: Repair, position: int) -> Fix | None:
    """``real x;``, ``vector[N] y = e``, ``real<lower=0> sigma ~ D``"""
    at = _At(repair, position)
    first = repair.tokens[at.start]
    if at.declares or first.type != "NAME" or first.text not in _STAN_TYPES:
        return None
    name = _declared(repair.tokens, at.start + 1)
    if name is None or name < position - 1:
        return None
    shown = at.text(first, repair.tokens[name - 1])
    target, following = repair.tokens[name], repair.tokens[name + 1]
    written = {"vector": "real", "matrix": "real", "row_vector": "real"}.get(first.text, first.text)
    of = written + shown[len(first.text) :]
    span = at.span(first, target)
    said = "a type stands behind the name it describes"
    if following.type == "=":
        help, edit = "name the value with `let`", Edit(span, f"let {target.text}: {of}")
        tokens = (_sign("let", first), target)
    elif following.type == "~":
        help, edit = "write the type behind the name", Edit(span, f"{target.text}: {of}")
        tokens = (target,)
    else:
        help, edit = "variables are declared where they are drawn; data that is given is a parameter of the model", Edit(
            span, f"{target.text}: {of} ~ Flat()"
        )
        tokens = (target, _sign("~", target), _sign("NAME", target, "Flat"), _sign("(", target), _sign(")", target))
    return at.fix(at.start - position, name + 1 - position, tokens, "E014", said, span, "this is how Stan declares", help, edit)


def _declared(tokens: list[Token], position: int) -> int | None:
    """The name that a Stan declaration declares, behind ``<…>`` and ``[…]``."""
    for opener, closer in (("<", ">"), ("[", "]")):
        if tokens[position].type == opener:
            while tokens[position].type not in (closer, "NL", "END"):
                position += 1
            position += 1
    return position if position < len(tokens) and tokens[position].type == "NAME" else None


def _stan_block(repair: Repair, position: int) -> Fix | None:
    """``parameters {``, ``model {``"""
    at = _At(repair, position)
    first = repair.tokens[at.start]
    stan = first.type in ("data", "model") or first.text in _STAN_BLOCKS
    if not at.declares or not stan or not any(t.type == "{" for t in repair.tokens[position : position + 3]):
        return None
    stop = repair.block_end(position)
    note = "what is given is a parameter of the model, `data y ~ D` an observed variable, `output t = e` a generated quantity"
    return at.fix(at.start - position, stop - position, (), "E014", f"`{first.text} {{ … }}` is a block of Stan", at.span(first),
                  "a model is one declaration", "write `model name(parameters) { … }`", note=note)  # fmt: skip


def _python(repair: Repair, position: int) -> Fix | None:
    """``def f(x):``, ``while``, ``elif``, ``print(x)`` and other words"""
    at = _At(repair, position)
    first = repair.tokens[at.start]
    word, span = first.text, at.span(first)
    if at.declares and word in ("def", "function", "class"):
        stop = repair.block_end(position)
        help = Help("begin it with `fn` or `model`, its body in `{ … }`")
        found = Diagnostic("E014", f"`{word}` does not declare anything here", Label(span, "a declaration begins here"), helps=(help,))
        return Fix(at.start, stop, (), 0.0, lambda: found, sure=True)
    if at.kind(-1) == "NAME" and at.token(-1).text in ("elif", "elsif") or at.token().text in ("elif", "elsif"):
        k = 0 if at.token().text in ("elif", "elsif") else -1
        word = at.token(k)
        if repair.tokens[position + k - 1].type not in ("}", "NL"):
            return None
        edit = Edit(at.span(word), "else if")
        tokens = (_sign("else", word), _sign("if", word))
        start = k - 1 if repair.tokens[position + k - 1].type == "NL" else k
        return at.fix(start, k + 1, tokens, "E014", f"`{word.text}` is written `else if`", at.span(word), "as in Python",
                      "write `else if`", edit)  # fmt: skip
    if not at.declares and first.type == "NAME" and word in ("while", "repeat") and position == at.start + 1:
        return at.fix(at.start - position, repair.block_end(position) - position, (), "E014", f"there is no `{word}`", span,
                      "a loop without a bound", "loop over a range with `for`, or write a recursive `fn` or `model`")  # fmt: skip
    return None


def _number(repair: Repair, position: int) -> Fix | None:
    """``.5``, ``1.``, ``0x10``, ``1e``"""
    at = _At(repair, position)
    for k in (0, -1):
        dot, digits = at.token(k), at.token(k + 1)
        if dot.type == "." and digits.type == "INT" and dot.end == digits.start and at.kind(k - 1) not in ("NAME", ")", "]"):
            span = at.span(dot, digits)
            text = f"0.{digits.text}"
            return at.fix(k, k + 2, (Token("FLOAT", text, dot.start, digits.end),), "E020", "a number begins with a digit",
                          span, "a digit is missing", "write the 0", Edit(span, text))  # fmt: skip
    before, dot = at.token(-2), at.token(-1)
    if dot.type == "." and before.type == "INT" and before.end == dot.start:
        span = at.span(before, dot)
        text = f"{before.text}.0"
        return at.fix(-2, 0, (Token("FLOAT", text, before.start, dot.end),), "E020", "a digit is missing behind the point",
                      span, "a number", "write the 0", Edit(span, text))  # fmt: skip
    number, rest = at.token(-1), at.token()
    if number.type == "INT" and rest.type == "NAME" and number.end == rest.start:
        hexadecimal = number.text == "0" and rest.text[0] in "xXbBoO"
        if hexadecimal or rest.text in ("e", "E"):
            span = at.span(number, rest)
            try:
                value = str(int(number.text + rest.text, 0)) if hexadecimal else number.text
            except ValueError:
                value = number.text
            return at.fix(-1, 1, (Token("INT", value, number.start, rest.end),), "E020", "numbers are decimal", span,
                          "not a decimal number", f"write `{value}`", Edit(span, value))  # fmt: skip
    return None


def _ternary(repair: Repair, position: int) -> Fix | None:
    """``c ? a : b``"""
    at = _At(repair, position)
    if at.kind() != "?" or not at.takes("ADD_OP"):
        return None
    colon = next((k for k in range(position, repair.statement_end(position)) if repair.tokens[k].type == ":"), None)
    if colon is None:
        return None
    stop = repair.statement_end(position)
    return at.fix(0, stop - position, (), "E014", "there is no `?` operator", at.span(at.token()), "as in C and Stan",
                  "write `if c then a else b`")  # fmt: skip


def _expression(repair: Repair, position: int) -> Fix | None:
    """``f(x)`` as a statement"""
    at = _At(repair, position)
    first = repair.tokens[at.start]
    if at.declares or first.type not in ("NAME", "INT", "FLOAT", "STRING", "("):
        return None
    stop = repair.statement_end(position)
    inside = [t.type for t in repair.tokens[at.start : stop]]
    if "~" in inside or "{" in inside or (position == at.start + 1 and at.kind() not in ("(", ".", "NL", "}", "ADD_OP", "MUL_OP")):
        return None
    if "=" in inside and inside.count("=") != sum(1 for k, t in enumerate(inside) if t == "=" and "(" in inside[:k]):
        return None
    insert = Span(repair.source.name, first.start, first.start)
    tokens = (_sign("let", first), Token("NAME", "value", first.start, first.start), _sign("=", first), *repair.tokens[at.start : stop])
    fix = at.fix(at.start - position, stop - position, tokens, "E019", "an expression is not a statement",
                 at.span(first, repair.tokens[stop - 1]), "its value goes nowhere",
                 "name its value", Edit(insert, "let value = "))  # fmt: skip
    return fix if repair.reach(fix, min(stop + 1, len(repair.tokens) - 1)) >= stop else None


_RECOGNISERS: tuple[Callable[..., Fix | None], ...] = (
    _arrow, _loop, _number, _colon_range, _equals, _chained, _stan_declaration, _stan_block, _python, _ternary, _expression,
)  # fmt: skip
