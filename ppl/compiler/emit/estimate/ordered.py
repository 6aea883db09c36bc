"""Ordered loops of an estimator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.estimate import scored
from ppl.compiler.ir.nodes import Scan

if TYPE_CHECKING:
    from ppl.compiler.emit.estimate.walk import Walk


def scan(walk: Walk, loop: Scan) -> None:
    if walk.scoring:
        scored.evaluated(walk, loop)
        return
    raise EmissionError("an ordered loop that draws has no place in an expectation yet", loop.span)
