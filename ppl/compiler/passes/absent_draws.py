"""Branches that draw different random variables: each branch gets, as noise, the draws that only others have.

A trace then has one shape on every path. What a path does not draw has a fixed distribution of its own, of total mass
one, which nothing reads: integrated out it leaves the density of the program as written, so that evidence, posterior
and any method's correctness stay. Results show it as absent.

Law: the density of the variables of a path, the noise integrated out, is unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ppl.compiler.diagnostics.diagnostic import Diagnostic, Help, Label
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.rewrite import Names
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.walk import map_blocks, walk
from ppl.compiler.passes.base import Note, Pass, Report, on_blocks
from ppl.compiler.passes.noise import noise

Loop = ir.Plate | ir.For | ir.Scan


@dataclass(frozen=True)
class _Spot:
    """A draw of a branch with the loops around it inside the branch. ``place``: the elements that it draws, loops being
    known by their position, so that equal elements of two branches have equal places."""

    draw: ir.Draw
    loops: tuple[Loop, ...]

    @property
    def place(self) -> tuple[str, tuple[Size, ...], tuple[tuple[Size, Size], ...]]:
        renamed = {loop.index.id: Size.var(f"#{k}") for k, loop in enumerate(self.loops)}
        affine = tuple(a.substitute(renamed) for a in self.draw.affine)
        return self.draw.site, affine, tuple((loop.lower, loop.upper) for loop in self.loops)


def _spots(block: ir.Block, loops: tuple[Loop, ...] = ()) -> Iterator[_Spot]:
    for s in block.statements:
        match s:
            case ir.Draw(role=ir.Role.LATENT):
                yield _Spot(s, loops)
            case ir.Plate() | ir.For() | ir.Scan():
                yield from _spots(s.body, (*loops, s))
            case ir.If(then=then, otherwise=otherwise):
                yield from _spots(then, loops)
                yield from _spots(otherwise, loops)
            case ir.Match(cases=cases):
                for case in cases:
                    yield from _spots(case.body, loops)


def _arms(s: ir.Stmt) -> tuple[ir.Block, ...]:
    match s:
        case ir.If(then=then, otherwise=otherwise):
            return then, otherwise
        case ir.Match(cases=cases):
            return tuple(c.body for c in cases)
    return ()


def _with_arms(s: ir.Stmt, arms: list[ir.Block]) -> ir.Stmt:
    if isinstance(s, ir.Match):
        return replace(s, cases=tuple(replace(c, body=b) for c, b in zip(s.cases, arms, strict=True)))
    return replace(s, then=arms[0], otherwise=arms[1])


def unfillable(model: ir.Model) -> list[Diagnostic]:
    """What cannot be run of the branches of ``model``, its submodels inlined: E602."""
    found = []
    for s in walk(model.body):
        drawn = [{spot.place: spot for spot in _spots(arm)} for arm in _arms(s)]
        every = {place: spot for places in drawn for place, spot in places.items()}
        for place, spot in every.items():
            without = [places for places in drawn if place not in places]
            if any(spot.draw.site == other[0] for places in without for other in places):
                found.append(_refused(s, spot, "the branches draw different elements of it", "draw the same elements"))
            elif without and noise(spot.draw.var, Names(())) is None:
                kind = f"a value of type {spot.draw.var.type} with {spot.draw.var.support} has no standard noise"
                found.append(_refused(s, spot, kind, "draw it before the branch, or in every branch"))
    return list(dict.fromkeys(found))


def _refused(s: ir.Stmt, spot: _Spot, why: str, edit: str) -> Diagnostic:
    site = spot.draw.site
    return Diagnostic(
        "E602",
        f"not executable yet: branches that draw `{site}` differently",
        Label(s.span, why),
        (Label(spot.draw.span, f"`{site}` is drawn here"),),
        helps=(Help(edit),),
    )


def _rewrite(block: ir.Block, given: tuple[ir.Var, ...]) -> tuple[ir.Block, Report]:
    if not any(_arms(n) for n in walk(block)):
        return block, ()
    filler = _Filler(Names.of(block, given))
    return filler.block(block), tuple(filler.notes)


class _Filler:
    def __init__(self, names: Names):
        self.names = names
        self.notes: list[Note] = []

    def block(self, block: ir.Block) -> ir.Block:
        return ir.Block(tuple(self.statement(map_blocks(s, self.block)) for s in block.statements), block.results)

    def statement(self, s: ir.Stmt) -> ir.Stmt:
        """Inner branches have been completed: each of theirs draws the same."""
        arms = _arms(s)
        drawn = [{spot.place: spot for spot in _spots(arm)} for arm in arms]
        every = {place: spot for places in drawn for place, spot in places.items()}
        lacking = [
            [spot for place, spot in every.items() if place[0] not in {other[0] for other in places}] for places in drawn
        ]
        if not any(lacking):
            return s
        listed = ", ".join(f"`{n}`" for n in dict.fromkeys(spot.draw.site for some in lacking for spot in some))
        self.notes.append(Note("absent", f"{listed}: drawn in some branches only, and noise in the others", s.span))
        filled = [
            replace(arm, statements=arm.statements + sum(map(self.fill, some), ()))
            for arm, some in zip(arms, lacking, strict=True)
        ]
        return _with_arms(s, filled)

    def fill(self, spot: _Spot) -> tuple[ir.Stmt, ...]:
        """The draw in loops like its own, from noise."""
        loops = [(loop, replace(loop.index, id=self.names.fresh(loop.index.id))) for loop in spot.loops]
        affine = tuple(a.substitute({o.index.id: Size.var(i.id) for o, i in loops}) for a in spot.draw.affine)
        var = replace(spot.draw.var, id=self.names.fresh(f"{spot.draw.var.id}_absent"))
        made = noise(var, self.names)
        if made is None:
            return ()  # ``unfillable`` says so before such a program is run
        indices = tuple(map(ir.SizeAtom, affine))
        draw = replace(spot.draw, var=var, dist=made[-1].var, indices=indices, affine=affine, absent=True)
        body: tuple[ir.Stmt, ...] = (*made, draw)
        for loop, index in reversed(loops):
            body = (ir.Plate(index, loop.lower, loop.upper, ir.Block(body), axis=loop.axis, span=loop.span),)
        return body


ABSENT_DRAWS = Pass(
    "absent_draws", on_blocks(_rewrite), "branches get, as noise, the draws that only others have", keeps_effects=False
)
