"""How long the parser takes: a file of 1000 lines within a process, and a whole process on a file of 200 lines.

    python benchmarks/parse_time.py [--runs 15]

Aims: under 0.5 s for the former; for the latter, `ppl check` as a whole may take 0.35 s, of which this is the part of
Python's start, imports and parsing. Prints medians.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from ppl.compiler.diagnostics.span import Source
from ppl.compiler.syntax.format import format_source
from ppl.compiler.syntax.parser import parse

ROOT = Path(__file__).parents[1]
PROCESS = """
import sys
from ppl.compiler.diagnostics.span import Source
from ppl.compiler.syntax.parser import parse
path = sys.argv[1]
_, found = parse(Source.of(path, open(path, encoding="utf-8").read()))
assert not found and not {"lark", "jax", "numpy"} & set(sys.modules)
"""


def program(lines: int) -> str:
    """The models of the syntax tests, one after the other, to at least so many lines."""
    texts = [p.read_text(encoding="utf-8") for p in sorted((ROOT / "tests" / "syntax" / "models").glob("*.ppl"))]
    out = ""
    while out.count("\n") < lines:
        out += texts[out.count("\n") % len(texts)] + "\n"
    return out


def timed(action, runs: int) -> float:
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return median(times)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--runs", type=int, default=15)
    runs = arguments.parse_args().runs
    big = Source.of("big.ppl", program(1000))
    parse(big)  # fills the cache of the table
    parsing = timed(lambda: parse(big), runs)
    formatting = timed(lambda: format_source(big), max(1, runs // 5))
    lines = big.text.count("\n")
    print(f"parse, {lines} lines: {parsing:.3f} s (aim 0.5 s)")
    print(f"format, with parsing the result again: {formatting:.3f} s")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.ppl"
        path.write_text(program(200), encoding="utf-8")
        lines = path.read_text(encoding="utf-8").count("\n")
        process = timed(lambda: subprocess.run([sys.executable, "-c", PROCESS, path], check=True, cwd=ROOT), runs)
        empty = timed(lambda: subprocess.run([sys.executable, "-c", ""], check=True), runs)
    print(f"a process that parses {lines} lines: {process:.3f} s, of which Python's start {empty:.3f} s")
    return 0 if parsing < 0.5 else 1


if __name__ == "__main__":
    sys.exit(main())
