"""What stays the same in every application of a recursive function: it needs no register."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ppl.compiler.emit.recursion.segments import Bind, Branch, Code, Cut, End, Invoke, Switch
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.walk import walk


def invocations(cut: Cut) -> Iterator[tuple[int, Invoke]]:
    """Every application, with the unit in which it stands."""
    for segment in cut.segments:
        for invoke in _in_code(segment.code):
            yield segment.unit, invoke


def _in_code(code: Code) -> Iterator[Invoke]:
    yield from _in_end(code.end)


def _in_end(end: End) -> Iterator[Invoke]:
    match end:
        case Invoke():
            yield end
        case Bind(then=then):
            yield from _in_end(then)
        case Branch(then=a, otherwise=b):
            yield from _in_code(a)
            yield from _in_code(b)
        case Switch(cases=cases):
            for _, code in cases:
                yield from _in_code(code)


def fixed_parameters(cut: Cut) -> dict[int, dict[str, str]]:
    """For each unit the parameters that hold, in every application, what a parameter of the first unit held in the
    application from outside: its id by theirs."""
    unknown, varies = "?", ""
    held = {(u, v.id): unknown for u in range(len(cut.units)) for v in cut.params(u)}
    held |= {(0, v.id): v.id for v in cut.params(0)}
    calls = list(invocations(cut))
    before: dict[tuple[int, str], str] = {}
    while before != held:
        before = dict(held)
        for caller, call in calls:
            for k, v in enumerate(cut.params(call.unit)):
                given = getattr(call.args[k], "id", varies) if k < len(call.args) else varies
                now, new = held[call.unit, v.id], held.get((caller, given), varies)
                if unknown not in (now, new):
                    held[call.unit, v.id] = now if now == new else varies
                elif now == unknown:
                    held[call.unit, v.id] = new
    found: dict[int, dict[str, str]] = {u: {} for u in range(len(cut.units))}
    for (u, name), source in held.items():
        if source not in (unknown, varies):
            found[u][name] = source
    return found


def part_of(cut: Cut, recursion_of: Callable[[str], frozenset[str]]) -> dict[str, str]:
    """Variables that surely hold a part of a parameter of recursive type, which itself only ever becomes smaller:
    variable -> parameter. Of the first unit, if it is the only one. ``recursion_of``: the types that a type's values
    are made of."""
    if len(cut.units) > 1:
        return {}
    unit = cut.units[0]
    origin = {p.var.id: p.var.id for p in unit.params if _is_within(p.var.type, p.var.type, recursion_of)}
    types = {p.var.id: p.var.type for p in unit.params}
    matches = [s for s in walk(unit.body) if isinstance(s, ir.Match)]
    copies = [s for s in walk(unit.body) if isinstance(s, ir.Let) and isinstance(s.op, ir.Prim) and s.op.name == "copy"]
    size = -1
    while len(origin) != size:
        size = len(origin)
        for m in matches:
            root = origin.get(getattr(m.subject, "id", ""))
            for b in (b for c in m.cases for b in c.binders):
                if root is not None and _is_within(b.type, types[root], recursion_of):
                    origin[b.id] = root
        for s in copies:
            root = origin.get(getattr(s.op.args[0], "id", "")) if isinstance(s.op, ir.Prim) else None
            if root is not None:
                origin[s.var.id] = root
    shrinking = {
        p.var.id
        for k, p in enumerate(unit.params)
        if p.var.id in origin
        and all(k < len(c.args) and origin.get(getattr(c.args[k], "id", "")) == p.var.id for _, c in invocations(cut))
    }
    return {v: root for v, root in origin.items() if root in shrinking}


def _is_within(t: ty.Type, whole: ty.Type, recursion_of: Callable[[str], frozenset[str]]) -> bool:
    """Whether values of type ``t`` inside of one of type ``whole`` are parts of its nodes."""
    return isinstance(t, ty.Sum) and isinstance(whole, ty.Sum) and t.name in recursion_of(whole.name)
