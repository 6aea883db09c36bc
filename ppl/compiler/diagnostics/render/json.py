"""Findings for programs: places as line and column (from 1) and as offsets (characters, from 0), edits to apply."""

from __future__ import annotations

import json
from typing import Any

from ppl.compiler.diagnostics.diagnostic import Diagnostic, Diagnostics, Help, Label
from ppl.compiler.diagnostics.span import Source, Span


def as_data(diagnostic: Diagnostic, sources: dict[str, Source]) -> dict[str, Any]:
    """The finding as dictionaries, lists, strings and numbers."""

    def place(span: Span) -> dict[str, Any]:
        source = sources.get(span.file)
        (line, column), (end_line, end_column) = (
            (source.position(span.start), source.position(span.end)) if source else ((1, 1), (1, 1))
        )
        return {
            "file": span.file,
            "line": line,
            "column": column,
            "end_line": end_line,
            "end_column": end_column,
            "start": span.start,
            "end": span.end,
        }

    def label(label: Label) -> dict[str, Any]:
        return {**place(label.span), "text": label.text}

    def help(help: Help) -> dict[str, Any]:
        return {"text": help.text, "edits": [{**place(edit.span), "replacement": edit.text} for edit in help.edits]}

    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "primary": label(diagnostic.primary),
        "secondary": [label(s) for s in diagnostic.secondary],
        "notes": list(diagnostic.notes),
        "helps": [help(h) for h in diagnostic.helps],
    }


def render_all(diagnostics: Diagnostics) -> str:
    """A JSON list with one object per finding."""
    return (
        json.dumps([as_data(d, diagnostics.sources) for d in diagnostics.sorted()], indent=1, ensure_ascii=False) + "\n"
    )
