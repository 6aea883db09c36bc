"""The changes that ``repair`` tries, with what each would mean."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from ppl.compiler.diagnostics.diagnostic import Diagnostic, Edit, Help, Label
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.syntax.parse.newlines import BEFORE_RECORD
from ppl.compiler.syntax.parse.token import Token
from ppl.compiler.syntax.recover.brackets import Unclosed
from ppl.compiler.syntax.recover.fix import Fix
from ppl.compiler.syntax.recover.wording import OPENERS, SAMPLE, called, expected, phrase

if TYPE_CHECKING:
    from ppl.compiler.syntax.recover.repair import Repair

#: How likely a token is the one that was forgotten: the lower the likelier. Others cost 3.
_COST = {
    **dict.fromkeys((")", "]", "}", ","), 1.0),
    **dict.fromkeys(("=", "~", ":", "->", "=>", "in", "then", "else", "for", "with", "over", "by"), 1.2),
    **dict.fromkeys(("(", "[", "{"), 1.3),
    **dict.fromkeys(("NAME", "STRING"), 1.5),
    **dict.fromkeys(("ADD_OP", "<", ">"), 1.6),
    "NL": 1.7,
    **dict.fromkeys(("let", "model", "if", "fn", "match", "factor", "plate", "observe", "infer"), 2.5),
}

#: One operator stands for them all.
_NEVER_INSERTED = frozenset("MUL_OP POW_OP CMP_OP >= .. . ? and or not INT FLOAT true false given END".split())

_STARTS_EXPRESSION = frozenset(("if", "fn", "infer", "expect", "match", "not", "true", "false"))

#: These may stand at the beginning of a line by mistake, for the line before goes on with them.
_LEADS = frozenset(
    "ADD_OP MUL_OP POW_OP CMP_OP < > >= .. ( [ { , = ~ : -> => and or in then with given over as for".split()
)

_FARTHEST = 12

#: How far ahead a closer may stand that the layout put in the wrong place.
_AHEAD = 80


def _insertable(kinds: set[str]) -> list[str]:
    brackets = kinds - ({"<", ">"} if ">=" in kinds else set())  # of a type; not where they compare
    return sorted(brackets - _NEVER_INSERTED)


def near(repair: Repair, position: int) -> Iterator[Fix]:
    """Insert something before the failing token, replace it, or drop it or the line break before it."""
    token = repair.tokens[position]
    kinds = expected(repair.table, repair.stacks[position])
    yield from _insertions(repair, position, kinds)
    for p in range(position, max(repair.statement_start(position), position - _FARTHEST), -1):
        yield from _moved(repair, p, 0.2 + 0.05 * (position - p))
    if token.type.isidentifier() and token.type.islower() and "NAME" in kinds:
        yield _reserved(repair, position, 0.5)
    before = repair.tokens[position - 1] if position else None
    if before is not None and before.type.islower() and before.type.isidentifier():
        if "NAME" in expected(repair.table, repair.stacks[position - 1]):
            yield _reserved(repair, position - 1, 1.6 if before.type in _STARTS_EXPRESSION else 0.7)
    if before is not None and before.type == "NAME":
        others = expected(repair.table, repair.stacks[position - 1])
        yield from (
            _exchanged(repair, position - 1, kind, others) for kind in sorted(others) if _exchangeable(before, kind)
        )
    if before is not None and before.type == "NL" and before.text == "\n" and token.type in _LEADS:
        yield _joined(repair, position - 1)
    if token.type == "NL":
        if repair.tokens[position + 1].type in _LEADS:
            yield _joined(repair, position)
    elif token.type != "END":
        cost = 1.1 if token.type in (")", "]", "}") else 2.0
        yield Fix(position, position + 1, (), cost, lambda: _superfluous(repair, position, kinds))
        yield from (
            _exchanged(repair, position, kind, kinds) for kind in _insertable(kinds) if _exchangeable(token, kind)
        )


def _exchangeable(token: Token, kind: str) -> bool:
    """Whether ``kind`` may have been meant by ``token``: one sign for another, or a word misspelt."""
    if kind == "NL":
        return False
    if token.type == "NAME":
        return kind.isidentifier() and SequenceMatcher(None, token.text.lower(), kind).ratio() > 0.7
    return not token.type.isidentifier() and not kind.isidentifier()


def _exchanged(repair: Repair, position: int, kind: str, kinds: set[str]) -> Fix:
    """``kind`` in the place of a token."""
    token = repair.tokens[position]
    other = Token(kind, SAMPLE.get(kind, kind), token.start, token.end)
    closers = kind in (")", "]", "}") and token.type in (")", "]", "}")
    cost = 1.2 if closers else 2.2 + _COST.get(kind, 3.0) / 10
    tell = lambda: _instead(repair, position, kind, kinds)  # noqa: E731
    return Fix(position, position + 1, (other,), cost, tell, sure=token.type == "NAME")


def line_ends(repair: Repair, position: int) -> Iterator[Fix]:
    """What was forgotten at the end of an earlier line of the statement, with the end of the statement itself."""
    for p in range(position, repair.statement_start(position), -1):
        if not repair.first_on_line(p):
            continue
        kinds = expected(repair.table, repair.stacks[p])
        end = Token("NL", "\n", repair.tokens[p - 1].end, repair.tokens[p - 1].end)
        for kind in sorted(kinds & {"NAME", ")", "]", "}", "STRING"}):
            yield _inserted(repair, p, kind, kinds, (end,))
        if "," in kinds:
            yield _inserted(repair, p, ",", kinds)


def earlier(repair: Repair, position: int) -> Iterator[Fix]:
    """Insert something earlier in the statement: the parser often notices a mistake only some tokens later."""
    start = repair.statement_start(position)
    for p in range(position - 1, start - 1, -1):
        if position - p > _FARTHEST and not _opens_record(repair, p):
            continue
        kinds = expected(repair.table, repair.stacks[p])
        yield from _insertions(repair, p, kinds, 0.1 * (position - p))


def _opens_record(repair: Repair, position: int) -> bool:
    """Whether a block, for want of what should stand before it, may have been read as a record."""
    return position > 0 and repair.tokens[position].type == "{" and repair.tokens[position - 1].type in BEFORE_RECORD


def _moved(repair: Repair, position: int, cost: float) -> Iterator[Fix]:
    """Takes a closer that ``brackets`` inserted to this place, or drops it."""
    kinds = expected(repair.table, repair.stacks[position])
    for ahead in range(position, min(position + _AHEAD, len(repair.tokens))):
        closer = repair.tokens[ahead]
        known = [u for u in repair.unclosed if u.closer is closer]
        if not known:
            continue
        if ahead == position:
            yield Fix(position, position + 1, (), 0.3, lambda: None)
        elif closer.type in kinds:
            here = Token(closer.type, "", repair.tokens[position - 1].end, repair.tokens[position - 1].end)
            tokens = (here, *repair.tokens[position:ahead])

            def tell(unclosed: Unclosed = known[0], moved: Token = here) -> None:
                unclosed.closer, unclosed.text = moved, moved.type

            yield Fix(position, ahead + 1, tokens, cost, tell)


def _insertions(repair: Repair, position: int, kinds: set[str], more: float = 0.0) -> Iterator[Fix]:
    for kind in _insertable(kinds):
        yield _inserted(repair, position, kind, kinds, more=more)
        if kind == "{" and repair.tokens[position].type == "NL":
            yield _inserted(repair, position, kind, kinds, instead=True)


def _inserted(
    repair: Repair,
    position: int,
    kind: str,
    kinds: set[str],
    then: tuple[Token, ...] = (),
    instead: bool = False,
    more: float = 0.0,
) -> Fix:
    """``kind`` before the token at ``position``, or ``instead`` of a line break there."""
    after = _gap(repair, position).start
    token = Token(kind, SAMPLE.get(kind, "" if kind in ("NL", "END") else kind), after, after)
    tell = lambda: _missing(repair, position, kind, kinds)  # noqa: E731
    cost = _COST.get(kind, 3.0)
    if kind in (":", "->") and "," in kinds:
        cost = 0.9  # a parameter's type rather than a new parameter
    elif kind == "~" and repair.tokens[position].text[:1].isupper():
        cost = 1.1  # the name of a distribution
    return Fix(position, position + instead, (token, *then), cost + more, tell)


def _missing(repair: Repair, position: int, kind: str, kinds: set[str]) -> Diagnostic:
    """Something was forgotten between two tokens."""
    token = repair.tokens[position]
    before = repair.tokens[position - 1] if position else Token("NL", "", 0, 0)
    gap = _gap(repair, position)
    ends_line = token.type in ("NL", "END") or repair.first_on_line(position)
    leads = before.type in OPENERS and gap.start == token.start
    if kind == "NL":
        label = Label(Span(gap.file, token.start, token.end), "a new statement begins here")
        help = Help("put it on a line of its own, or write `;` before it", (Edit(gap, ";"),))
        return Diagnostic("E022", f"the statement does not end before {called(token)}", label, helps=(help,))
    where = f"after {called(before)}" if ends_line else f"between {called(before)} and {called(token)}"
    if leads:
        where = f"before {called(token)}"
    if kind in ("NAME", "STRING"):
        what = phrase(kinds - {"NL", ",", ")", "]", "}"}) if kind == "NAME" else "a string"
        return Diagnostic(
            "E009", f"{what.removeprefix('a ').removeprefix('an ')} missing {where}", Label(gap, f"expected {what}")
        )
    if kind == "ADD_OP":
        number = before.type in ("INT", "FLOAT") and before.end == token.start
        helps = (Help("multiplication is written `*`", (Edit(gap, " * "),)),) if number else ()
        return Diagnostic("E004", f"missing operator {where}", Label(gap, "expected an operator"), helps=helps)
    edit = Edit(gap, f"{kind} ") if leads else _edit(gap, before, token, kind, ends_line)
    help = Help(f"insert `{kind}`", (edit,))
    return Diagnostic("E004", f"missing `{kind}` {where}", Label(gap, f"expected `{kind}`"), helps=(help,))


def _gap(repair: Repair, position: int) -> Span:
    """Where something missing before a token belongs: behind the one before, but not behind one that opens a line's
    block."""
    before, token = repair.tokens[position - 1] if position else None, repair.tokens[position]
    leads = before is None or before.type == "NL" or (before.type in OPENERS and repair.first_on_line(position))
    place = token.start if before is None or leads else before.end
    return Span(repair.source.name, place, place)


def _edit(gap: Span, before: Token, token: Token, kind: str, ends_line: bool) -> Edit:
    if kind in ("(", "<") and not ends_line:
        return Edit(Span(gap.file, before.end, token.start), kind)
    if kind in (")", ">", "]", ",", "(", "[", ":"):
        return Edit(gap, kind)
    return Edit(gap, f" {kind}" if ends_line or token.start > before.end else f" {kind} ")


def _reserved(repair: Repair, position: int, cost: float) -> Fix:
    token = repair.tokens[position]
    span = Span(repair.source.name, token.start, token.end)

    def tell() -> Diagnostic:
        help = Help(f"rename it, for example `{token.text}_`", (Edit(span, f"{token.text}_"),))
        return Diagnostic(
            "E008", f"`{token.text}` is a reserved word", Label(span, "it cannot be a name"), helps=(help,)
        )

    return Fix(position, position + 1, (Token("NAME", token.text, token.start, token.end),), cost, tell)


def _joined(repair: Repair, position: int) -> Fix:
    """Drops a line break."""
    before, after = repair.tokens[position - 1], repair.tokens[position + 1]

    def tell() -> Diagnostic:
        span = Span(repair.source.name, after.start, after.end)
        gap = Span(repair.source.name, before.end, after.start)
        text = repair.source.slice(gap)
        moved = Edit(Span(gap.file, gap.start, span.end), f" {after.text}")
        helps = (Help(f"put {called(after)} at the end of the line before", (moved,)),) if "#" not in text else ()
        label = Label(span, "the statement ended with the line before")
        return Diagnostic("E019", f"a line cannot begin with {called(after)}", label, helps=helps)

    return Fix(position, position + 1, (), 1.4, tell)


def _superfluous(repair: Repair, position: int, kinds: set[str]) -> Diagnostic:
    token = repair.tokens[position]
    span = Span(repair.source.name, token.start, token.end)
    if token.type in (")", "]", "}"):
        help = Help("remove it", (Edit(span, ""),))
        return Diagnostic("E007", f"`{token.text}` closes nothing", Label(span, "nothing is open here"), helps=(help,))
    help = Help("remove it", (Edit(span, ""),))
    return Diagnostic("E003", f"unexpected {called(token)}", Label(span, f"expected {phrase(kinds)}"), helps=(help,))


def _instead(repair: Repair, position: int, kind: str, kinds: set[str]) -> Diagnostic:
    token = repair.tokens[position]
    span = Span(repair.source.name, token.start, token.end)
    if kind in ("NAME", "STRING", "ADD_OP"):
        return Diagnostic("E003", f"unexpected {called(token)}", Label(span, f"expected {phrase(kinds)}"))
    code = "E007" if token.type in (")", "]", "}") and kind in (")", "]", "}") else "E003"
    help = Help(f"write `{kind}`", (Edit(span, kind),))
    return Diagnostic(
        code, f"found {called(token)} where `{kind}` is needed", Label(span, f"expected `{kind}`"), helps=(help,)
    )
