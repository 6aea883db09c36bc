"""Random variables that inference learns nothing about are drawn after it, from the model given the others.

A latent variable is needed for inference if it reaches an observed variable, an observation, a factor or a
requirement (then all its ancestors are needed too). Integrating the others out is exact and free: their densities
integrate to one. ``data`` variables without data are latent here: what is to be predicted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.walk import statements
from ppl.compiler.passes.base import Note, Report
from ppl.compiler.passes.dangling import without
from ppl.compiler.passes.dependence import dependence_graph


@dataclass(frozen=True)
class Split:
    """``inference``: the model that inference sees. ``deferred``: the random variables, in the order of the text,
    that are drawn after it; ``outputs``: those computed after it (they are not in ``inference``)."""

    inference: ir.Model
    deferred: tuple[str, ...]
    outputs: tuple[str, ...]
    report: Report


def split(model: ir.Model, observed: Iterable[str], keep: Iterable[str] = ()) -> Split:
    """``observed``: the ``data`` variables that have data; ``keep``: random variables to leave in (of a guide, or
    asked for).

    Law: the density of ``model`` is that of ``inference`` times the densities of the deferred variables given the
    rest."""
    graph = dependence_graph(model)
    given, kept = set(observed), set(keep)
    drawn = [n for n in graph.nodes.values() if n.kind in ("latent", "data", "aux")]
    needed = {n.id for n in drawn if n.id in kept or graph.reaches_data(n.id, given)}
    for name in tuple(needed):
        needed |= graph.ancestors(name)
    deferred = tuple(n.id for n in drawn if n.id not in needed)
    if not deferred:
        return Split(model, (), (), ())
    gone = frozenset(deferred)
    inference = without(model, lambda stmt: isinstance(stmt, ir.Draw) and stmt.site in gone)
    left = {s.name for s in statements(inference.body) if isinstance(s, ir.Output)}
    outputs = tuple(s.name for s in statements(model.body) if isinstance(s, ir.Output) and s.name not in left)
    notes = tuple(Note("deferred", _why(graph.nodes[name]), graph.nodes[name].span) for name in deferred)
    return Split(inference, deferred, tuple(dict.fromkeys(outputs)), notes)


def _why(node) -> str:
    if node.kind == "data":
        return f"`{node.id}` has no data and tells nothing about other variables: it is predicted after inference"
    return f"`{node.id}` reaches no data: it is drawn after inference"
