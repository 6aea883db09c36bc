"""Warnings are silenced by a comment on the line, on the line before, or at the top of the file."""

from __future__ import annotations

import pytest

from ppl.compiler.pipeline import check_text

PROGRAM = "model m() {{\n{before}  mu ~ Flat(){after}\n  data y ~ Normal(mu, 1)\n}}\n"


def codes(text: str) -> list[str]:
    return [d.code for d in check_text(text).diagnostics.items]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (PROGRAM.format(before="", after=""), ["W104"]),
        (PROGRAM.format(before="", after=" # ppl: allow W104"), []),
        (PROGRAM.format(before="  # ppl: allow W104\n", after=""), []),
        ("# ppl: allow W104, W101\n" + PROGRAM.format(before="", after=""), []),
        (PROGRAM.format(before="", after=" # ppl: allow W101"), ["W104"]),
        (PROGRAM.format(before="  # ppl: allow W104\n\n", after=""), ["W104"]),
    ],
)
def test_allow(text: str, wanted: list[str]):
    assert codes(text) == wanted


def test_errors_are_never_silenced():
    assert codes("# ppl: allow E401\nmodel m() {\n  x ~ Normal(0, -1)\n}\n") == ["E401"]


def test_empty_text():
    for text in ("", "# only a comment\n", "\n\n"):
        [finding] = check_text(text).diagnostics.items
        assert finding.code == "E108" and finding.primary.span.start == 0


def test_a_function_is_read_where_it_is_applied_though_it_does_not_apply_itself():
    body = "  a ~ Normal(0, 1)\n  let f = fn(v: real) -> real { return a * v }\n"
    assert codes(f"model m() {{\n{body}  data y ~ Normal(f(2), 1)\n}}\n") == []
    assert codes(f"model m() {{\n{body}  data y ~ Normal(a, 1)\n}}\n") == ["W102"]
