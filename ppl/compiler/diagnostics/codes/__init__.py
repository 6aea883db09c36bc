"""The registry of diagnostic codes: one file per family, each with a tuple ``EXPLANATIONS``, merged here.

E0 syntax, E1 names, E2 types and sizes, E3 random variables, E4 supports and distributions, E5 guides, objectives
and strategies, E6 not executable yet, E7 data, E8 command line, E9 numerical; W1 warnings. A family's file is found
by being in this folder; a code explained twice is an error at import.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

from ppl.compiler.diagnostics.codes.explanation import Explanation


def merge(*families: tuple[Explanation, ...]) -> dict[str, Explanation]:
    """All explanations by code, in the order of the codes; a code that occurs twice raises ``ValueError``."""
    merged: dict[str, Explanation] = {}
    for family in families:
        for explanation in family:
            if explanation.code in merged:
                raise ValueError(f"diagnostic code {explanation.code} is explained twice")
            merged[explanation.code] = explanation
    return dict(sorted(merged.items()))


def _families() -> list[tuple[Explanation, ...]]:
    names = sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name != "explanation")
    return [import_module(f"{__name__}.{name}").EXPLANATIONS for name in names]


CODES: dict[str, Explanation] = merge(*_families())
