"""Repair of what the automaton cannot read: trial changes on bare state stacks.

Where a token cannot come, small changes near it are tried (insert, drop or replace a token, also at the end of an
earlier line), and the cheapest is kept of those after which the parser gets through the statement. What no change
puts right is reported and its statement left out. So one mistake gives one finding, and the file is read to its end.
"""

from __future__ import annotations

from collections.abc import Iterator

from ppl.compiler.diagnostics.diagnostic import Diagnostic, Label
from ppl.compiler.diagnostics.span import Source, Span
from ppl.compiler.syntax.parse import engine
from ppl.compiler.syntax.parse.table import Table
from ppl.compiler.syntax.parse.token import Token
from ppl.compiler.syntax.recover import candidates, foreign
from ppl.compiler.syntax.recover.brackets import CLOSER, Unclosed, declares
from ppl.compiler.syntax.recover.fix import Fix
from ppl.compiler.syntax.recover.wording import OPENERS, called, expected, phrase

#: How many tokens behind the end of the statement a change must let the parser read.
_BEYOND = 2

#: The longest stretch that a trial reads.
_HORIZON = 40


class Repair:
    """Runs the automaton over ``tokens``, changing them where it fails; ``findings`` says what was wrong."""

    def __init__(self, table: Table, tokens: list[Token], source: Source, unclosed: list[Unclosed]):
        self.table, self.tokens, self.source = table, tokens, source
        self.stacks: list[list[int]] = []  # the states before each token
        self.unclosed = unclosed
        self.findings: list[Diagnostic] = []
        self._quiet = -1  # a failure with at least so many tokens left follows from the last one
        self._left = len(tokens) + 1  # how many tokens were left at the last failure: it falls, so this ends

    def run(self) -> None:
        """Until the tokens parse, or nothing is left that could be dropped."""
        stack, position = [self.table.start], 0
        while True:
            del self.stacks[position:]
            self.stacks.append(stack)
            token = self.tokens[position]
            following = engine.accepts(self.table, stack, token.type)
            if following is not None:
                if token.type == "END":
                    return
                stack, position = following, position + 1
            elif token.type == ">=" and ">" in self.table.actions[stack[-1]]:
                engine.split(self.tokens, position)
            else:
                if token.type == "END" and self.starts_statement(position) and self._left <= 1:
                    self.findings += [] if self.findings else [self.unexpected(position)]
                    return
                position = self.mend(position)
                stack = self.stacks[position]

    # --- one mistake

    def mend(self, position: int) -> int:
        """Changes the tokens around ``position``, says why, and gives the position to go on from."""
        left = len(self.tokens) - position
        again, self._left = left >= self._left, min(left, self._left)
        if left < self._quiet or self._quiet < 0 and not again:
            fix, certain = self.best(position)
            if fix is not None:
                if (finding := fix.tell()) is not None:
                    self.findings.append(finding)
                self.tokens[fix.start : fix.stop] = fix.tokens
                # What fails right behind a change follows from it; so does the rest of a statement still broken.
                behind = fix.start + len(fix.tokens) if certain else self.statement_end(position)
                self._quiet = len(self.tokens) - behind
                return fix.start
            self.findings.append(self.unexpected(position))
        return self.leave_out(position)

    def best(self, position: int) -> tuple[Fix | None, bool]:
        """The change to make, and whether it puts the whole statement right."""
        goal = min(self.statement_end(position) + _BEYOND, position + _HORIZON, len(self.tokens) - 1)
        if (known := foreign.recognise(self, position)) is not None:
            return known, True
        tried: list[tuple[int, float, int, Fix]] = []
        for stage in ((candidates.near, candidates.line_ends), (candidates.earlier,)):
            for fix in (fix for generate in stage for fix in generate(self, position)):
                reached = self.reach(fix, goal)
                if fix.sure and reached > position + 1:
                    return fix, True
                if reached > position:
                    tried.append((-reached, fix.cost, len(tried), fix))
            if tried and -min(tried)[0] >= goal:
                return min(tried)[3], True
        partly = [t for t in tried if not any(token.type in CLOSER for token in t[3].tokens)]
        if partly and -min(partly)[0] >= min(position + 4, goal):
            # What fails on a later line is another mistake.
            return min(partly)[3], self.line(-min(partly)[0]) > self.line(position)
        if tried and self.line(-min(tried)[0]) > self.line(position):
            return min(tried)[3], True
        return None, False

    def line(self, position: int) -> int:
        return self.source.position(self.tokens[position].start)[0]

    def reach(self, fix: Fix, goal: int) -> int:
        """The first token, counted without the change, that could not be read after it; at most ``goal``."""
        stack = self.stacks[fix.start]
        for token in fix.tokens:
            following = engine.accepts(self.table, stack, token.type)
            if following is None:
                return -1
            stack = following
        for position in range(fix.stop, goal):
            kind = self.tokens[position].type
            following = engine.accepts(self.table, stack, kind)
            if following is None and kind == ">=":
                half = engine.accepts(self.table, stack, ">")
                following = engine.accepts(self.table, half, "=") if half is not None else None
            if following is None:
                return position
            stack = following
        if goal >= fix.stop and self.tokens[goal].type == "END" and engine.accepts(self.table, stack, "END") is None:
            return goal - 1
        return max(goal, fix.stop)

    def unexpected(self, position: int) -> Diagnostic:
        """The finding where no small change helps."""
        token = self.tokens[position]
        wanted = phrase(expected(self.table, self.stacks[position]))
        if position and self.first_on_line(position) and self.tokens[position - 1].type not in OPENERS:
            before = self.tokens[position - 1]
            where = Span(self.source.name, before.end, before.end)
            return Diagnostic("E003", f"{called(before)} needs something behind it", Label(where, f"expected {wanted}"))
        where = Span(self.source.name, token.start, token.end)
        early = token.type in ("NL", "END")
        message = f"{called(token)} comes too early" if early else f"unexpected {called(token)}"
        return Diagnostic("E003", message, Label(where, f"expected {wanted}"))

    # --- statements

    def first_on_line(self, position: int) -> bool:
        """Whether a line break stands before the token (and ended no statement, for then it is a token itself)."""
        if not position:
            return True
        return "\n" in self.source.text[self.tokens[position - 1].end : self.tokens[position].start]

    def starts_statement(self, position: int) -> bool:
        actions = self.table.actions[self.stacks[position][-1]]
        return "let" in actions or "model" in actions

    def statement_start(self, position: int) -> int:
        return next(p for p in range(position, -1, -1) if self.starts_statement(p))

    def statement_end(self, position: int) -> int:
        """The first ``NL`` behind ``position``, or the closing brace or end of file that ends its statement before."""
        depth = 0
        for p in range(self.statement_start(position), len(self.tokens)):
            kind = self.tokens[p].type
            if p >= position and (kind == "END" or (kind == "NL" and p > position) or (kind == "}" and depth <= 0)):
                return p
            depth += (kind == "{") - (kind == "}")
        return len(self.tokens) - 1

    def block_end(self, position: int) -> int:
        """The end of the statement of ``position`` with the block that it opens."""
        start = self.statement_start(position)
        return max(self._rest(start, position, "model" in self.table.actions[self.stacks[start][-1]]))

    def leave_out(self, position: int) -> int:
        """Drops the statement or declaration of ``position`` from the tokens."""
        start = self.statement_start(position)
        stop = self.block_end(position)
        if self.tokens[stop].type == "NL":
            stop += 1
        elif start and self.tokens[start - 1].type == "NL":
            start -= 1
        if start == stop and self.tokens[start].type != "END":
            stop += 1
        del self.tokens[start:stop]
        self._quiet = -1
        return start

    def _rest(self, start: int, position: int, declaration: bool) -> Iterator[int]:
        """Positions from ``position`` to the end of the statement that begins at ``start``."""
        depth = 0
        for p in range(start, len(self.tokens)):
            kind = self.tokens[p].type
            if p >= position:
                yield p
                if kind == "END" or (kind == "NL" and depth <= 0 and not declaration):
                    return
                if kind == "NL" and declaration and (depth <= 0 or declares(self.tokens, p + 1)):
                    return
                if kind == "}" and depth <= 0 and not declaration:
                    return
            if kind in ("{", "}"):
                depth = max(0, depth + (kind == "{") - (kind == "}"))
