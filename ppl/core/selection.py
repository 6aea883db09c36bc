"""Selections: which sites of a trace a kernel works on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Selection:
    """A predicate on site names. ``x`` selects the site x and, where x is a submodel, its sites ``x.a``, ``x.b``, …;
    ``negated`` selects the others.

    Laws: ``(~s)(name) == (not s(name))``; ``part(trace, s) | part(trace, ~s) == trace``."""

    names: frozenset[str]
    negated: bool = False

    def __call__(self, name: str) -> bool:
        parts = name.split(".")
        inside = any(".".join(parts[:i]) in self.names for i in range(1, len(parts) + 1))
        return inside != self.negated

    def __invert__(self) -> Selection:
        return Selection(self.names, not self.negated)

    def unknown(self, sites: Iterable[str]) -> list[str]:
        """Selected names that match no site, for error messages."""
        sites = list(sites)
        return sorted(n for n in self.names if not any(Selection(frozenset({n}))(s) for s in sites))


def select_sites(*names: str) -> Selection:
    return Selection(frozenset(names))


EVERYTHING = Selection(frozenset(), negated=True)


def part(trace: dict[str, Any], selection: Selection) -> dict[str, Any]:
    """The selected variables of a trace, in its order."""
    return {name: value for name, value in trace.items() if selection(name)}
