"""Help is a valid edit: with it applied the text still parses; where the explained mistake offers edits, one of them
works."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppl.compiler.diagnostics.codes import CODES
from ppl.compiler.diagnostics.diagnostic import Help
from ppl.compiler.diagnostics.span import Source
from ppl.compiler.pipeline import check_text
from ppl.compiler.syntax.parser import parse

TEXTS = {code: e.wrong for code, e in CODES.items() if e.wrong and not code.startswith("E0")}
TEXTS |= {p.stem: p.read_text() for p in Path(__file__).parent.glob("cases/*.ppl")}


def applied(text: str, help_: Help) -> str:
    for edit in sorted(help_.edits, key=lambda e: e.span.start, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


@pytest.mark.parametrize("name", TEXTS)
def test_edits_parse(name: str):
    text = TEXTS[name]
    before = {d.message for d in parse(Source.of("t", text))[1]}
    for d in check_text(text, "t").diagnostics.items:
        for h in d.helps:
            if h.edits and not d.code.startswith("E0"):
                after = applied(text, h)
                new = [x.message for x in parse(Source.of("t", after))[1] if x.message not in before]
                assert not new, (d.code, h.text, after)


@pytest.mark.parametrize("code", [c for c in TEXTS if c in CODES])
def test_an_edit_removes_the_finding(code: str):
    found = [
        d for d in check_text(TEXTS[code], "t").diagnostics.items if d.code == code and any(h.edits for h in d.helps)
    ]
    for d in found:
        remaining = [
            sum(x.code == code for x in check_text(applied(TEXTS[code], h), "t").diagnostics.items)
            for h in d.helps
            if h.edits
        ]
        assert min(remaining) < sum(x.code == code for x in check_text(TEXTS[code], "t").diagnostics.items), d.helps


@pytest.mark.parametrize("sign", ["<-", ":="])
def test_an_assignment_of_another_language_is_one_mistake(sign):
    found = check_text(f"model m() {{\n  sigma {sign} 3\n  y ~ Normal(0, sigma)\n}}\n").diagnostics.errors
    assert [d.code for d in found] == ["E010"]


def test_a_suggested_name_could_stand_there():
    text = (
        "model mu2() {\n  let rate = fn(x: real) => 2 * x\n  rat ~ Exponential(1)\n  y ~ Poisson(rato)\n  z ~ "
        "Normal(mu, 1)\n}\n"
    )
    rato, mu = check_text(text).diagnostics.errors
    assert [h.edits[0].text for h in rato.helps] == ["rat"] and not mu.helps


@pytest.mark.parametrize("e", ["1 / 0", "x / 0", "3 % 0", "x / (1 - 1)"])
def test_a_division_by_zero_is_found_before_the_run(e):
    (error,) = check_text(f"model m() {{\n  x ~ Normal(0, 1)\n  y ~ Normal({e}, 1)\n}}\n").diagnostics.errors
    assert error.code == "E401"
