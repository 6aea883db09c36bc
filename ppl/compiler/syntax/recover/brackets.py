"""Brackets that are opened and never closed.

The newline rules need balanced brackets, so this runs before them, and only on a file whose brackets do not match.
The layout says where a bracket was meant to close: a block ends before the first line that is indented no deeper
than the line that opened it; a parenthesis ends before a line that begins a statement. Closers without an opener are
left to ``repair``, which sees what the parser would take there.
"""

from __future__ import annotations

from dataclasses import dataclass

from ppl.compiler.diagnostics.diagnostic import Diagnostic, Edit, Help, Label
from ppl.compiler.diagnostics.span import Source, Span
from ppl.compiler.syntax.parse.newlines import BEFORE_RECORD, CONTINUES, JOINS, holds_fields
from ppl.compiler.syntax.parse.token import Token

CLOSER = {"(": ")", "[": "]", "{": "}"}
DECLARES = frozenset("import type const model guide objective dist extern".split())
_STATES = frozenset("let var data aux observe factor require output param plate return".split())
_ENDS_OPERAND = frozenset(("NAME", "INT", "FLOAT", "STRING", ")", "]", "true", "false"))
_STARTS = frozenset(("NAME", "INT", "FLOAT", "STRING", "true", "false", "_", "if", "match"))


@dataclass(frozen=True, slots=True)
class _Open:
    """An opening bracket; ``indent`` is that of its line; ``block`` tells a block's brace from a record's."""

    token: Token
    indent: int
    block: bool
    layout: bool  # the lines inside are indented deeper than the line that opens it


@dataclass(slots=True)
class Unclosed:
    """A bracket that is never closed, and where its closer belongs: a token without text, which ``repair`` may move
    or drop."""

    opening: Token
    closer: Token
    block: bool
    text: str  # what to insert

    def finding(self, file: str) -> Diagnostic:
        kind, closer = self.opening.type, self.closer.type
        message = f"this `{kind}` is never closed"
        opening = Label(Span(file, self.opening.start, self.opening.end), message)
        here = Span(file, self.closer.start, self.closer.end)
        helps = (Help(f"close it with `{closer}`", (Edit(here, self.text),)),)
        if self.block:
            said = Label(here, "by the layout, `}` belongs here")
            return Diagnostic("E005", "this block is never closed", said, (opening,), helps=helps)
        return Diagnostic("E006", message, opening, (Label(here, f"`{closer}` belongs here"),), helps=helps)


def balance(tokens: list[Token], source: Source) -> tuple[list[Token], list[Unclosed]]:
    """The tokens with every opening bracket closed, and what had to be closed."""
    return (tokens, []) if matched(tokens) else _Balance(tokens, source).run()


def matched(tokens: list[Token]) -> bool:
    """Whether the brackets match and no declaration starts inside one."""
    stack: list[str] = []
    previous = "NL"
    for position, token in enumerate(tokens):
        kind = token.type
        if kind in CLOSER:
            stack.append(CLOSER[kind])
        elif kind in (")", "]", "}"):
            if not stack or stack.pop() != kind:
                return False
        elif stack and previous == "NL" and declares(tokens, position):
            return False
        previous = kind
    return not stack


def declares(tokens: list[Token], position: int) -> bool:
    """Whether the token at ``position`` begins a declaration, if it stands at the beginning of a line."""
    kind = tokens[position].type
    return kind in DECLARES or (kind == "fn" and tokens[position + 1].type == "NAME")


