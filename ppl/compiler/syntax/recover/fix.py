"""A change of the token stream that may put a mistake right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ppl.compiler.diagnostics.diagnostic import Diagnostic
from ppl.compiler.syntax.parse.token import Token


@dataclass(frozen=True, slots=True)
class Fix:
    """Replaces ``tokens[start:stop]`` by ``tokens``. Of the fixes that reach as far, the cheapest wins; a ``sure``
    one wins at once. ``tell`` makes the finding, if the
    mistake was not known already."""

    start: int
    stop: int
    tokens: tuple[Token, ...]
    cost: float
    tell: Callable[[], Diagnostic | None]
    sure: bool = False
