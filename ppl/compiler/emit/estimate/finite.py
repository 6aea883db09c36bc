"""The values of a draw, known from its type and support while compiling."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ppl.compiler.ir.nodes import Draw
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import Booleans, Finite, Integers
from ppl.compiler.ir.types import BOOL, IndexType, element


def finite_values(draw: Draw, sizes: Mapping[str, int]) -> np.ndarray | None:
    """All values that one element can take; None where they are infinitely many, or not known yet."""
    kind = element(draw.var.type)
    if kind == BOOL:
        return np.array([False, True])
    match draw.var.support:
        case Booleans():
            return np.array([False, True])
        case Finite(values=values):
            return np.array(values)
        case Integers(lower=lower, upper=upper, dynamic=False) if lower is not None and upper is not None:
            return np.arange(_number(lower, sizes), _number(upper, sizes) + 1)
    if isinstance(kind, IndexType):
        return np.arange(kind.size.evaluate(sizes))
    return None


def _number(bound: int | Size, sizes: Mapping[str, int]) -> int:
    return bound if isinstance(bound, int) else bound.evaluate(sizes)
