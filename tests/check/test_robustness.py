"""Whatever the text, the checker answers with findings: it never raises, and what it accepts is well-formed IR."""

from __future__ import annotations

import random
import re
from pathlib import Path

from ppl.compiler.diagnostics.codes import CODES
from ppl.compiler.ir.printer import print_program
from ppl.compiler.ir.verify import verify
from ppl.compiler.pipeline import check_text

TOKEN = re.compile(r"[A-Za-z_]\w*|\d+(?:\.\d+)?|[^\s\w]")
EXAMPLES = Path(__file__).parents[2] / "examples"


def mutated(rng: random.Random, text: str) -> str:
    """A token deleted, replaced by another of the text, or one inserted."""
    tokens = list(TOKEN.finditer(text))
    if not tokens:
        return text
    at, other = rng.choice(tokens), rng.choice(tokens).group()
    kind = rng.random()
    if kind < 0.35:
        return text[: at.start()] + text[at.end() :]
    if kind < 0.8:
        return text[: at.start()] + other + text[at.end() :]
    return text[: at.start()] + other + " " + text[at.start() :]


def texts() -> list[str]:
    found = [p.read_text() for p in sorted(EXAMPLES.glob("*/model.ppl"))]
    return found + [t for e in CODES.values() for t in (e.wrong, e.right) if t]


def test_mutated_programs_are_answered():
    rng = random.Random(20)
    programs = texts()
    for _ in range(400):
        text = rng.choice(programs)
        for _ in range(rng.choice([1, 1, 2])):
            text = mutated(rng, text)
        result = check_text(text, "t")
        if result.program is not None:
            print_program(result.program)
            assert verify(result.program) == [], text


def test_every_right_program_is_well_formed():
    for e in CODES.values():
        if e.right and not e.code.startswith("E0"):
            program = check_text(e.right, "t").program
            assert program is not None and verify(program) == [], e.code


def codes(text: str) -> set[str]:
    return {d.code for d in check_text(text, "t").diagnostics.items}


def test_long_and_deep_programs_are_answered():
    body = "model m() {{\n  x ~ Normal(0, 1)\n  data y ~ Normal({}, 1)\n}}\n"
    assert codes(body.format(" + ".join(["x"] * 3000))) == set()
    for deep in ("(" * 3000 + "x" + ")" * 3000, "f(" * 1000 + "1" + ")" * 1000, "1" + "^1" * 3000, "-" * 3000 + "1"):
        assert codes(body.format(deep)) == {"E023"}
    assert codes("model m() {\n" + "if true {\n" * 1000 + "}\n" * 1000 + "}\n") == {"E023"}


def test_huge_numbers_are_answered():
    assert codes("model m() {\n  data y ~ Normal(2^1000000000, 1)\n}\n") == set()
    assert codes("model m() {\n  data y ~ Normal(99999999999999999999, 1)\n}\n") == {"E401"}
    assert codes("model m() {\n  data y: real[1000000000000] ~ Normal(1e300 * 1e300, 1)\n}\n") == set()
