"""Where a model is cut: its top-level statements as glue and units, a unit being what holds observations.

A loop with observations is a unit of as many steps as it has iterations; any other statement with observations is a
unit of one step. What stands between units (priors, deterministic work, factors) is glue, run along with the unit
before it. An ordered loop that draws is also cut where it has a ``factor`` or ``require`` alone; and in a model without
observations these count everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ppl.compiler.emit.plan import Plan
from ppl.compiler.emit.traverse import draws_in
from ppl.compiler.ir.nodes import Closure, Let, Lit, MakeDist, Output, Plate, Scan, Stmt
from ppl.compiler.ir.observed import cutting, observes, weighs
from ppl.compiler.ir.types import INT
from ppl.compiler.ir.walk import definitions, free


@dataclass(frozen=True, eq=False)
class Unit:
    """``steps`` observations from step ``first`` on, made by ``statement``; ``glue`` are the statements behind it.
    Without a statement nothing is done in these steps: a guide where the model draws nothing."""

    statement: Any  # Stmt or None; Plate or Scan where ``is_loop``
    first: int
    steps: int
    glue: tuple[Stmt, ...]

    @property
    def is_loop(self) -> bool:
        return isinstance(self.statement, (Plate, Scan))

    @property
    def statements(self) -> tuple[Stmt, ...]:
        return () if self.statement is None else (self.statement,)


class Stages:
    """``before``: the statements in front of the first unit. ``live``: the variables that the units, and the glue
    behind them, read; ``remade`` defines distributions and functions anew from these. Statements that neither draw
    nor score, and that none of these needs, are left out. Equal for equal plans."""

    def __init__(self, plan: Plan, conditioned: frozenset[str]):
        self.key: Any = plan
        statements = needed(plan.code.model.body.statements)
        some = [k for k, s in enumerate(statements) if _steps(plan, s) > 0]
        cut = cutting([statements[k] for k in some], conditioned)
        at = [k for k in some if cut(statements[k])]
        self.before = statements[: at[0]] if at else statements
        units, first = [], 0
        for k, end in zip(at, [*at[1:], len(statements)], strict=False):
            n = _steps(plan, statements[k])
            units.append(Unit(statements[k], first, n, statements[k + 1 : end]))
            first += n
        self._cut(statements, tuple(units))

    def _cut(self, statements: tuple[Stmt, ...], units: tuple[Unit, ...]) -> None:
        self.units = units
        self.length = sum(u.steps for u in units)
        self.remade = tuple(s for s in statements if isinstance(s, Let) and isinstance(s.op, (MakeDist, Closure)))
        self.live = self._through_remade(frozenset().union(*(_reads(u, k) for k, u in enumerate(units))))
        self.until = self._last_reads()

    def _last_reads(self) -> dict[str, int]:
        """Variable → the step from which on nothing reads it. Initial values of a loop are read by the unit before
        it."""
        until: dict[str, int] = {}
        for k, unit in enumerate(self.units):
            following = self.units[k + 1].statement if k + 1 < len(self.units) else None
            inits = [free(c.init) for c in getattr(following, "carries", ())]
            reads = self._through_remade(_reads(unit, 0) | frozenset().union(*inits))
            carried = [v for c in getattr(unit.statement, "carries", ()) for v in (c.var.id,)]
            until |= dict.fromkeys([*reads, *carried], unit.first + unit.steps)
        return until

    def _through_remade(self, names: frozenset[str]) -> frozenset[str]:
        for s in reversed(self.remade):
            if s.var.id in names:
                names = names - {s.var.id} | free(s.op)
        return names

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stages) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


def _steps(plan: Plan, s: Stmt) -> int:
    if not isinstance(s, (Plate, Scan)):
        return 1
    sizes = plan.code.sizes
    return max(s.upper.evaluate(sizes) - s.lower.evaluate(sizes), 0)


def needed(statements: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    """The statements that draw or score, and those that they read."""
    kept: list[Stmt] = []
    read: set[str] = set()
    for s in reversed(statements):
        acts = bool(draws_in(s)) or weighs(s) or observes(s, ())
        if not isinstance(s, Output) and (acts or any(v.id in read for v in definitions(s))):
            kept.append(s)
            read |= free(s)
    return tuple(reversed(kept))


def _reads(unit: Unit, number: int) -> frozenset[str]:
    """What a unit and its glue take from outside. The first loop's initial values are read before it starts."""
    s = unit.statement
    if number == 0 and isinstance(s, Scan):
        s = replace(s, carries=tuple(replace(c, init=Lit(0, INT)) for c in s.carries))
    return frozenset().union(*(free(g) for g in (() if s is None else (s,)) + unit.glue))
