"""Whether the records of a suspended model are a Markov chain: what recombining trajectories needs."""

from __future__ import annotations

from typing import Any

from ppl.compiler.emit.stages import Stages
from ppl.compiler.emit.traverse import draws_in
from ppl.compiler.ir.nodes import Block, Draw, If, Let, Level, Plate, Scan, Stmt, Var
from ppl.compiler.ir.walk import definitions, free, walk

Names = frozenset[str]


def markov_from(cut: Stages, latents: Names) -> int | None:
    """The first step of the model's one loop, if the values that an iteration hands on are functions of its own draws
    (and data), and if the loop reads no random variable from outside but for the values that it starts with.
    ``latents``: ids of draws.

    A parameter, a sum that is carried along, or a second lag ties an iteration to others than the one before it."""
    loops = [u for u in cut.units if u.is_loop]
    if len(loops) != 1 or loops[0] is not cut.units[-1] or any(draws_in(s) for s in loops[0].glue):
        return None
    loop: Plate | Scan = loops[0].statement
    outside = free(loop.body) - {c.var.id for c in getattr(loop, "carries", ())} - {m.var.id for m in loop.mapped}
    read = [v for v in walk(loop.body) if isinstance(v, Var) and v.id in outside]
    if any(_random(v) for v in (*read, *(m.array for m in loop.mapped))):
        return None
    carries = getattr(loop, "carries", ())
    handed = _tainted(loop.body, frozenset(c.var.id for c in carries), latents)
    return None if any(getattr(c.next, "id", "") in handed for c in carries) else loops[0].first


def _random(atom: Any) -> bool:
    return isinstance(atom, Var) and atom.level >= Level.DISCRETE


def _tainted(block: Block, names: Names, latents: Names) -> Names:
    """``names`` and what depends on them other than through a draw of a latent."""
    for s in block.statements:
        names |= _by(s, names, latents)
    return names


def _by(s: Stmt, names: Names, latents: Names) -> Names:
    match s:
        case Draw(var=var):
            return frozenset() if var.id in latents else _if_read(s, names)
        case Let():
            return _if_read(s, names)
        case Plate():
            inside = names | {m.var.id for m in s.mapped if getattr(m.array, "id", "") in names}
            inside = _tainted(s.body, inside, latents)
            return frozenset(r.var.id for r in s.stacked if getattr(r.value, "id", "") in inside)
        case If() if getattr(s.condition, "id", "") not in names:
            sides = [(b, _tainted(b, names, latents)) for b in (s.then, s.otherwise)]
            return frozenset(
                r.id for k, r in enumerate(s.results) if any(getattr(b.results[k], "id", "") in t for b, t in sides)
            )
    return _if_read(s, names)


def _if_read(s: Stmt, names: Names) -> Names:
    return frozenset(v.id for v in definitions(s)) if not free(s).isdisjoint(names) else frozenset()
