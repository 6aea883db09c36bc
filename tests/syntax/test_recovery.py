"""All mistakes of a file in one run, each at its place, with helps that put them right.

The expected reports are in ``recovery/*.txt``; after a deliberate change ``PPL_UPDATE_GOLDEN=1`` writes them anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.deletion_recovery import measure
from ppl.compiler.diagnostics.diagnostic import Diagnostics
from ppl.compiler.diagnostics.render import render
from ppl.compiler.diagnostics.span import Source
from ppl.compiler.syntax.parser import parse
from tests.syntax.helpers import HERE, findings

CASES = sorted((HERE / "recovery").glob("*.ppl"))


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_report(path: Path):
    source = Source.of(path.name, path.read_text(encoding="utf-8"))
    _, found = parse(source)
    report = render(Diagnostics({source.name: source}, list(found)))
    golden = path.with_suffix(".txt")
    if os.environ.get("PPL_UPDATE_GOLDEN") == "1":
        golden.write_text(report, encoding="utf-8")
    assert report == golden.read_text(encoding="utf-8")


def one(text: str) -> tuple[str, str]:
    """The only finding of a text: its code, and the text with its helps applied."""
    found = findings(text)
    assert len(found) == 1, [f"{d.code} {d.message}" for d in found]
    for edit in sorted((e for h in found[0].helps for e in h.edits), key=lambda e: -e.span.start):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return found[0].code, text


@pytest.mark.parametrize(
    ("code", "wrong", "right"),
    [
        ("E010", "mu <- 5", "let mu = 5"),
        ("E010", "mu := 5", "let mu = 5"),
        ("E010", "mu += 5", "mu = mu + 5"),
        ("E014", "target += f(x)", "factor f(x)"),
        ("E011", "let a = b && c", "let a = b and c"),
        ("E011", "let a = b||c", "let a = b or c"),
        ("E011", "let a = !b", "let a = not b"),
        ("E011", "let a = b ** 2", "let a = b ^ 2"),
        ("E012", "// note", "# note"),
        ("E013", "if a = b { x ~ D }", "if a == b { x ~ D }"),
        ("E014", "real x;", "x: real ~ Flat();"),
        ("E014", "real<lower=0> x ~ D", "x: real<lower=0> ~ D"),
        ("E014", "vector[N] x = zeros(N)", "let x: real[N] = zeros(N)"),
        ("E014", "for (i in 1:N) { x[i] ~ D }", "for i in 0..N { x[i] ~ D }"),
        ("E014", "if a { x ~ D } elif b { y ~ D }", "if a { x ~ D } else if b { y ~ D }"),
        ("E015", "for i in 1:N { x[i] ~ D }", "for i in 1..N { x[i] ~ D }"),
        ("E016", "let a = 0 < x < 1", "let a = 0 < x and x < 1"),
        ("E020", "let a = .5", "let a = 0.5"),
        ("E020", "let a = f(1., 2)", "let a = f(1.0, 2)"),
        ("E020", "let a = 0x1F", "let a = 31"),
        ("E002", 'let a = "b', 'let a = "b"'),
        ("E001", "let a = 'b'", 'let a = "b"'),
        ("E001", "let a = b ≤ c", "let a = b <= c"),
        ("E004", "x  Normal(0, 1)", "x ~ Normal(0, 1)"),
        ("E004", "x ~ Normal(0 1)", "x ~ Normal(0, 1)"),
        ("E004", "x ~ Normal 0, 1)", "x ~ Normal(0, 1)"),
        ("E004", "let a = 2x", "let a = 2 * x"),
        ("E004", "plate i N { x[i] ~ D }", "plate i in N { x[i] ~ D }"),
        ("E004", "let a = if b then c d", "let a = if b then c else d"),
        ("E006", "x ~ Normal(0, 1", "x ~ Normal(0, 1)"),
        ("E006", "x ~ Normal(y[0, 1)", "x ~ Normal(y[0, 1])"),
        ("E006", "x[i ~ D", "x[i] ~ D"),
        ("E007", "x ~ Normal(0, 1))", "x ~ Normal(0, 1)"),
        ("E008", "let data = 1", "let data_ = 1"),
        ("E008", "over ~ D", "over_ ~ D"),
        ("E019", "f(x)", "let value = f(x)"),
        ("E019", "let a = 1\n  + 2", "let a = 1 +\n 2"),
        ("E022", "x ~ D y ~ D", "x ~ D; y ~ D"),
    ],
)
def test_help_puts_the_mistake_right(code, wrong, right):
    frame = "model m() {{\n  {}\n}}\n".format
    got, mended = one(frame(wrong))
    assert got == code
    assert parse(Source.of("a", mended))[1] == []
    assert "".join(mended.split()) == "".join(frame(right).split())


@pytest.mark.parametrize(
    ("code", "wrong", "right"),
    [
        ("E017", "fn f(x) -> real { return x }", "fn f(x: real) -> real { return x }"),
        ("E003", "modle m() { x ~ D }", "model m() { x ~ D }"),
        (
            "E005",
            "model m() {\n  plate i in N {\n    x[i] ~ D\n\n  y ~ D\n}\n",
            "model m() {\n  plate i in N {\n    x[i] ~ D\n  }\n  y ~ D\n}\n",
        ),
        (
            "E005",
            "model m() {\n  x ~ D\n\nmodel n() {\n  x ~ D\n}\n",
            "model m() {\n  x ~ D\n}\nmodel n() {\n  x ~ D\n}\n",
        ),
        ("E005", "fn f() -> real { return 1", "fn f() -> real { return 1 }"),
        ("E006", "model m(x: real {\n  y ~ D\n}\n", "model m(x: real) {\n  y ~ D\n}\n"),
        ("E007", "model m() {\n  x ~ D\n}\n}\n", "model m() {\n  x ~ D\n}\n"),
    ],
)
def test_help_puts_the_declaration_right(code, wrong, right):
    got, mended = one(wrong)
    assert got == code
    assert parse(Source.of("a", mended))[1] == []
    assert "".join(mended.split()) == "".join(right.split())


def test_each_mistake_of_a_file_is_found():
    text = """\
model a() {
  x ~ Normal(0 1)
  y ~ Normal(0, 1)
  z  Normal(0, 1)
}

model b() {
  let = 3
  plate i N { w[i] ~ D }
}
"""
    source = Source.of("a", text)
    assert [source.position(d.primary.span.start)[0] for d in parse(source)[1]] == [2, 4, 8, 9]


def test_findings_are_on_the_line_of_the_mistake():
    """Of the single-token deletions that are rejected; ``benchmarks/deletion_recovery.py`` does all models."""
    deletions, rejected, on_line, _, said = measure(HERE / "models" / "eight_schools.ppl")
    assert deletions > 200
    assert on_line >= 0.95 * rejected
    assert said <= 1.1 * rejected
