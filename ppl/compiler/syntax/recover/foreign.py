"""Constructions of other languages, with the way to say them here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ppl.compiler.syntax.recover.fix import Fix

if TYPE_CHECKING:
    from ppl.compiler.syntax.recover.repair import Repair


def recognise(repair: Repair, position: int) -> Iterator[Fix]:
    return iter(())
