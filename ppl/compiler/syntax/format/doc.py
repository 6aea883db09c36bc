"""A small pretty printer after Wadler, *A prettier printer* (2003).

A document is a string, a list of documents, or one of the nodes below. ``render`` lays each group out flat if it fits
in the width, otherwise breaks its own lines; groups inside it decide for themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """A line break, or ``flat`` where its group fits; ``hard`` always breaks, and so does every group around it."""

    flat: str = " "
    hard: bool = False


@dataclass(frozen=True, slots=True)
class Nest:
    """Lines inside are indented one step more."""

    inner: Doc


@dataclass(frozen=True, slots=True)
class Group:
    """Laid out flat if it fits."""

    inner: Doc


Doc = str | Line | Nest | Group | Sequence["Doc"]

LINE, SOFT, HARD = Line(), Line(""), Line(hard=True)


def join(separator: Doc, docs: Sequence[Doc]) -> list[Doc]:
    """The documents with ``separator`` between them."""
    out: list[Doc] = []
    for k, doc in enumerate(docs):
        out += [separator, doc] if k else [doc]
    return out


def render(doc: Doc, width: int = 100, step: int = 2) -> str:
    """The text, without spaces at the ends of lines."""
    out: list[str] = []
    column = 0
    todo: list[tuple[int, bool, Doc]] = [(0, False, doc)]
    while todo:
        indent, flat, doc = todo.pop()
        if isinstance(doc, str):
            out.append(doc)
            column += len(doc)
        elif isinstance(doc, Line):
            if flat and not doc.hard:
                out.append(doc.flat)
                column += len(doc.flat)
            else:
                out.append("\n" + " " * indent)
                column = indent
        elif isinstance(doc, Nest):
            todo.append((indent + step, flat, doc.inner))
        elif isinstance(doc, Group):
            fits = flat or _fits(doc.inner, todo, width - column)
            todo.append((indent, fits, doc.inner))
        else:
            todo.extend((indent, flat, part) for part in reversed(doc))
    return "\n".join(line.rstrip() for line in "".join(out).split("\n"))


def _fits(doc: Doc, rest: list[tuple[int, bool, Doc]], room: int) -> bool:
    """Whether ``doc`` laid flat, and what follows it on its line, fits in ``room`` columns."""
    todo: list[tuple[bool, Doc]] = [(True, doc)]
    following = len(rest)
    while room >= 0:
        if not todo:
            if not following:
                return True
            following -= 1
            todo.append((rest[following][1], rest[following][2]))
            continue
        flat, part = todo.pop()
        if isinstance(part, str):
            room -= len(part)
        elif isinstance(part, Line):
            if part.hard:
                return not flat
            if not flat:
                return True
            room -= len(part.flat)
        elif isinstance(part, Nest):
            todo.append((flat, part.inner))
        elif isinstance(part, Group):
            todo.append((flat, part.inner))
        else:
            todo.extend((flat, inner) for inner in reversed(part))
    return False
