"""Which statements of a model weigh what it has drawn: those at which a program can be cut."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable

from ppl.compiler.ir.nodes import Draw, Factor, Observe, Require, Scan, Stmt
from ppl.compiler.ir.walk import walk

Test = Callable[[Stmt], bool]


def observes(s: Stmt, conditioned: Container[str]) -> bool:
    """Whether it holds an observation, or draws a variable that has data."""
    return any(isinstance(n, Observe) or (isinstance(n, Draw) and n.site in conditioned) for n in walk(s))


def weighs(s: Stmt) -> bool:
    return any(isinstance(n, (Factor, Require)) for n in walk(s))


def cutting(statements: Iterable[Stmt], conditioned: Container[str]) -> Test:
    """At which statements a model of these is cut: at observations and at ordered loops that draw and weigh, or, where
    there are none, at every factor and requirement."""

    def seen(s: Stmt) -> bool:
        return observes(s, conditioned) or (
            isinstance(s, Scan) and weighs(s) and any(isinstance(n, Draw) for n in walk(s))
        )

    return seen if any(map(seen, statements)) else weighs
