"""The graph in Graphviz's language."""

from __future__ import annotations

from ppl.graph.build import Graph, Node

_SHAPES = {
    "latent": "shape=ellipse",
    "data": 'shape=ellipse, style=filled, fillcolor="#d9d9d9"',
    "parameter": "shape=plaintext",
    "output": "shape=box, style=rounded",
    "factor": "shape=square, style=filled, fillcolor=black, fontcolor=white",
}


def to_dot(graph: Graph) -> str:
    """A ``digraph``; plates are clusters, nested as in the model."""
    lines = [f"digraph {_quote(graph.name)} {{", "  rankdir=TB;"]
    lines += _cluster(graph, (), 1)
    lines += [f"  {_quote(e.source)} -> {_quote(e.target)};" for e in graph.edges]
    return "\n".join([*lines, "}"]) + "\n"


def _cluster(graph: Graph, path: tuple[int, ...], depth: int) -> list[str]:
    pad = "  " * depth
    lines = [
        f"{pad}{_quote(n.name)} [{_SHAPES[n.kind]}, label={_quote(_label(n))}];"
        for n in graph.nodes
        if n.plates == path
    ]
    inner = dict.fromkeys(n.plates[len(path)] for n in graph.nodes if n.plates[: len(path)] == path != n.plates)
    for plate in inner:
        box = graph.plates[plate]
        lines += [f"{pad}subgraph cluster_{plate} {{", f"{pad}  label={_quote(box.label)};"]
        lines += _cluster(graph, (*path, plate), depth + 1)
        lines.append(f"{pad}}}")
    return lines


def _label(node: Node) -> str:
    return f"{node.name}\\n{node.label}" if node.label else node.name


def _quote(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'
