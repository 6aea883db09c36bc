"""What the emitter refuses."""

from __future__ import annotations

from ppl.compiler.diagnostics.span import NOWHERE, Span
from ppl.core.errors import MethodError


class EmissionError(MethodError):
    """A program that cannot be executed as asked. ``span`` is the place."""

    def __init__(self, message: str, span: Span = NOWHERE, *, notes: tuple[str, ...] = (), helps: tuple[str, ...] = ()):
        super().__init__(message, notes=notes, helps=helps)
        self.span = span


class CompilerDefect(Exception):
    """The IR breaks one of its own rules: a mistake of ours, not of the program."""
