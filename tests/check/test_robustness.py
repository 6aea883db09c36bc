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
