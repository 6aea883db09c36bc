"""Findings about data. They name the entry (``y[3]``) and its file where a diagnostic of a program has a span."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from ppl.core.errors import DataError


@dataclass(frozen=True, slots=True)
class DataProblem:
    """``path`` is the entry (``y[3]``; a file's own name for trouble with the file), ``found`` and ``needed`` plain
    phrases, ``help`` an edit that works, ``more`` how many further entries of the same name have the same problem."""

    code: str
    path: str
    found: str
    needed: str = ""
    source: str = ""
    help: str = ""
    more: int = 0

    @property
    def is_error(self) -> bool:
        return self.code.startswith("E")

    def render(self, color: bool = False) -> str:
        red, blue, bold, end = ("\x1b[31m", "\x1b[34m", "\x1b[1m", "\x1b[0m") if color else ("", "", "", "")
        kind = "error" if self.is_error else "warning"
        lines = [f"{red}{kind}[{self.code}]{end}{bold}: {self.path}: {self.found}{end}"]
        if self.more:
            lines[0] += f" (and {self.more} more {'entry' if self.more == 1 else 'entries'} like it)"
        if self.source and self.source != self.path:
            lines.append(f"  {blue}-->{end} {self.source}")
        if self.needed:
            lines.append(f"  {blue}={end} needed: {self.needed}")
        if self.help:
            lines.append(f"  {blue}={end} help: {self.help}")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        return {"severity": "error" if self.is_error else "warning"} | asdict(self)


class InvalidData(DataError):
    """Data that cannot be used; carries every finding."""

    def __init__(self, problems: Iterable[DataProblem]):
        self.problems = tuple(problems)
        super().__init__("\n".join(p.render() for p in self.problems))


@dataclass
class Problems:
    """A collector of findings."""

    items: list[DataProblem] = field(default_factory=list)

    def add(self, problem: DataProblem) -> None:
        if problem not in self.items:
            self.items.append(problem)

    @property
    def errors(self) -> tuple[DataProblem, ...]:
        return tuple(p for p in self.items if p.is_error)

    @property
    def warnings(self) -> tuple[DataProblem, ...]:
        return tuple(p for p in self.items if not p.is_error)

    def check(self) -> None:
        """Raise ``InvalidData`` with every finding if one of them is an error."""
        if self.errors:
            raise InvalidData(self.items)
