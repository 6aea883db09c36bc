"""The dependence graph of a model: what the distribution of each random variable, and each condition and output, reads.

An edge a → b says that b's distribution (or value) is computed from a by deterministic work alone, or that a decides
whether b happens. For b conditioned on its parents this is the graph of a Bayesian network with factors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ppl.compiler.diagnostics.span import NOWHERE, Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.walk import definitions, free, lag_reads

CONDITIONS = frozenset({"observe", "factor", "require"})


@dataclass(frozen=True, slots=True)
class Node:
    """``kind``: latent, data, aux, param, input, observe, factor, require, output or return. ``plates``: the axes of
    the plates and loops around it, outermost first (the names of the result's dimensions)."""

    id: str
    kind: str
    plates: tuple[str, ...] = ()
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Graph:
    """``nodes`` in the order of the text; ``parents`` by id. A site that reads its own earlier elements is its own
    parent."""

    nodes: Mapping[str, Node]
    parents: Mapping[str, frozenset[str]]

    @cached_property
    def children(self) -> dict[str, frozenset[str]]:
        out: dict[str, set[str]] = {n: set() for n in self.nodes}
        for child, parents in self.parents.items():
            for p in parents:
                out[p].add(child)
        return {n: frozenset(c) for n, c in out.items()}

    def descendants(self, name: str) -> frozenset[str]:
        """All that ``name`` reaches (itself only if it lies on a cycle)."""
        return _closure(self.children, self.children[name])

    def ancestors(self, name: str) -> frozenset[str]:
        return _closure(self.parents, self.parents[name])

    def of_kind(self, *kinds: str) -> tuple[Node, ...]:
        return tuple(n for n in self.nodes.values() if n.kind in kinds)

    def reaches_data(self, site: str, observed: Iterable[str] | None = None) -> bool:
        """Whether the site is, or has among its descendants, a condition or an observed ``data`` variable (all of
        them if ``observed`` is not given): whether inference learns about it."""
        given = {n.id for n in self.of_kind("data")} if observed is None else set(observed)
        reached = self.descendants(site) | {site}
        return any(self.nodes[n].kind in CONDITIONS or n in given for n in reached)


def _closure(edges: Mapping[str, frozenset[str]], start: Iterable[str]) -> frozenset[str]:
    seen: set[str] = set()
    todo = list(start)
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo.extend(edges[name])
    return frozenset(seen)


def dependence_graph(model: ir.Model) -> Graph:
    """The graph of a model, before or after any pass."""
    builder = _Builder()
    for p in model.params:
        builder.node(p.var.id, "input", (), (), NOWHERE)
        builder.env[p.var.id] = frozenset({p.var.id})
    builder.block(model.body, (), frozenset())
    for result in model.body.results:
        builder.node("return", "return", (), builder.read(result), model.span)
    return Graph(builder.nodes, {n: frozenset(p) for n, p in builder.parents.items()})


Names = frozenset[str]


class _Builder:
    """``env``: the nodes that each variable is computed from."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.parents: dict[str, set[str]] = {}
        self.env: dict[str, Names] = {}
        self.counts: dict[int, str] = {}

    def node(self, name: str, kind: str, plates: tuple[str, ...], parents: Iterable[str], span: Span) -> None:
        if name not in self.nodes or len(plates) > len(self.nodes[name].plates):
            self.nodes[name] = Node(name, kind, plates, span)
        self.parents.setdefault(name, set()).update(parents)

    def read(self, *parts) -> Names:
        return frozenset().union(*(self.env.get(v, frozenset()) for part in parts for v in free(part)))

    def condition(self, stmt: ir.Stmt, kind: str, plates: tuple[str, ...], parents: Names) -> None:
        """Conditions have no names: they are numbered. Loops visit a statement more than once."""
        if id(stmt) not in self.counts:
            number = 1 + sum(n.kind == kind for n in self.nodes.values())
            self.counts[id(stmt)] = f"{kind} {number}"
        self.node(self.counts[id(stmt)], kind, plates, parents, stmt.span)

    def block(self, block: ir.Block, plates: tuple[str, ...], control: Names) -> None:
        """``control``: the nodes that decide whether the block runs."""
        for stmt in block.statements:
            self.statement(stmt, plates, control)

    def statement(self, stmt: ir.Stmt, plates: tuple[str, ...], control: Names) -> None:
        match stmt:
            case ir.Let(var, op):
                if not isinstance(op, ir.Lag):  # the window has put it into the environment
                    self.env[var.id] = self.read(op)
            case ir.Draw():
                self.node(stmt.site, str(stmt.role), plates, self.read(stmt.dist) | control, stmt.span)
                self.env[stmt.var.id] = frozenset({stmt.site})
            case ir.ParamStmt():
                self.node(stmt.site, "param", plates, self.read(stmt.init) | control, stmt.span)
                self.env[stmt.var.id] = frozenset({stmt.site})
            case ir.Observe():
                self.condition(stmt, "observe", plates, self.read(stmt.value, stmt.dist) | control)
            case ir.Factor(value):
                self.condition(stmt, "factor", plates, self.read(value) | control)
            case ir.Require(condition):
                self.condition(stmt, "require", plates, self.read(condition) | control)
            case ir.Output(name, value):
                taken = name in self.nodes and self.nodes[name].kind != "output"
                label = f"output {name}" if taken else name
                self.node(label, "output", plates, self.read(value) | control, stmt.span)
            case ir.If(condition, then, otherwise, results):
                self.branches((then, otherwise), results, plates, control | self.read(condition))
            case ir.Match(subject, cases, results):
                inner = control | self.read(subject)
                for case in cases:
                    self.env.update((b.id, inner) for b in case.binders)
                self.branches(tuple(c.body for c in cases), results, plates, inner)
            case ir.SumOut(_, values, body, results):
                self.env[stmt.var.id] = self.read(values)
                self.branches((body,), results, plates, control)
            case ir.Plate() | ir.For() | ir.Scan() | ir.ForwardSum():
                self.loop(stmt, plates, control)
            case _:
                for var in definitions(stmt):
                    self.env[var.id] = self.read(stmt) | control

    def branches(self, blocks: tuple[ir.Block, ...], results: tuple[ir.Var, ...], plates, control: Names) -> None:
        for block in blocks:
            self.block(block, plates, control)
        for k, var in enumerate(results):
            self.env[var.id] = control | self.read(*(b.results[k] for b in blocks))

    def loop(self, stmt, plates: tuple[str, ...], control: Names) -> None:
        """Carries, and reads of earlier iterations, are repeated until nothing more flows around."""
        if isinstance(stmt, ir.ForwardSum):
            self.branches((stmt.start,), stmt.results, plates, control)
            self.env[stmt.previous.id] = self.read(stmt.first)
        for m in getattr(stmt, "mapped", ()):
            self.env[m.var.id] = self.read(m.array)
        carries, windows = getattr(stmt, "carries", ()), getattr(stmt, "windows", ())
        lags = lag_reads(stmt.body)
        inner = (*plates, stmt.axis or stmt.index.id)
        while True:
            before = dict(self.env)
            for c in carries:
                self.env[c.var.id] = self.env.get(c.var.id, frozenset()) | self.read(c.init, c.next)
            for w in windows:
                flow = self.read(w.value, *(i for i in w.init if i is not None))
                self.env.update((s.var.id, flow) for s, lag in lags if lag.site == w.site)
            self.block(stmt.body, inner, control)
            if self.env == before:
                break
        for c in carries:
            if c.final is not None:
                self.env[c.final.id] = self.read(c.init, c.next)
        for s in stmt.stacked:
            self.env[s.var.id] = self.read(s.value)
