"""Where a guide is cut, so that it proposes in each step what the model draws there."""

from __future__ import annotations

from typing import Any

import numpy as np

from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.layout import Spot
from ppl.compiler.emit.plan import Plan
from ppl.compiler.emit.stages import Stages, Unit, needed
from ppl.compiler.emit.traverse import draws_in
from ppl.compiler.ir.nodes import Draw, Plate, Scan, Stmt

Place = tuple[int, int]  # unit, 0 for itself and 1 for the glue behind it; before the first unit (-1, 1)


class GuideStages(Stages):
    """As many units of as many steps as ``model`` has. A statement of the guide stands where the model draws the same
    elements; one that draws nothing, behind the statement that it follows. ``pairs``: draw of the guide → draw of the
    model.

    EmissionError where guide and model draw in different orders or loops: no step could propose what the model's
    needs."""

    def __init__(self, guide: Plan, plan: Plan, model: Stages):
        self.key = (guide, plan)
        self.pairs = dict(_pair(spot, guide, plan) for spots in guide.code.layout.spots.values() for spot in spots)
        places = _places(model)
        before: list[Stmt] = []
        own: list[Stmt | None] = [None] * len(model.units)
        glue: list[list[Stmt]] = [[] for _ in model.units]
        at: Place = (-1, 1)
        statements = needed(guide.code.model.body.statements)
        for s in statements:
            place = self._place(s, places, at)
            if place[1] == 0 and own[place[0]] is not None:
                raise _misplaced(
                    draws_in(s)[0], "draws it in several loops", "draw in one loop what the model draws in one"
                )
            at = place
            unit, behind = place
            if unit < 0:
                before.append(s)
            elif behind:
                glue[unit].append(s)
            else:
                own[unit] = _same_range(s, model.units[unit], guide, plan)
        self.before = tuple(before)
        units = zip(model.units, own, glue, strict=True)
        self._cut(statements, tuple(Unit(s, u.first, u.steps, tuple(g)) for u, s, g in units))

    def _place(self, s: Stmt, places: dict[str, Place], at: Place) -> Place:
        """A unit's own draws, and then its glue: ``at`` is where the guide has come so far."""
        draws = draws_in(s)
        if not draws:
            return at[0], 1
        found = {places[self.pairs[d.var.id]] for d in draws}
        if len(found) > 1 or min(found) < at:
            last = next(d for d in draws if places[self.pairs[d.var.id]] == min(found))
            raise _misplaced(
                last, "draws it after variables that the model draws later", "draw in the order of the model"
            )
        return found.pop()


def _places(model: Stages) -> dict[str, Place]:
    """Draw of the model → where it stands."""
    stretches: list[tuple[Place, tuple[Stmt, ...]]] = [((-1, 1), model.before)]
    for k, u in enumerate(model.units):
        stretches += [((k, 0), u.statements), ((k, 1), u.glue)]
    return {d.var.id: place for place, statements in stretches for s in statements for d in draws_in(s)}


def _pair(spot: Spot, guide: Plan, plan: Plan) -> tuple[str, str]:
    for other in plan.code.layout.spots.get(spot.site, ()):
        same = len(other.index) == len(spot.index) and other.loops == spot.loops
        if same and all(np.array_equal(a, b) for a, b in zip(spot.index, other.index, strict=True)):
            return spot.var, other.var
    raise _misplaced(
        spot.draw,
        "draws its elements in other loops",
        f"draw `{spot.site}` in loops of the same ranges, and with the same subscripts",
    )


def _same_range(s: Stmt, unit: Unit, guide: Plan, plan: Plan) -> Any:
    """The guide's loop, if its iterations are the steps of the unit."""
    ranges = [
        (x.lower.evaluate(p.code.sizes), x.upper.evaluate(p.code.sizes)) if isinstance(x, (Plate, Scan)) else None
        for x, p in ((s, guide), (unit.statement, plan))
    ]
    if ranges[0] != ranges[1]:
        raise _misplaced(draws_in(s)[0], "draws it in another loop", "draw it in a loop of the same range")
    return s


def _misplaced(draw: Draw, what: str, edit: str) -> EmissionError:
    return EmissionError(
        f"the guide cannot propose `{draw.site}` step by step: unlike the model it {what}",
        draw.span,
        notes=("in SMC a guide draws, between two observations, what the model draws there",),
        helps=(edit,),
    )
