"""Branches that draw different random variables: what a path does not draw it gets as noise.

A trace then has one shape on every path. What a path does not draw has a fixed distribution of its own, of total mass
one, which nothing reads: integrated out it leaves the density of the program as written, so that evidence, posterior
and any method's correctness stay. Results show it as absent.

Law: the density of the variables of a path, the noise integrated out, is unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ppl.compiler.diagnostics.diagnostic import Diagnostic, Help, Label
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.rewrite import Names
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import BOOLEANS
from ppl.compiler.ir.walk import map_blocks, walk
from ppl.compiler.passes.base import Note, Pass, Report, on_blocks
from ppl.compiler.passes.noise import noise

Loop = ir.Plate | ir.For | ir.Scan
Branching = ir.If | ir.Match
Place = tuple[str, tuple[Size, ...], tuple[tuple[Size, Size], ...]]
_FEW = 8  # draws that are put into the branches themselves, where discrete conditions can be summed out
_TRUE, _FALSE = ir.Lit(True, ty.BOOL), ir.Lit(False, ty.BOOL)


@dataclass(frozen=True)
class _Spot:
    """A draw of a branch with the loops around it inside the branch. ``place``: the elements that it draws, loops being
    known by their position, so that equal elements of two branches have equal places."""

    draw: ir.Draw
    loops: tuple[Loop, ...]

    @property
    def place(self) -> Place:
        renamed = {loop.index.id: Size.var(f"#{k}") for k, loop in enumerate(self.loops)}
        affine = tuple(a.substitute(renamed) for a in self.draw.affine)
        return self.draw.site, affine, tuple((loop.lower, loop.upper) for loop in self.loops)


Flags = dict[Place, tuple[_Spot, ir.Atom]]  # the draw, and whether the path makes it


def _spots(block: ir.Block, loops: tuple[Loop, ...] = ()) -> Iterator[_Spot]:
    for s in block.statements:
        match s:
            case ir.Draw(role=ir.Role.LATENT | ir.Role.AUX):
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


def _with_arms(s: Branching, arms: list[ir.Block]) -> Branching:
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
    """A few draws are put into the branches that lack them. Where branches nest deeply (a recursion that was inlined)
    that would take a draw for each level and variable: there each variable is drawn once behind the outermost branch,
    if the path has not done so."""

    def __init__(self, names: Names):
        self.names = names
        self.notes: list[Note] = []

    def block(self, block: ir.Block) -> ir.Block:
        """Branches inside loops are completed there: a loop draws the same in each of its iterations."""
        out: list[ir.Stmt] = []
        for s in block.statements:
            if not isinstance(s, Branching):
                out.append(map_blocks(s, self.block))
                continue
            s, flags = self.region(s)
            partly = [(spot, there) for spot, there in flags.values() if isinstance(there, ir.Var)]
            self.noted(s, [spot for spot, _ in partly])
            out.append(s)
            out += [ir.If(there, ir.Block(()), ir.Block(self.fill(spot)), span=s.span) for spot, there in partly]
        return ir.Block(tuple(out), block.results)

    def noted(self, s: ir.Stmt, spots: list[_Spot]) -> None:
        listed = ", ".join(f"`{n}`" for n in dict.fromkeys(spot.draw.site for spot in spots))
        if listed:
            self.notes.append(Note("absent", f"{listed}: drawn on some paths only, and noise on the others", s.span))

    def region(self, s: Branching) -> tuple[Branching, Flags]:
        """A branching with flags among its results: for each place, whether the path has drawn it."""
        found: list[tuple[ir.Block, Flags]] = []
        for arm in _arms(s):
            flags: Flags = {}
            inside: list[ir.Stmt] = []
            for inner in arm.statements:
                if isinstance(inner, Branching):
                    inner, more = self.region(inner)
                else:
                    inner = map_blocks(inner, self.block)
                    more = {x.place: (x, _TRUE) for x in _spots(ir.Block((inner,)))}
                inside.append(inner)
                flags |= more
            found.append((replace(arm, statements=tuple(inside)), flags))
        every = {place: spot for _, flags in found for place, (spot, _) in flags.items()}
        result: Flags = {}
        arms = [arm for arm, _ in found]
        lacking = [[spot for place, spot in every.items() if place not in flags] for _, flags in found]
        surely = all(there == _TRUE for _, flags in found for _, there in flags.values())
        if surely and sum(map(len, lacking)) <= _FEW:
            self.noted(s, [spot for some in lacking for spot in some])
            arms = [
                replace(arm, statements=arm.statements + sum(map(self.fill, some), ()))
                for arm, some in zip(arms, lacking, strict=True)
            ]
            return _with_arms(s, arms), {place: (spot, _TRUE) for place, spot in every.items()}
        for place, spot in every.items():
            there = [flags[place][1] if place in flags else _FALSE for _, flags in found]
            if all(t == _TRUE for t in there):
                result[place] = spot, _TRUE
                continue
            level = getattr(s.condition if isinstance(s, ir.If) else s.subject, "level", ir.Level.CONTINUOUS)
            flag = ir.Var(self.names.fresh(f"{spot.draw.var.id}_there"), ty.BOOL, BOOLEANS, ir.Level(level))
            result[place] = spot, flag
            arms = [replace(arm, results=(*arm.results, t)) for arm, t in zip(arms, there, strict=True)]
            s = replace(s, results=(*s.results, flag))
        return _with_arms(s, arms), result

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
    "absent_draws",
    on_blocks(_rewrite),
    "what a path does not draw, and others do, it gets as noise",
    keeps_effects=False,
)
