"""The graph of a model, read off its IR: an edge a → b where the distribution of b mentions a, through any ``let``."""

from __future__ import annotations

from dataclasses import dataclass, field

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.walk import free, walk

Names = frozenset[str]


@dataclass(frozen=True, slots=True)
class Node:
    """``kind``: latent, data, parameter, output or factor. ``plates`` from the outermost, by position in
    ``Graph.plates``. ``label`` names the distribution."""

    name: str
    kind: str
    plates: tuple[int, ...] = ()
    label: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class PlateBox:
    """``ordered`` for a loop whose iterations read earlier ones (or may)."""

    label: str
    ordered: bool


@dataclass(frozen=True)
class Graph:
    name: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    plates: tuple[PlateBox, ...]


def build(model: ir.Model) -> Graph:
    """The graph of a checked model; submodels that were not inlined are one node."""
    builder = _Builder()
    for p in model.params:
        if not p.is_size:
            builder.node(Node(p.name, "parameter"))
            builder.reads[p.var.id] = frozenset([p.name])
    builder.block(model.body, (), frozenset())
    used = {e.source for e in builder.edges} | {e.target for e in builder.edges}
    nodes = tuple(n for n in builder.nodes.values() if n.kind != "parameter" or n.name in used)
    return Graph(model.name, nodes, tuple(sorted(builder.edges)), tuple(builder.plates))


@dataclass
class _Builder:
    """``reads``: for each variable the nodes that its value depends on directly (through deterministic values only)."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: set[Edge] = field(default_factory=set)
    plates: list[PlateBox] = field(default_factory=list)
    reads: dict[str, Names] = field(default_factory=dict)
    dists: dict[str, str] = field(default_factory=dict)
    factors: int = 0

    def node(self, node: Node) -> None:
        old = self.nodes.get(node.name)
        if old is None or len(node.plates) > len(old.plates):
            self.nodes[node.name] = node

    def of(self, part: object) -> Names:
        """The nodes that a piece of IR depends on."""
        found = [self.reads.get(v, frozenset()) for v in free(part)]
        lags = frozenset(n.site for n in walk(part) if isinstance(n, ir.Lag))
        return frozenset().union(lags, *found)

    def arrows(self, sources: Names, target: str) -> None:
        self.edges |= {Edge(s, target) for s in sources}

    def block(self, block: ir.Block, plates: tuple[int, ...], control: Names) -> None:
        for stmt in block.statements:
            self.statement(stmt, plates, control)

    def statement(self, stmt: ir.Stmt, plates: tuple[int, ...], control: Names) -> None:
        match stmt:
            case ir.Let():
                self.reads[stmt.var.id] = self.of(stmt.op)
                if isinstance(stmt.op, ir.MakeDist):
                    self.dists[stmt.var.id] = stmt.op.name
                if isinstance(stmt.op, ir.ApplyModel) and isinstance(stmt.op.model, ir.ModelRef):
                    self.dists[stmt.var.id] = stmt.op.model.name
            case ir.Draw():
                kind = "data" if stmt.role is ir.Role.DATA else "latent"
                label = self.dists.get(stmt.dist.id, "") if isinstance(stmt.dist, ir.Var) else ""
                self.node(Node(stmt.site, kind, plates, label))
                self.arrows(self.of(stmt.dist) | control, stmt.site)
                self.reads[stmt.var.id] = frozenset([stmt.site])
            case ir.Observe() | ir.Factor() | ir.Require():
                self.factors += 1
                name = f"{type(stmt).__name__.lower()} {self.factors}"
                self.node(Node(name, "factor", plates))
                self.arrows(self.of(stmt) | control, name)
            case ir.Output():
                self.node(Node(stmt.name, "output", plates))
                self.arrows((self.of(stmt.value) | control) - {stmt.name}, stmt.name)
            case ir.ParamStmt():
                self.node(Node(stmt.site, "parameter", plates))
                self.reads[stmt.var.id] = frozenset([stmt.site])
            case ir.If():
                self._branches([stmt.then, stmt.otherwise], stmt.results, plates, control | self.of(stmt.condition))
            case ir.Match():
                subject = self.of(stmt.subject)
                for case in stmt.cases:
                    self.reads |= {b.id: subject for b in case.binders}
                self._branches([c.body for c in stmt.cases], stmt.results, plates, control | subject)
            case ir.Plate() | ir.For() | ir.Scan():
                self._loop(stmt, plates, control)

    def _branches(self, blocks: list[ir.Block], results: tuple[ir.Var, ...], plates: tuple[int, ...], control: Names):
        for block in blocks:
            self.block(block, plates, control)
        for k, result in enumerate(results):
            self.reads[result.id] = control.union(*(self.of(b.results[k]) for b in blocks))

    def _loop(self, stmt: ir.Plate | ir.For | ir.Scan, plates: tuple[int, ...], control: Names) -> None:
        ordered = not isinstance(stmt, ir.Plate)
        self.plates.append(PlateBox(f"{stmt.index.id} in {stmt.lower}..{stmt.upper}", ordered))
        inside = (*plates, len(self.plates) - 1)
        for read in getattr(stmt, "mapped", ()):
            self.reads[read.var.id] = self.of(read.array)
        carries = getattr(stmt, "carries", ())
        for c in carries:
            self.reads[c.var.id] = self.of(c.init)
        seen = len(self.plates), self.factors
        self.block(stmt.body, inside, control)
        if carries:  # once more, with what the first iteration carries over
            for c in carries:
                self.reads[c.var.id] |= self.of(c.next)
            del self.plates[seen[0] :]
            self.factors = seen[1]
            self.block(stmt.body, inside, control)
        for s in stmt.stacked:
            self.reads[s.var.id] = self.of(s.value)
        for c in carries:
            if c.final is not None:
                self.reads[c.final.id] = self.of(c.init) | self.of(c.next)
