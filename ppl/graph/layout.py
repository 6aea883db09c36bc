"""Positions for a small layered drawing.

Nodes stand in layers by their longest path from a root (Sugiyama's first step). Every plate has a range of columns of
its own, so that no box covers a node that is not in it; within a range, nodes are ordered by the mean position of their
neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

from ppl.graph.build import Graph

STEP_X, STEP_Y, MARGIN, PAD = 118.0, 96.0, 46.0, 15.0


@dataclass(frozen=True, slots=True)
class Box:
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Layout:
    """Centres of the nodes, the boxes of the plates, and the size of the whole."""

    centres: dict[str, tuple[float, float]]
    boxes: dict[int, Box]
    width: float
    height: float


def layout(graph: Graph) -> Layout:
    layers = _layers(graph)
    columns: dict[str, float] = {}
    _place(graph, (), 0.0, layers, columns)
    for _ in range(4):
        _straighten(graph, layers, columns)
    nest = max((len(n.plates) for n in graph.nodes), default=0)
    margin = MARGIN + nest * PAD
    centres = {n: (margin + (columns[n] + 0.5) * STEP_X, margin + (layers[n] + 0.5) * STEP_Y) for n in columns}
    boxes = {}
    for k in range(len(graph.plates)):
        inside = [n for n in graph.nodes if k in n.plates]
        if not inside:
            continue
        deeper = max(len(n.plates) - n.plates.index(k) for n in inside)
        xs, ys = [centres[n.name][0] for n in inside], [centres[n.name][1] for n in inside]
        room = PAD * deeper
        boxes[k] = Box(min(xs) - 42 - room, min(ys) - 26 - room, max(xs) + 42 + room, max(ys) + 32 + room)
    width = 2 * margin + STEP_X * (1 + max(columns.values(), default=0.0))
    height = 2 * margin + STEP_Y * (1 + max(layers.values(), default=0))
    return Layout(centres, boxes, width, height)


def _layers(graph: Graph) -> dict[str, int]:
    """Longest path from a root; edges against the order of the text (a loop's reads of earlier values) do not count."""
    order = {n.name: k for k, n in enumerate(graph.nodes)}
    layer = dict.fromkeys(order, 0)
    for _ in order:
        changed = False
        for e in graph.edges:
            if order[e.source] < order[e.target] and layer[e.target] <= layer[e.source]:
                layer[e.target] = layer[e.source] + 1
                changed = True
        if not changed:
            break
    return layer


def _place(
    graph: Graph, path: tuple[int, ...], left: float, layers: dict[str, int], columns: dict[str, float]
) -> float:
    """Give every node in the plate ``path`` a column from ``left`` on; returns the first free column."""
    rows: dict[int, list[str]] = {}
    for n in graph.nodes:
        if n.plates == path:
            rows.setdefault(layers[n.name], []).append(n.name)
    width = max((len(r) for r in rows.values()), default=0)
    for row in rows.values():
        for k, name in enumerate(row):
            columns[name] = left + (width - len(row)) / 2 + k
    at = left + width
    for plate in dict.fromkeys(n.plates[len(path)] for n in graph.nodes if n.plates[: len(path)] == path != n.plates):
        at = _place(graph, (*path, plate), at + (0.25 if at > left else 0.0), layers, columns)
    return at


def _straighten(graph: Graph, layers: dict[str, int], columns: dict[str, float]) -> None:
    """Reorder the nodes that share a layer and a plate by the mean column of their neighbours; the columns stay the
    same."""
    around: dict[str, list[str]] = {n.name: [] for n in graph.nodes}
    for e in graph.edges:
        around[e.source].append(e.target)
        around[e.target].append(e.source)
    groups: dict[tuple, list[str]] = {}
    for n in graph.nodes:
        groups.setdefault((n.plates, layers[n.name]), []).append(n.name)
    for names in groups.values():
        slots = sorted(columns[n] for n in names)
        wish = {n: sum(columns[m] for m in around[n]) / len(around[n]) if around[n] else columns[n] for n in names}
        for slot, name in zip(slots, sorted(names, key=lambda n: (wish[n], columns[n])), strict=True):
            columns[name] = slot
