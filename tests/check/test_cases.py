"""Golden findings: in ``cases/*.ppl`` a comment ``#! CODE text`` names what is found on its line, and nothing else
may be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ppl.compiler.pipeline import check_file

CASES = sorted(Path(__file__).parent.glob("cases/*.ppl"))


def expected(text: str) -> set[tuple[int, str, str]]:
    out = set()
    for number, line in enumerate(text.split("\n"), 1):
        _, mark, findings = line.partition("#! ")
        if mark and re.match(r"[EW]\d{3} ", findings):
            for one in findings.split(" | "):
                code, _, marked = one.strip().partition(" ")
                out.add((number, code, marked))
    return out


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_exactly_the_expected_findings(path: Path):
    result = check_file(path)
    found = set()
    for d in result.diagnostics.items:
        source = result.diagnostics.sources[d.primary.span.file]
        found.add((source.position(d.primary.span.start)[0], d.code, source.slice(d.primary.span).split("\n")[0]))
    wanted = expected(path.read_text())
    assert found - wanted == set()
    assert wanted - found == set()
