"""Which random variables each part of the density reads directly: the edges of the model's graph."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ppl.compiler.emit.errors import CompilerDefect
from ppl.compiler.emit.traverse import used_variables
from ppl.compiler.ir.nodes import (
    Assemble,
    Block,
    Draw,
    Factor,
    For,
    ForwardSum,
    If,
    Lag,
    Let,
    Match,
    Model,
    Observe,
    Output,
    ParamStmt,
    Plate,
    Require,
    Scan,
    Stmt,
    SumOut,
)
from ppl.compiler.ir.walk import walk

Sites = frozenset[str]
NONE: Sites = frozenset()
_SCORED = (Draw, Observe, Factor, Require)


@dataclass
class Influence:
    """``draws``: for each ``Draw`` (by ``id``) its site and what its distribution, and whether it is made, depends on.
    ``scores``: the same for each ``Observe``, ``Factor`` and ``Require``. Sites behind a site are not followed.
    ``joint``: statements that are summed over together, so that they count together or not at all."""

    draws: dict[int, tuple[str, Sites]] = field(default_factory=dict)
    scores: dict[int, Sites] = field(default_factory=dict)
    joint: list[frozenset[int]] = field(default_factory=list)

    def parents(self) -> dict[str, Sites]:
        """site -> the sites that its distribution reads."""
        found: dict[str, Sites] = {}
        for site, reads in self.draws.values():
            found[site] = found.get(site, NONE) | reads
        return found

    def relevant(self, conditioned: Sites) -> Sites:
        """The sites that some factor, or a conditioned site's density, depends on: directly or through other sites."""
        parents = self.parents()
        todo = list(conditioned) + [s for reads in self.scores.values() for s in reads]
        seen: set[str] = set()
        while todo:
            site = todo.pop()
            if site not in seen:
                seen.add(site)
                todo.extend(parents.get(site, NONE))
        return frozenset(seen)

    def touched(self, changed: Sites) -> frozenset[int]:
        """The statements (by ``id``) whose log density depends on the changed sites."""
        draws = {i for i, (site, reads) in self.draws.items() if site in changed or reads & changed}
        found = frozenset(draws | {i for i, reads in self.scores.items() if reads & changed})
        return found.union(*(group for group in self.joint if group & found))


def influence(model: Model) -> Influence:
    walker = _Walker()
    walker.block(model.body, NONE)
    return walker.found


class _Walker:
    """Variable ids are unique in a model, so one flat environment serves all blocks."""

    def __init__(self) -> None:
        self.found = Influence()
        self.env: dict[str, Sites] = {}

    def of(self, node: Any) -> Sites:
        if node is None:
            return NONE
        reads = frozenset().union(*(self.env.get(v, NONE) for v in used_variables(node)))
        return reads | {node.site} if isinstance(node, (Lag, Assemble)) else reads

    def block(self, block: Block, control: Sites) -> None:
        for statement in block.statements:
            self.statement(statement, control)

    def statement(self, s: Stmt, control: Sites) -> None:
        match s:
            case Let(var=var, op=op):
                self.env[var.id] = self.of(op) | control
            case Draw():
                self.found.draws[id(s)] = (
                    s.site,
                    self.of(s.dist) | control | self.found.draws.get(id(s), ("", NONE))[1],
                )
                self.env[s.var.id] = frozenset({s.site})
            case Observe() | Factor() | Require():
                self.found.scores[id(s)] = self.of(s) | control
            case If():
                inside = control | self.of(s.condition)
                self.block(s.then, inside)
                self.block(s.otherwise, inside)
                for k, r in enumerate(s.results):
                    self.env[r.id] = self.of(s.then.results[k]) | self.of(s.otherwise.results[k]) | inside
            case Match():
                inside = control | self.of(s.subject)
                for case in s.cases:
                    self.env.update({b.id: inside for b in case.binders})
                    self.block(case.body, inside)
                for k, r in enumerate(s.results):
                    self.env[r.id] = inside.union(*(self.of(c.body.results[k]) for c in s.cases))
            case Plate() | Scan() | For():
                self._loop(s, control)
            case SumOut():
                self.found.joint.append(frozenset(id(n) for n in walk(s) if isinstance(n, _SCORED)))
                self.block(s.body, control)
                self.env.update({r.id: self.of(a) for r, a in zip(s.results, s.body.results, strict=True)})
            case ForwardSum():
                self.found.joint.append(frozenset(id(n) for n in walk(s) if isinstance(n, _SCORED)))
                self.block(s.start, control)
                self.env.update({r.id: self.of(a) for r, a in zip(s.results, s.start.results, strict=True)})
                self.env[s.previous.id] = self.of(s.first)
                self._loop(s, control)
            case ParamStmt():
                self.env[s.var.id] = frozenset({s.site})
            case Output():
                pass
            case _:
                raise CompilerDefect(f"{type(s).__name__} in a model that is emitted")

    def _loop(self, s: Plate | Scan | For | ForwardSum, control: Sites) -> None:
        carries = getattr(s, "carries", ())
        for m in getattr(s, "mapped", ()):
            self.env[m.var.id] = self.of(m.array)
        for c in carries:
            self.env[c.var.id] = self.of(c.init)
        while True:
            self.block(s.body, control)
            before = [self.env[c.var.id] for c in carries]
            for c in carries:
                self.env[c.var.id] |= self.of(c.next)
            if before == [self.env[c.var.id] for c in carries]:
                break
        for c in carries:
            if c.final is not None:
                self.env[c.final.id] = self.env[c.var.id]
        for st in s.stacked:
            self.env[st.var.id] = self.of(st.value)
