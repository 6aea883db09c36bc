"""Source lines with marks under them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from ppl.compiler.diagnostics.diagnostic import Label
from ppl.compiler.diagnostics.render.ansi import paint
from ppl.compiler.diagnostics.span import Source

#: A stretch of unmarked lines up to this long is shown, a longer one becomes `...`.
_GAP = 2


@dataclass(frozen=True, slots=True)
class Mark:
    """Columns ``start..end`` (from 0) of a line, with what is said of them."""

    line: int
    start: int
    end: int
    text: str
    primary: bool


def marks(label: Label, source: Source, primary: bool) -> list[Mark]:
    """The marks of a label: one on one line; the first and the last line of a place that spans several."""
    span = label.span
    line, column = source.position(span.start)
    end_line, end_column = source.position(max(span.start, span.end))
    if line == end_line:
        return [Mark(line, column - 1, max(column, end_column - 1), label.text, primary)]
    last = source.line(end_line)[: end_column - 1]
    while end_line > line and not last.strip():
        end_line -= 1
        last = source.line(end_line)
    first = Mark(
        line, column - 1, max(column, len(source.line(line).rstrip())), label.text if end_line == line else "", primary
    )
    if end_line == line:
        return [first]
    indent = len(last) - len(last.lstrip())
    return [first, Mark(end_line, indent, max(indent + 1, len(last)), label.text, primary)]


def snippet(source: Source, found: list[Mark], width: int, color: bool, severity: str) -> list[str]:
    """The marked lines of one file, each with its marks below it; ``width`` is that of the line numbers."""
    out: list[str] = []
    previous = None
    for number in sorted({m.line for m in found}):
        if previous is not None:
            if number - previous > _GAP + 1:
                out.append(paint("...", "gutter", color))
            else:
                out += [_line(source, n, width, color) for n in range(previous + 1, number)]
        out.append(_line(source, number, width, color))
        out += _below(source.line(number), [m for m in found if m.line == number], width, color, severity)
        previous = number
    return out


def _line(source: Source, number: int, width: int, color: bool) -> str:
    text = source.line(number).replace("\t", " ")
    return f"{paint(f'{number:>{width}} |', 'gutter', color)} {text}".rstrip()


def _below(text: str, found: list[Mark], width: int, color: bool, severity: str) -> list[str]:
    """Marks under a line, from right to left where there are several, so that no text covers a mark."""
    gutter = paint(" " * width + " |", "gutter", color)
    out = []
    for mark in sorted(found, key=lambda m: (-m.start, not m.primary)):
        sign = ("^" if mark.primary else "-") * max(1, _columns(text[mark.start : mark.end]) or mark.end - mark.start)
        shown = paint(f"{sign} {mark.text}".rstrip(), severity if mark.primary else "secondary", color)
        out.append(f"{gutter} {' ' * _columns(text[: mark.start])}{shown}")
    return out


def _columns(text: str) -> int:
    """How wide the text is on a terminal."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
