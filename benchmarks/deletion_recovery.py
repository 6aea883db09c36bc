"""Of all single-token deletions of the example models that are rejected: how many have a diagnostic on the line of the
mistake?

    python benchmarks/deletion_recovery.py [--list] [FILE...]

Prints the share for the line of a diagnostic's primary place, and for any place that a diagnostic points at. The aim
is 95 % of the former. ``--list`` shows the deletions that miss.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from ppl.compiler.diagnostics.span import Source
from ppl.compiler.syntax.parse.lexer import lex
from ppl.compiler.syntax.parse.table import table
from ppl.compiler.syntax.parser import parse

ROOT = Path(__file__).parents[1]


def files() -> list[Path]:
    """The example models; where there are few yet, the models of the syntax tests too."""
    return sorted(ROOT.glob("examples/*/model.ppl")) + sorted(ROOT.glob("tests/syntax/models/*.ppl"))


def measure(path: Path, show: bool = False) -> tuple[int, int, int, int, float]:
    """Deletions, those rejected, those with a primary place and with any place on the line, mean findings."""
    text = Source.of(path.name, path.read_text(encoding="utf-8")).text
    tokens = [t for t in lex(Source(path.name, text), table()).tokens if t.type not in ("NL", "END")]
    rejected = primary = anywhere = findings = 0
    for token in tokens:
        source = Source(path.name, text[: token.start] + text[token.end :])
        _, found = parse(source)
        if not found:
            continue
        rejected += 1
        findings += len(found)
        line = source.position(token.start)[0]
        firsts = {source.position(d.primary.span.start)[0] for d in found}
        others = {source.position(label.span.start)[0] for d in found for label in d.secondary}
        primary += line in firsts
        anywhere += line in firsts | others
        if show and line not in firsts:
            said = "; ".join(f"{source.position(d.primary.span.start)[0]}: {d.code} {d.message}" for d in found)
            print(f"{path.name}:{line}: without `{token.text}` -> {said}")
    return len(tokens), rejected, primary, anywhere, findings


def main(arguments: list[str]) -> int:
    show = "--list" in arguments
    paths = [Path(a) for a in arguments if a != "--list"] or files()
    totals = [0, 0, 0, 0, 0]
    began = time.perf_counter()
    for path in paths:
        row = measure(path, show)
        totals = [a + b for a, b in zip(totals, row, strict=True)]
    deletions, rejected, primary, anywhere, findings = totals
    print(f"{len(paths)} models, {deletions} deletions, {rejected} rejected, {time.perf_counter() - began:.1f} s")
    shares = f"{primary / rejected:.2%} (primary place), {anywhere / rejected:.2%} (any place)"
    print(f"on the line of the mistake: {shares}")
    print(f"findings for one mistake: {findings / rejected:.3f} on average")
    return 0 if primary / rejected >= 0.95 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
