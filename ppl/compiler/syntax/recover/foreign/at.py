"""The place where a recogniser looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ppl.compiler.diagnostics.diagnostic import Diagnostic, Edit, Help, Label
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.syntax.parse.token import Token
from ppl.compiler.syntax.recover.fix import Fix

if TYPE_CHECKING:
    from ppl.compiler.syntax.recover.repair import Repair

#: How far ahead the closer of an unclosed bracket may have been put.
_AHEAD = 80


class At:
    """The failing token and its neighbours; offsets count tokens from the failing one.

    ``first`` is the first token of the statement or declaration, at the offset ``start``; ``declares`` tells that it
    stands outside every block.
    """

    def __init__(self, repair: Repair, position: int):
        self.repair, self.position = repair, position
        begin = repair.statement_start(position)
        self.start = begin - position
        self.first = repair.tokens[begin]
        self.declares = "model" in repair.table.actions[repair.stacks[begin][-1]]

    def token(self, offset: int = 0) -> Token:
        place = self.position + offset
        return self.repair.tokens[place] if 0 <= place < len(self.repair.tokens) else Token("END", "", 0, 0)

    def kind(self, offset: int = 0) -> str:
        return self.token(offset).type

    def before(self) -> list[Token]:
        """The tokens of the statement before the failing one."""
        return self.repair.tokens[self.position + self.start : self.position]

    def takes(self, kind: str) -> bool:
        """Whether ``kind`` could come in the place of the failing token."""
        return kind in self.repair.table.actions[self.repair.stacks[self.position][-1]]

    def unclosed(self) -> bool:
        """Whether a bracket that is open here is never closed, which may be the mistake."""
        ahead = self.repair.tokens[self.position : self.position + _AHEAD]
        return any(u.opening.start < self.token().start and u.closer in ahead for u in self.repair.unclosed)

    def end(self) -> int:
        """The offset of the end of the statement's line."""
        return self.repair.statement_end(self.position) - self.position

    def block_end(self) -> int:
        """The offset of the end of the statement with its block."""
        return self.repair.block_end(self.position) - self.position

    def span(self, first: Token, last: Token | None = None) -> Span:
        return Span(self.repair.source.name, first.start, (last or first).end)

    def text(self, first: Token, last: Token) -> str:
        return self.repair.source.text[first.start : last.end]

    def fix(self, start: int, stop: int, tokens: tuple[Token, ...], finding: Diagnostic) -> Fix:
        """Replaces the tokens at ``start..stop``."""
        return Fix(self.position + start, self.position + stop, tokens, 0.0, lambda: finding, sure=True)


def finding(code: str, message: str, span: Span, label: str, help: str, *edits: Edit, note: str = "") -> Diagnostic:
    return Diagnostic(code, message, Label(span, label), notes=(note,) if note else (), helps=(Help(help, edits),))


def sign(kind: str, like: Token, text: str = "") -> Token:
    """A token in the place of another."""
    return Token(kind, text or kind, like.start, like.end)
