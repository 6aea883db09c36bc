"""The code blocks of the documentation, and what their comments promise.

In a block that is marked ``ppl``:

- ``# error: E301`` at the end of a line: exactly this code is reported on this line; ``# warning: W102`` likewise
  (several codes are separated by commas). A block without such a comment has no error.
- ``# inside: model m[N](x: real[N])`` as the first line: the rest is the body of that declaration.
- ``# file: priors.ppl`` as the first line: other blocks of the page can import the block under that name.
- ``# not executable yet: E601`` in a line of its own: these codes, and no others, are reported where a model of the
  block is to be run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [*sorted(DOCS.rglob("*.md")), DOCS.parent / "README.md"]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.M | re.S)
_PROMISE = re.compile(r"# (error|warning): ((?:[EW]\d{3}(?:, )?)+)")


@dataclass(frozen=True)
class Block:
    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(DOCS.parent)}:{self.line}"

    @property
    def program(self) -> str:
        """The whole program, line for line the block."""
        first, _, rest = self.text.partition("\n")
        if first.startswith("# inside: "):
            return f"{first.removeprefix('# inside: ')} {{\n{rest}\n}}\n"
        return self.text

    @property
    def file(self) -> str | None:
        found = re.match(r"# file: (\S+)\n", self.text)
        return found[1] if found else None

    @property
    def promised(self) -> set[tuple[int, str]]:
        """Lines with the codes that are to be found there."""
        return {
            (number, code)
            for number, line in enumerate(self.text.splitlines(), 1)
            for found in _PROMISE.finditer(line)
            for code in found[2].split(", ")
        }

    @property
    def not_executable(self) -> set[str]:
        found = re.findall(r"^\s*# not executable yet: (.*)$", self.text, re.M)
        return {code for codes in found for code in codes.split(", ")}


def blocks(language: str, *pages: Path) -> list[Block]:
    out = []
    for page in pages or PAGES:
        text = page.read_text(encoding="utf-8")
        for found in _BLOCK.finditer(text):
            if found[1] == language:
                out.append(Block(page, text.count("\n", 0, found.start()) + 2, language, found[2]))
    return out
