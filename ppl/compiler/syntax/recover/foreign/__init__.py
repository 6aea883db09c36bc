"""Constructions of Stan, R, Python and C, with the way to say them here.

Each recogniser looks at the failing token and its neighbours and gives a sure fix, or None.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ppl.compiler.syntax.recover.fix import Fix
from ppl.compiler.syntax.recover.foreign.at import At
from ppl.compiler.syntax.recover.foreign.numbers import number
from ppl.compiler.syntax.recover.foreign.operators import arrow, chained, colon_range, equals, ternary
from ppl.compiler.syntax.recover.foreign.stan import block, declaration, loop
from ppl.compiler.syntax.recover.foreign.words import declared_by, else_if, expression_statement, unbounded_loop

if TYPE_CHECKING:
    from ppl.compiler.syntax.recover.repair import Repair

_RECOGNISERS: tuple[Callable[[At], Fix | None], ...] = (
    arrow,
    loop,
    number,
    colon_range,
    equals,
    chained,
    declaration,
    block,
    declared_by,
    else_if,
    unbounded_loop,
    ternary,
    expression_statement,
)


def recognise(repair: Repair, position: int) -> Fix | None:
    """What the failing token at ``position`` shows to be another language's way, if anything."""
    at = At(repair, position)
    return next((fix for recogniser in _RECOGNISERS if (fix := recogniser(at)) is not None), None)