class _Balance:
    def __init__(self, tokens: list[Token], source: Source):
        self.tokens, self.source = tokens, source
        self.out: list[Token] = []
        self.stack: list[_Open] = []
        self.unclosed: list[Unclosed] = []
        self.head = False  # the line begins a declaration

    def run(self) -> tuple[list[Token], list[Unclosed]]:
        indent = 0
        for position, token in enumerate(self.tokens):
            kind = token.type
            if kind == "NL":
                self.out.append(token)
                continue
            if not self.out or self.out[-1].text == "\n":
                indent = self.begin_line(position, token, self.column(token))
                self.head = declares(self.tokens, position)
            if kind == "{" and self.head and not self.in_record(position):
                while self.stack:  # the head of a declaration ends at its block
                    self.insert(self.stack.pop(), token)
            if kind in CLOSER:
                self.open(position, token, indent)
            elif kind in (")", "]", "}"):
                self.close(token)
            elif kind == "END":
                while self.stack:
                    self.insert(self.stack.pop(), token)
            self.out.append(token)
        return self.out, self.unclosed

    def column(self, token: Token) -> int:
        return self.source.position(token.start)[1] - 1

    def open(self, position: int, token: Token, indent: int) -> None:
        block = token.type == "{" and not self.in_record(position)
        following = next((t for t in self.tokens[position + 1 :] if t.type != "NL"), token)
        layout = self.line(following) == self.line(token) or self.column(following) > indent
        self.stack.append(_Open(token, indent, block, layout))

    def in_record(self, position: int) -> bool:
        """Whether the ``{`` at ``position`` opens a record."""
        previous = self.previous()
        return previous is not None and previous.type in BEFORE_RECORD and holds_fields(self.tokens, position)

    def begin_line(self, position: int, token: Token, indent: int) -> int:
        """Closes what the first token of a line shows to have ended; gives the indentation that the line stands for."""
        if declares(self.tokens, position):
            while self.stack:
                self.insert(self.stack.pop(), token)
            return indent
        if token.type == "by" or (token.type == "else" and self.tokens[position + 1].type in ("{", "if")):
            if self.stack and self.stack[-1].block and self.stack[-1].indent >= indent - 2:
                indent = self.stack[-1].indent  # as if its `}` stood before it
        while (
            self.stack
            and (self.stack[-1].layout or not self.stack[-1].block)
            and self.ends(self.stack[-1], token, indent)
        ):
            self.insert(self.stack.pop(), token)
        return indent

    def ends(self, opened: _Open, token: Token, indent: int) -> bool:
        """Whether ``token``, first on a line indented by ``indent``, shows that ``opened`` ended before."""
        if token.type in (")", "]", "}"):
            return indent < opened.indent
        if opened.block:
            return indent <= opened.indent
        previous = self.previous()
        if previous is None or token.type in _STATES:
            return True
        if token.type in JOINS or (token.type in CONTINUES and token.type != "for"):
            return False
        if previous.type in CONTINUES:
            return False
        return indent <= opened.indent or (previous.type in _ENDS_OPERAND and token.type in _STARTS)

    def close(self, token: Token) -> None:
        """Pops what ``token`` closes; what is open inside it is closed first."""
        kind = token.type
        first = not self.out or self.out[-1].text == "\n"
        if kind == "}":
            if self.stack and self.stack[-1].layout and first and self.column(token) > self.stack[-1].indent:
                return  # its own opener is missing
            wanted = next((k for k in reversed(range(len(self.stack))) if self.stack[k].token.type == "{"), None)
        else:
            wanted = None
            for k in reversed(range(len(self.stack))):
                if self.stack[k].token.type == "{" and self.stack[k].block:
                    break
                if CLOSER[self.stack[k].token.type] == kind:
                    wanted = k if wanted is None or self.stack[k].indent == self.column(token) else wanted
                    if not first or self.stack[k].indent <= self.column(token):
                        break
            top = self.stack[-1] if self.stack else None
            if wanted is None and top is not None and not top.block and self.line(top.token) == self.line(token):
                wanted = len(self.stack) - 1  # a closer of the wrong kind, which `repair` exchanges
        if wanted is None:
            return
        while len(self.stack) > wanted + 1:
            self.insert(self.stack.pop(), token)
        self.stack.pop()

    def line(self, token: Token) -> int:
        return self.source.position(token.start)[0]

    def previous(self) -> Token | None:
        return next((t for t in reversed(self.out) if t.type != "NL"), None)

    def insert(self, opened: _Open, before: Token) -> None:
        """Closes ``opened`` behind the last token so far, ``before`` the next one."""
        closer = CLOSER[opened.token.type]
        where, text = self.place(opened, before)
        at = len(self.out)
        while at and self.out[at - 1].type == "NL" and self.out[at - 1].start >= where:
            at -= 1
        self.out.insert(at, Token(closer, "", where, where))
        self.unclosed.append(Unclosed(opened.token, self.out[at], opened.block, text))

    def place(self, opened: _Open, before: Token) -> tuple[int, str]:
        """Where the closer belongs, and the text to insert: on an empty line below the last token if there is one."""
        closer = CLOSER[opened.token.type]
        previous = self.previous() or opened.token
        same_line = self.line(previous) == self.line(before)
        if before.type in ("else", ",", ")", "]", "by") and not same_line:
            return before.start, closer + " " if before.type in ("else", "by") else closer
        if same_line and before.type != "END":
            return previous.end, closer
        if self.line(previous) == self.line(opened.token):
            return previous.end, " }" if opened.block else closer
        last = len(self.source.line_starts)
        number = self.line(previous) + 1
        while number < min(last, self.line(before)) and self.source.line(number).lstrip().startswith("#"):
            number += 1
        if number <= last and number != self.line(before) and not self.source.line(number).strip():
            start = self.source.line_starts[number - 1]
            blank = len(self.source.line(number))
            return start + min(blank, opened.indent), " " * max(0, opened.indent - blank) + closer
        return previous.end, "\n" + " " * opened.indent + closer if opened.layout else closer
