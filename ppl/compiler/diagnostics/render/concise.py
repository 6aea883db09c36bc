"""One line for each finding: ``file:line:col: CODE message``."""

from __future__ import annotations

from ppl.compiler.diagnostics.diagnostic import Diagnostic, Diagnostics
from ppl.compiler.diagnostics.span import Source


def render(diagnostic: Diagnostic, sources: dict[str, Source]) -> str:
    span = diagnostic.primary.span
    source = sources.get(span.file)
    line, column = source.position(span.start) if source else (1, 1)
    return f"{span.file}:{line}:{column}: {diagnostic.code} {diagnostic.message}"


def render_all(diagnostics: Diagnostics) -> str:
    return "".join(render(d, diagnostics.sources) + "\n" for d in diagnostics.sorted())
