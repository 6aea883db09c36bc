"""What a model can be given: its parameters and data sites, and compound values taken apart into arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import supports as S
from ppl.compiler.ir import types as T
from ppl.compiler.ir.sizes import Size
from ppl.runtime.data.convert import Converted
from ppl.runtime.data.problems import DataProblem, Problems
from ppl.runtime.data.raw import Raw
from ppl.runtime.data.sum_values import tags


@dataclass(frozen=True, slots=True)
class Want:
    name: str
    type: T.Type
    support: S.Support
    missing: bool
    is_site: bool


@dataclass(frozen=True, slots=True)
class Leaf:
    """One array of numbers: ``raw.name`` is its path (``p.a``)."""

    raw: Raw
    element: T.Type
    shape: tuple[Size, ...]
    support: S.Support


@dataclass(frozen=True, slots=True)
class Tree:
    """A value as its arrays. ``kind``: leaf, record, tuple or sum; a sum value is kept as Python data in ``value``."""

    kind: str
    leaves: tuple[Leaf, ...]
    children: tuple[tuple[str, Tree], ...] = ()
    value: Any = None


def wants(model: ir.Model) -> tuple[Want, ...]:
    """Parameters (but sizes, functions and distributions) and data sites."""
    out = [
        Want(p.name, p.var.type, p.var.support, p.missing, False)
        for p in model.params
        if not p.is_size and not isinstance(T.element(p.var.type), T.Function | T.Dist | T.Target | T.Guide | T.Trace)
    ]
    taken = {w.name for w in out}
    out += [
        Want(s.name, s.type, s.support, s.missing, True)
        for s in model.sites
        if s.role is ir.Role.DATA and s.name not in taken
    ]
    return tuple(out)


def split(want: Want, raw: Raw, sums: tuple[ir.SumInfo, ...], problems: Problems) -> Tree | None:
    """``raw`` taken apart as its type says; None with a finding where its form is another."""
    return _split(want.type, want.support, (), raw, sums, problems)


def _split(t: T.Type, support: S.Support, outer: tuple[Size, ...], raw: Raw, sums, problems: Problems) -> Tree | None:
    shape = outer + T.shape(t)
    element = T.element(t)
    match element:
        case T.Record(fields):
            names, types = [n for n, _ in fields], [f for _, f in fields]
        case T.Tuple(types):
            names = [str(k) for k in range(len(types))]
        case T.Sum(name):
            return _sum(name, shape, raw, sums, problems)
        case _:
            leaf = Leaf(raw, element, shape, support)
            return Tree("leaf", (leaf,))
    supports = support.components if isinstance(support, S.Product) else (S.ANYTHING,) * len(names)
    kind = "record" if isinstance(element, T.Record) else "tuple"
    children = []
    for k, (name, field, s) in enumerate(zip(names, types, supports, strict=True)):
        value = _pick(raw.value, len(shape), name, k, kind)
        if value is _ABSENT:
            found = f"has no field `{name}`" if kind == "record" else f"has no component {k}"
            problems.add(DataProblem("E708", raw.name, found, f"a value of type {element}", raw.source))
            return None
        child = _split(field, s, shape, Raw(f"{raw.name}.{name}", value, raw.source), sums, problems)
        if child is None:
            return None
        children.append((name, child))
    return Tree(kind, tuple(leaf for _, c in children for leaf in c.leaves), tuple(children))


_ABSENT = object()


def _pick(value: Any, depth: int, name: str, position: int, kind: str) -> Any:
    """The component of every element of ``depth`` nested lists. CmdStan writes tuples as {"1": …, "2": …}."""
    if isinstance(value, list) and depth:
        picked = [_pick(v, depth - 1, name, position, kind) for v in value]
        return _ABSENT if any(p is _ABSENT for p in picked) else picked
    if isinstance(value, Mapping):
        return value.get(name if kind == "record" else str(position + 1), _ABSENT)
    if kind == "tuple" and isinstance(value, list) and position < len(value):
        return value[position]
    return _ABSENT


def _sum(name: str, shape: tuple[Size, ...], raw: Raw, sums, problems: Problems) -> Tree | None:
    """Its leaf holds the constructors' positions, one for each value: an array of values has its sizes from there."""
    known = {s.name: s for s in sums}
    positions = tags(name, raw, len(shape), known, problems)
    if positions is None:
        return None
    leaf = Leaf(Raw(raw.name, positions, raw.source), T.INT, shape, S.ANYTHING)
    return Tree("sum", (leaf,), value=raw.value)


def assemble(tree: Tree, converted: Mapping[str, Converted]) -> Any:
    """The value again: an array, a dict (record), a tuple, or the Python data of a sum value."""
    match tree.kind:
        case "leaf":
            return converted[tree.leaves[0].raw.name].array
        case "record":
            return {name: assemble(child, converted) for name, child in tree.children}
        case "tuple":
            return tuple(assemble(child, converted) for _, child in tree.children)
        case _:
            return tree.value
