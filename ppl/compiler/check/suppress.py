"""Warnings that the text allows: ``# ppl: allow W101`` on the line, on the line before, or at the top of the file."""

from __future__ import annotations

import re
from functools import lru_cache

from ppl.compiler.diagnostics.diagnostic import Diagnostic, Severity
from ppl.compiler.diagnostics.span import Source

_ALLOW = re.compile(r"#+\s*ppl:\s*allow\s+((?:W\d+[\s,]*)+)")


@lru_cache(maxsize=64)
def _allowed(text: str) -> tuple[tuple[int, frozenset[str], bool], ...]:
    """For each such comment its line, the codes, and whether it stands before all code."""
    out = []
    code_seen = False
    for number, line in enumerate(text.split("\n"), 1):
        match = _ALLOW.search(line)
        if match:
            out.append(
                (number, frozenset(re.findall(r"W\d+", match[1])), not code_seen and line.lstrip().startswith("#"))
            )
        if line.strip() and not line.lstrip().startswith("#"):
            code_seen = True
    return tuple(out)


def suppressed(d: Diagnostic, sources: dict[str, Source]) -> bool:
    source = sources.get(d.primary.span.file)
    if d.severity is not Severity.WARNING or source is None or "ppl:" not in source.text:
        return False
    line, _ = source.position(d.primary.span.start)
    return any(d.code in codes and (top or at in (line, line - 1)) for at, codes, top in _allowed(source.text))
