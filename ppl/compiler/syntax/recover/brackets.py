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
from ppl.compiler.syntax.parse.newlines import BEFORE_RECORD, CONTINUES, JOINS
from ppl.compiler.syntax.parse.token import Token

CLOSER = {"(": ")", "[": "]", "{": "}"}
DECLARES = frozenset("import type const model guide objective dist extern".split())
_STATES = frozenset("let var data aux observe factor require output param plate return".split())
_ENDS_OPERAND = frozenset(("NAME", "INT", "FLOAT", "STRING", ")", "]", "true", "false"))
_STARTS_OPERAND = frozenset(("NAME", "INT", "FLOAT", "STRING", "true", "false"))


@dataclass(frozen=True, slots=True)
class _Open:
    """An opening bracket; ``indent`` is that of its line; ``block`` tells a block's brace from a record's."""

    token: Token
    indent: int
    block: bool
    layout: bool  # the lines inside are indented deeper than the line that opens it


def balance(tokens: list[Token], source: Source) -> tuple[list[Token], list[Diagnostic]]:
    """The tokens with every opening bracket closed, and a finding for each that was not."""
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
        self.findings: list[Diagnostic] = []
        self.head = False  # the line begins a declaration

    def run(self) -> tuple[list[Token], list[Diagnostic]]:
        indent = 0
        for position, token in enumerate(self.tokens):
            kind = token.type
            if kind == "NL":
                self.out.append(token)
                continue
            if not self.out or self.out[-1].text == "\n":
                indent = self.column(token)
                self.begin_line(position, token, indent)
                self.head = declares(self.tokens, position)
            if kind == "{" and self.head and not self.in_record():
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
        return self.out, self.findings

    def column(self, token: Token) -> int:
        return self.source.position(token.start)[1] - 1

    def open(self, position: int, token: Token, indent: int) -> None:
        block = token.type == "{" and not self.in_record()
        following = next((t for t in self.tokens[position + 1 :] if t.type != "NL"), token)
        layout = self.line(following) == self.line(token) or self.column(following) > indent
        self.stack.append(_Open(token, indent, block, layout))

    def in_record(self) -> bool:
        previous = self.previous()
        return previous is not None and previous.type in BEFORE_RECORD

    def begin_line(self, position: int, token: Token, indent: int) -> None:
        """Closes what the first token of a line shows to have ended."""
        if declares(self.tokens, position):
            while self.stack:
                self.insert(self.stack.pop(), token)
            return
        if self.begins_statement(token):
            while self.stack and not self.stack[-1].block:
                self.insert(self.stack.pop(), token)
        while self.stack and self.stack[-1].block and self.stack[-1].layout:
            ends = indent < self.stack[-1].indent if token.type == "}" else indent <= self.stack[-1].indent
            if token.type == "else" and self.tokens[position + 1].type in ("{", "if"):
                ends = self.stack[-1].indent >= indent - 2
            if not ends:
                return
            self.insert(self.stack.pop(), token)

    def begins_statement(self, token: Token) -> bool:
        previous = self.previous()
        if token.type in _STATES:
            return True
        if previous is None or previous.type in CONTINUES or token.type in JOINS:
            return False
        return previous.type in _ENDS_OPERAND and token.type in _STARTS_OPERAND

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
        """Closes ``opened`` behind the last token so far and says so."""
        closer = CLOSER[opened.token.type]
        where, text = self.place(opened, before)
        at = len(self.out)
        while at and self.out[at - 1].type == "NL" and self.out[at - 1].start >= where:
            at -= 1
        self.out.insert(at, Token(closer, "", where, where))
        opening = Label(Span(self.source.name, opened.token.start, opened.token.end), f"this `{opened.token.type}` is never closed")
        here = Span(self.source.name, where, where)
        helps = (Help(f"close it with `{closer}`", (Edit(here, text),)),)
        if opened.block:
            said = Label(here, "by the layout, `}` belongs here")
            found = Diagnostic("E005", "this block is never closed", said, (opening,), helps=helps)
        else:
            said = Label(here, f"`{closer}` belongs here")
            found = Diagnostic("E006", f"this `{opened.token.type}` is never closed", opening, (said,), helps=helps)
        self.findings.append(found)

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
