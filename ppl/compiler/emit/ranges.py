"""Comparisons of a loop's index with constants, decided while compiling where the range of the index decides them."""

from __future__ import annotations

from ppl.compiler.emit.frame import Frame
from ppl.compiler.ir.nodes import Atom, Lit, Prim, Scan, SizeAtom, Var
from ppl.compiler.ir.walk import walk

Range = tuple[int, int]  # half open

_COMPARISONS = {"<", "<=", ">", ">=", "==", "!="}


def comparison(frame: Frame, op: Prim) -> bool | None:
    """The truth of ``i < 3`` and the like, None where it is open."""
    if op.name not in _COMPARISONS:
        return None
    a, b = (_range(frame, atom) for atom in op.args)
    return None if a is None or b is None else _decide(op.name, a, b)


def _range(frame: Frame, atom: Atom) -> Range | None:
    match atom:
        case Var(id=name):
            return frame.range(name)
        case Lit(value=int() as n) if not isinstance(n, bool):
            return n, n + 1
        case SizeAtom(size=size):
            n = frame.size(size)
            return n, n + 1
    return None


def _decide(name: str, a: Range, b: Range) -> bool | None:
    if a[0] >= a[1] or b[0] >= b[1]:
        return None
    below, not_above = a[1] - 1 < b[0], a[1] - 1 <= b[0]
    above, not_below = a[0] > b[1] - 1, a[0] >= b[1] - 1
    apart, same = below or above, a == b and a[1] - a[0] == 1
    yes, no = {
        "<": (below, not_below),
        "<=": (not_above, above),
        ">": (above, not_above),
        ">=": (not_below, below),
        "==": (same, apart),
        "!=": (apart, same),
    }[name]
    return True if yes else False if no else None


def first_is_special(frame: Frame, loop: Scan) -> bool:
    """Whether some comparison in the body is decided for all iterations but the first (``if t == 0``)."""
    lower, upper = frame.size(loop.lower), frame.size(loop.upper)
    probe = Frame(frame)
    for node in walk(loop.body):
        if isinstance(node, Prim) and any(isinstance(a, Var) and a.id == loop.index.id for a in node.args):
            probe.ranges[loop.index.id] = lower, upper
            if node.name in _COMPARISONS and comparison(probe, node) is None:
                probe.ranges[loop.index.id] = lower + 1, upper
                if comparison(probe, node) is not None:
                    return True
    return False
