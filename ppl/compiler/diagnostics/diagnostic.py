"""Diagnostics are data; how they are shown is the renderers' business."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from ppl.compiler.diagnostics.span import Source, Span


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Label:
    """A place and what is to be said of it."""

    span: Span
    text: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text of ``span`` by ``text``."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Help:
    """Advice; where ``edits`` is not empty, applying them gives a program that parses."""

    text: str
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: a registered code, a plain sentence, the place, the cause, why, and what to do.

    ``code`` is registered in ``ppl.compiler.diagnostics.codes``: ``E…`` is an error, ``W…`` a warning.
    """

    code: str
    message: str
    primary: Label
    secondary: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    helps: tuple[Help, ...] = ()

    @property
    def severity(self) -> Severity:
        return Severity.WARNING if self.code.startswith("W") else Severity.ERROR


@dataclass
class Diagnostics:
    """The findings of one run, over one or several source files."""

    sources: dict[str, Source] = field(default_factory=dict)
    items: list[Diagnostic] = field(default_factory=list)

    def add(self, diagnostic: Diagnostic) -> None:
        if diagnostic not in self.items:
            self.items.append(diagnostic)

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        for d in diagnostics:
            self.add(d)

    @property
    def errors(self) -> list[Diagnostic]:
        return [d for d in self.items if d.severity is Severity.ERROR]

    @property
    def warnings(self) -> list[Diagnostic]:
        return [d for d in self.items if d.severity is Severity.WARNING]

    def sorted(self) -> list[Diagnostic]:
        """In the order of the text."""
        return sorted(self.items, key=lambda d: (d.primary.span.file, d.primary.span.start, d.code))


class ModelError(Exception):
    """A program that cannot be accepted; carries every finding (exit code 3)."""

    def __init__(self, diagnostics: Diagnostics):
        self.diagnostics = diagnostics
        first = diagnostics.errors[0] if diagnostics.errors else None
        more = len(diagnostics.errors) - 1
        super().__init__(
            "no finding"
            if first is None
            else f"[{first.code}] {first.message}" + (f" (and {more} more)" if more else "")
        )
