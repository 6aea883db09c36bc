"""Prints the table mutant → check → draws → outcome: `python tools/mutants.py [ID …]`; with `--write` it is kept in
docs/internals/mutants.md. α = 1e-6."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("JAX_ENABLE_X64", "1")

HEAD = """# Mutants

Broken copies of our own parts (`tests/validation/mutants`), each refuted by the check that its detector names, at α =
1e-6. The sound original passes the same check. Printed by `python tools/mutants.py`.

| mutant | what is broken | detector | draws | refuted | original |
|---|---|---|---:|---|---|
"""


def main(arguments: list[str]) -> int:
    from tests.validation.mutants.all import MUTANTS

    chosen = [a for a in arguments if not a.startswith("--")] or list(MUTANTS)
    print(HEAD, end="")
    rows, sound = [], True
    for name in chosen:
        mutant, start = MUTANTS[name], time.monotonic()
        caught, kept = mutant.check(mutant.broken, mutant.n), not mutant.check(mutant.sound, mutant.n)
        draws = f"{mutant.n:,}" if mutant.n else "exact"
        outcome = f"{'yes' if caught else 'NO'} | {'passes' if kept else 'REFUTED'}"
        row = f"| {name} | {mutant.title} | {mutant.detector} | {draws} | {outcome} |"
        rows.append(row)
        sound &= caught and kept
        print(row, flush=True)
        print(f"{name}: {time.monotonic() - start:.1f} s", file=sys.stderr)
    if "--write" in arguments:
        (ROOT / "docs" / "internals" / "mutants.md").write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
