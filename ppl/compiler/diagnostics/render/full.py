"""The report for people: header, place, source lines with marks, notes, and the edited lines of each help."""

from __future__ import annotations

import textwrap

from ppl.compiler.diagnostics.diagnostic import Diagnostic, Diagnostics, Edit
from ppl.compiler.diagnostics.render.ansi import paint
from ppl.compiler.diagnostics.render.snippet import marks, snippet
from ppl.compiler.diagnostics.span import Source

_WIDTH = 80


def render(diagnostic: Diagnostic, sources: dict[str, Source], color: bool = False) -> str:
    """One finding::

    error[E101]: unknown name `sgima`
     --> model.ppl:4:18
      |
    4 |   x ~ Normal(mu, sgima)
      |                  ^^^^^ not defined here
      = help: did you mean `sigma`?
      |
    4 |   x ~ Normal(mu, sigma)
      |                  +++++
    """
    severity = diagnostic.severity.value
    head = paint(f"{severity}[{diagnostic.code}]", severity, color)
    lines = [f"{head}{paint(': ' + diagnostic.message, 'bold', color)}"]
    labels = [(diagnostic.primary, True), *((label, False) for label in diagnostic.secondary)]
    files = list(dict.fromkeys(label.span.file for label, _ in labels))
    width = len(
        str(
            max(
                (sources[f].position(lb.span.end)[0] for lb, _ in labels for f in [lb.span.file] if f in sources),
                default=1,
            )
        )
    )
    bar = paint(" " * width + " |", "gutter", color)
    for file in files:
        arrow = "-->" if file == files[0] else ":::"
        first = next(label for label, _ in labels if label.span.file == file)
        source = sources.get(file)
        line, column = source.position(first.span.start) if source else (1, 1)
        lines.append(f"{paint(' ' * width + arrow, 'gutter', color)} {file}:{line}:{column}")
        if source is None or not source.text:
            continue
        found = [m for label, primary in labels if label.span.file == file for m in marks(label, source, primary)]
        lines += [bar, *snippet(source, found, width, color, severity)]
    for note in diagnostic.notes:
        lines += _said("note", note, width, color)
    for help in diagnostic.helps:
        lines += _said("help", help.text, width, color)
        lines += _edited(help.edits, sources, width, color)
    return "\n".join(lines) + "\n"


def render_all(diagnostics: Diagnostics, color: bool = False) -> str:
    """All findings, and how many there are."""
    found = diagnostics.sorted()
    reports = [render(d, diagnostics.sources, color) for d in found]
    errors, warnings = len(diagnostics.errors), len(diagnostics.warnings)
    counts = [f"{n} {what}{'s' * (n != 1)}" for n, what in ((errors, "error"), (warnings, "warning")) if n]
    return "\n".join([*reports, " and ".join(counts) + "\n"]) if found else ""


def _said(what: str, text: str, width: int, color: bool) -> list[str]:
    """``= note: …``, wrapped."""
    head = f"{' ' * width} = {what}: "
    wrapped = textwrap.wrap(text, max(30, _WIDTH - len(head)), break_long_words=False, break_on_hyphens=False) or [""]
    first = f"{' ' * width} {paint(f'= {what}:', 'help' if what == 'help' else 'bold', color)} {wrapped[0]}"
    return [first, *(" " * len(head) + line for line in wrapped[1:])]


def _edited(edits: tuple[Edit, ...], sources: dict[str, Source], width: int, color: bool) -> list[str]:
    """The lines as they are after the edits, with what is new marked."""
    if not edits or edits[0].span.file not in sources:
        return []
    source = sources[edits[0].span.file]
    ordered = sorted(edits, key=lambda e: e.span.start)
    first = source.position(ordered[0].span.start)[0]
    text, at = [], source.line_starts[first - 1]
    for edit in ordered:
        text += [source.text[at : edit.span.start], edit.text]
        at = edit.span.end
    end = source.text.find("\n", at)
    text.append(source.text[at : len(source.text) if end < 0 else end])
    shown, marked = _marked(text)
    bar = paint(" " * width + " |", "gutter", color)
    lines = [bar]
    for offset, (line, mark) in enumerate(zip(shown, marked, strict=True)):
        lines.append(f"{paint(f'{first + offset:>{width}} |', 'gutter', color)} {line}".rstrip())
        if mark.strip():
            lines.append(f"{bar} {paint(mark.rstrip(), 'add', color)}")
    return lines


def _marked(pieces: list[str]) -> tuple[list[str], list[str]]:
    """The lines of old and new pieces in turn, and for each a line with ``+`` under what is new."""
    shown, marked = [""], [""]
    for k, piece in enumerate(pieces):
        for j, part in enumerate(piece.replace("\t", " ").split("\n")):
            if j:
                shown.append("")
                marked.append("")
            shown[-1] += part
            marked[-1] += ("+" if k % 2 else " ") * len(part)
    return shown, marked
