"""Branches with several observations are cut at them, so that a particle method can weigh and resample in between.

    if c { A; observe a; B; observe b } else { D; observe d }

becomes

    if c { A; observe a } else { D; observe d }
    if c { B; observe b } else { }

Each piece is one step of the suspended program (``emit/stages``), for particles of every path at once: a particle is at
the observation that the number of the step and the conditions kept in its state say. A path with fewer observations
waits with log weight zero behind its last one, among the others, until all have come to the end of the branch; what
follows sees particles that have weighed the same. The number of pieces is that of the path with the most observations;
every statement stands in one piece, so that the program grows by no more than the conditions asked again.

A value of one piece that a later one reads leaves it as a result. Distributions, functions and work on data are made
anew where they are read. A loop in a branch, and a branch in a loop, are one step as a whole. For methods that run in
the order of the observations.

Law: the density is unchanged, and so is every value behind the branch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.observed import Test, cutting
from ppl.compiler.ir.rewrite import Names, freshen, substitute
from ppl.compiler.ir.walk import definitions, free, walk
from ppl.compiler.passes.base import Note, Report
from ppl.compiler.passes.placeholders import Placeholders

Branching = ir.If | ir.Match
Parts = list[list[ir.Stmt]]

_CHEAP = (
    ir.Prim, ir.MakeDist, ir.Closure, ir.MakeTuple, ir.GetItem, ir.MakeRecord, ir.GetField, ir.MakeSum, ir.MakeArray,
    ir.IndexOp, ir.Assemble, ir.Map,
)  # fmt: skip


def cut_branches(program: ir.Program, model: ir.Model, conditioned: frozenset[str]) -> tuple[ir.Model, Report]:
    """Cuts the branches of the top level; ``conditioned``: the variables that have data."""
    names = Names.of(model.body, tuple(p.var for p in model.params), tuple(v for v, _ in program.constants))
    cutter = _Cutter(cutting(model.body.statements, conditioned), names, Placeholders(program.sums, names))
    body = cutter.top(model.body)
    return (replace(model, body=body) if body is not model.body else model), tuple(cutter.notes)


class _Whole(Exception):
    """A branch that cannot be cut, and why."""


class _Cutter:
    def __init__(self, cut: Test, names: Names, placeholders: Placeholders):
        self.cut, self.names, self.placeholders = cut, names, placeholders
        self.notes: list[Note] = []

    def top(self, block: ir.Block) -> ir.Block:
        if not any(self.steps(s) > 1 for s in block.statements):
            return block
        out: list[ir.Stmt] = []
        for s in block.statements:
            out += self.branching(s) if isinstance(s, Branching) and self.steps(s) > 1 else [s]
        return ir.Block(tuple(out), block.results)

    def branching(self, s: Branching) -> list[ir.Stmt]:
        counts = [sum(map(self.steps, arm.statements)) for arm in _arms(s)]
        paths = " and ".join(map(str, counts))
        try:
            pieces = self.pieces(s)
        except _Whole as why:
            self.notes.append(Note("whole", f"a branch with {paths} observations is one step: {why}", s.span))
            return [s]
        self.notes.append(Note("cut", f"a branch with {paths} observations is {len(pieces)} steps", s.span))
        return pieces

    def steps(self, s: ir.Stmt) -> int:
        """The greatest number of observations on a path through ``s``, loops counting one."""
        if isinstance(s, Branching):
            return max(sum(map(self.steps, arm.statements)) for arm in _arms(s))
        return int(self.cut(s))

    def pieces(self, s: Branching) -> list[ir.Stmt]:
        n = self.steps(s)
        arms = [_Arm(arm, self.parts(arm, n), self.names) for arm in _arms(s)]
        _one_output_each(arms, n)
        made: list[ir.Stmt] = []
        for k in range(n):
            leaving = [(arm, out) for arm in arms for out in arm.leaving(k)]
            last = k == n - 1
            level = _level(s.condition if isinstance(s, ir.If) else s.subject)
            blocks = []
            for arm in arms:
                extra: list[ir.Let] = []
                results = [v if of is arm else self.placeholder(v, extra) for of, (v, _) in leaving]
                block = arm.block(k, tuple(results), last)
                blocks.append(replace(block, statements=(*extra, *block.statements)))
            outs = tuple(replace(out, level=max(out.level, level)) for _, (_, out) in leaving)
            made.append(self.piece(s, blocks, (*(s.results if last else ()), *outs), first=k == 0))
        return made

    def piece(self, s: Branching, blocks: list[ir.Block], results: tuple[ir.Var, ...], first: bool) -> Branching:
        if isinstance(s, ir.If):
            return replace(s, then=blocks[0], otherwise=blocks[1], results=results)
        cases = tuple(replace(c, body=b) for c, b in zip(s.cases, blocks, strict=True))
        if not first:
            cases = tuple(self.rebound(c) for c in cases)
        return replace(s, cases=cases, results=results)

    def rebound(self, case: ir.Case) -> ir.Case:
        new = {b.id: replace(b, id=self.names.fresh(b.id)) for b in case.binders}
        return replace(case, binders=tuple(new[b.id] for b in case.binders), body=substitute(case.body, new))

    def parts(self, block: ir.Block, n: int) -> Parts:
        """The statements of an arm by steps: each observation with what comes before it, what follows the last one with
        that, and outputs with the last step of the branch."""
        count = sum(map(self.steps, block.statements))
        parts: Parts = [[] for _ in range(n)]
        at = 0
        for s in block.statements:
            if isinstance(s, ir.Output):
                parts[-1].append(s)
            elif (steps := self.steps(s)) == 0:
                parts[min(at, max(count - 1, 0))].append(s)
            else:
                for piece in self.pieces(s) if isinstance(s, Branching) and steps > 1 else [s]:
                    parts[at].append(piece)
                    at += 1
        return parts

    def placeholder(self, var: ir.Var, out: list[ir.Let]) -> ir.Atom:
        atom = self.placeholders.make(var.type, var.support, out)
        if atom is None:
            raise _Whole(f"`{var.id}`, of type {var.type}, would have to be kept from one to the next")
        return atom


class _Arm:
    """One arm in parts. ``_crossing``: by id, the variables of one part that a later one reads, with their names
    outside."""

    def __init__(self, arm: ir.Block, parts: Parts, names: Names):
        self.results, self.parts, self.names = arm.results, parts, names
        self._at = {v.id: k for k, part in enumerate(parts) for s in part for v in definitions(s)}
        self._lets = {s.var.id: s for part in parts for s in part if isinstance(s, ir.Let)}
        self._order = {name: k for k, name in enumerate(self._lets)}
        self._crossing: dict[str, tuple[ir.Var, ir.Var]] = {}
        self._vars = {v.id: v for part in parts for s in part for v in definitions(s)}
        self._blocks = [self._closed(k) for k in range(len(parts))]

    def leaving(self, k: int) -> list[tuple[ir.Var, ir.Var]]:
        return [pair for name, pair in self._crossing.items() if self._at[name] == k]

    def block(self, k: int, extra: tuple[ir.Atom, ...], last: bool) -> ir.Block:
        statements, atoms = self._blocks[k]
        return ir.Block(statements, (*(substitute(self.results, atoms) if last else ()), *extra))

    def _closed(self, k: int) -> tuple[tuple[ir.Stmt, ...], dict[str, ir.Atom]]:
        """Part k with all that it takes from earlier ones: made anew, or by its name outside."""
        read = free(tuple(self.parts[k])) | (free(self.results) if k == len(self.parts) - 1 else frozenset())
        todo = [name for name in sorted(read) if self._at.get(name, k) < k]
        atoms: dict[str, ir.Atom] = {}
        anew: dict[str, ir.Let] = {}
        while todo:
            name = todo.pop()
            if name in atoms or name in anew:
                continue
            let = self._lets.get(name)
            if let is not None and _made_anew(let):
                anew[name] = let
                todo += [n for n in sorted(free(let.op)) if self._at.get(n, k) < k]
                continue
            if name not in self._crossing:
                var = self._vars[name]
                self._crossing[name] = var, replace(var, id=self.names.fresh(f"{name}_kept"))
            atoms[name] = self._crossing[name][1]
        copies: list[ir.Stmt] = []
        for name in sorted(anew, key=self._order.__getitem__):
            copy = freshen(substitute(anew[name].op, atoms), self.names)
            renamed = replace(anew[name].var, id=self.names.fresh(name))
            atoms[name] = renamed
            copies.append(ir.Let(renamed, copy, span=anew[name].span))
        return (*copies, *substitute(tuple(self.parts[k]), atoms)), atoms


def _made_anew(let: ir.Let) -> bool:
    """Whether a later part makes the value again: what no state can hold, and what no state need hold."""
    if not isinstance(let.op, _CHEAP):
        return False
    return let.var.level <= ir.Level.DATA or not Placeholders.numeric(let.var.type)


def _arms(s: Branching) -> tuple[ir.Block, ...]:
    return (s.then, s.otherwise) if isinstance(s, ir.If) else tuple(c.body for c in s.cases)


def _level(atom: ir.Atom) -> ir.Level:
    return getattr(atom, "level", ir.Level.CONSTANT)


def _outputs(statements: Iterable[ir.Stmt]) -> Iterator[str]:
    return (n.name for n in walk(tuple(statements)) if isinstance(n, ir.Output))


def _one_output_each(arms: list[_Arm], n: int) -> None:
    """An output that is made in several pieces would have the value of the last one."""
    seen: set[str] = set()
    for k in range(n):
        here = {name for arm in arms for name in _outputs(arm.parts[k])}
        if both := seen & here:
            raise _Whole(f"the output `{min(both)}` is made in loops of different steps")
        seen |= here
