"""The operators, functions and constants of the language, by name."""

from __future__ import annotations

from collections.abc import Callable
from math import e, inf, pi
from typing import Any

from ppl.core.functions.arithmetic import ARITHMETIC
from ppl.core.functions.arrays import ARRAYS
from ppl.core.functions.control import CONTROL
from ppl.core.functions.linalg import LINEAR_ALGEBRA
from ppl.core.functions.reductions import REDUCTIONS
from ppl.core.functions.special import SPECIAL

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **ARITHMETIC,
    **SPECIAL,
    **REDUCTIONS,
    **LINEAR_ALGEBRA,
    **ARRAYS,
    **CONTROL,
}
CONSTANTS: dict[str, float] = {"pi": pi, "e": e, "inf": inf}

__all__ = ["CONSTANTS", "FUNCTIONS"]
