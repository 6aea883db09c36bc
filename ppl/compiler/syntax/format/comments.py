"""Where comments go: each is placed once, next to what it stood next to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from ppl.compiler.diagnostics.span import Span
from ppl.compiler.syntax.ast import Comment
from ppl.compiler.syntax.format.doc import HARD, LINE, SOFT, Doc, Group, Nest


class Spanned(Protocol):
    @property
    def span(self) -> Span: ...


N = TypeVar("N", bound=Spanned)


class Comments:
    """The comments of a file that are not placed yet."""

    def __init__(self, text: str, comments: Sequence[Comment]):
        self.text = text
        self.left = sorted(comments, key=lambda c: c.span.start)

    def take(self, start: int, end: int, unless: Callable[[Comment], bool] = lambda c: False) -> list[Comment]:
        """The comments between two offsets, now placed."""
        if not self.left or self.left[0].span.start >= end:
            return []
        taken: list[Comment] = []
        left: list[Comment] = []
        for comment in self.left:
            (taken if start <= comment.span.start < end and not unless(comment) else left).append(comment)
        self.left = left
        return taken

    def behind(self, offset: int, before: int) -> list[Comment]:
        """The comment that stands on the same line behind ``offset``, if it stands ``before`` another offset."""
        return self.take(offset, before, lambda c: "\n" in self.text[offset : c.span.start])

    def blank(self, end: int, start: int) -> bool:
        """Whether an empty line follows ``end``."""
        between = self.text[end:start]
        return between[: len(between) - len(between.lstrip(" \t\n;"))].count("\n") > 1

    def sequence(
        self,
        nodes: Sequence[N],
        start: int,
        end: int,
        show: Callable[[N], Doc],
        apart: Callable[[N, N | None], bool] | None = None,
    ) -> list[Doc]:
        """Nodes one under the other with their comments and at most one empty line between them.

        ``start..end`` is where they stand; ``apart(node, previous)`` asks for an empty line before a node.
        """
        lines: list[Doc] = []
        last, previous = start, None

        def add(doc: Doc, begin: int, finish: int, blank: bool) -> None:
            nonlocal last
            if lines:
                lines.append([HARD, HARD] if blank or self.blank(last, begin) else HARD)
            lines.append(doc)
            last = finish

        for k, node in enumerate(nodes):
            wide = apart is not None and bool(lines) and apart(node, previous)
            for comment in self.take(start, node.span.start):
                add(comment.text, comment.span.start, comment.span.end, wide)
                wide = False
            doc = show(node)
            for comment in self.take(node.span.start, node.span.end):
                add(comment.text, node.span.start, node.span.start, wide)
                wide = False
            following = nodes[k + 1].span.start if k + 1 < len(nodes) else end
            behind = self.behind(node.span.end, following)
            add(
                [doc, *(f" {c.text}" for c in behind)], node.span.start, (behind[-1] if behind else node).span.end, wide
            )
            previous = node
        for comment in self.take(start, end):
            add(comment.text, comment.span.start, comment.span.end, False)
        return lines

    def items(
        self, opening: str, nodes: Sequence[N], closing: str, span: Span, show: Callable[[N], Doc], pad: str = ""
    ) -> Doc:
        """A list in brackets, on one line if it fits; with comments between its items one item a line."""
        own = self.take(span.start, span.end, lambda c: any(n.span.start <= c.span.start < n.span.end for n in nodes))
        if not nodes and not own:
            return opening + closing
        if not own:
            edge = LINE if pad else SOFT
            parts: list[Doc] = []
            for k, node in enumerate(nodes):
                parts += [",", LINE, show(node)] if k else [show(node)]
            return Group([opening, Nest([edge, parts]), edge, closing])
        lines: list[Doc] = []
        for k, node in enumerate(nodes):
            before = [c for c in own if c.span.start < node.span.start]
            own = own[len(before) :]
            lines += [[HARD, c.text] for c in before]
            shown: list[Doc] = [HARD, show(node), "," if k + 1 < len(nodes) else ""]
            behind = [
                c for c in own if c.span.start >= node.span.end and "\n" not in self.text[node.span.end : c.span.start]
            ]
            behind = [c for c in behind if k + 1 == len(nodes) or c.span.start < nodes[k + 1].span.start]
            own = own[len(behind) :]
            lines.append([*shown, *(f" {c.text}" for c in behind)])
        lines += [[HARD, c.text] for c in own]
        return [opening, Nest(lines), HARD, closing]
