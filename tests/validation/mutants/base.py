"""What a mutant is: a broken copy of a part, the check that must refute it, and the sound original."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Mutant(NamedTuple):
    """``check(part, n)`` is true if the part is refuted; ``n`` draws at α = 1e-6 (0 for exact comparisons)."""

    id: str
    title: str
    detector: str
    broken: Any
    sound: Any
    check: Callable[[Any, int], bool]
    n: int


ALPHA = 1e-6


def refutes(kind: str | None = None, against: Any = None, **options: Any) -> Callable[[Any, int], bool]:
    """The public door, ``ppl.validate``, as a check."""

    def check(part: Any, n: int) -> bool:
        import ppl

        return ppl.validate(part, against, kind=kind, n=n, alpha=ALPHA, seed=2, **options).refuted

    return check
