"""The graph as SVG: latents are open ellipses, data filled ones, parameters bare names, outputs rounded boxes, factors
squares."""

from __future__ import annotations

from math import hypot
from xml.sax.saxutils import escape

from ppl.graph.build import Edge, Graph, Node
from ppl.graph.layout import Layout, layout

RX, RY = 42.0, 22.0
_HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w:.0f} {h:.0f}" width="{w:.0f}" height="{h:.0f}"
 font-family="Helvetica, Arial, sans-serif" font-size="13" role="img" aria-label="graph of the model {name}">
<defs><marker id="arrow" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" orient="auto">
<path d="M0 0 8 4 0 8z" fill="#444"/></marker></defs>
<rect width="100%" height="100%" fill="white"/>"""


def to_svg(graph: Graph) -> str:
    """A complete SVG document."""
    at = layout(graph)
    nodes = {n.name: n for n in graph.nodes}
    parts = [_HEAD.format(w=at.width, h=at.height, name=escape(graph.name, {'"': "&quot;"}))]
    for k, box in at.boxes.items():
        dash = ' stroke-dasharray="5 3"' if graph.plates[k].ordered else ""
        parts.append(
            f'<rect x="{box.left:.1f}" y="{box.top:.1f}" width="{box.right - box.left:.1f}" '
            f'height="{box.bottom - box.top:.1f}" rx="6" fill="none" stroke="#777"{dash}/>'
            f'<text x="{box.right - 7:.1f}" y="{box.bottom - 6:.1f}" text-anchor="end" font-size="11" fill="#555">'
            f"{escape(graph.plates[k].label)}</text>"
        )
    parts += [_edge(e, nodes, at) for e in graph.edges]
    parts += [_node(n, *at.centres[n.name]) for n in graph.nodes]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _node(node: Node, x: float, y: float) -> str:
    box = f'x="{x - RX:.1f}" y="{y - RY:.1f}" width="{2 * RX}" height="{2 * RY}" rx="8"'
    shape = {
        "latent": f'<ellipse cx="{x:.1f}" cy="{y:.1f}" rx="{RX}" ry="{RY}" fill="white" stroke="#222"/>',
        "data": f'<ellipse cx="{x:.1f}" cy="{y:.1f}" rx="{RX}" ry="{RY}" fill="#d9d9d9" stroke="#222"/>',
        "output": f'<rect {box} fill="white" stroke="#222"/>',
        "factor": f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10" fill="#222"/>',
    }.get(node.kind, "")
    if node.kind == "factor":
        return shape + _text(x, y + 20, node.name, 11, "#555")
    if node.label:
        return shape + _text(x, y - 1, node.name) + _text(x, y + 12, node.label, 9, "#666")
    return shape + _text(x, y + 4, node.name)


def _text(x: float, y: float, text: str, size: int = 13, fill: str = "#111") -> str:
    room = 2 * RX - 8
    fit = f' textLength="{room:.0f}" lengthAdjust="spacingAndGlyphs"' if len(text) * size * 0.56 > room else ""
    style = f'text-anchor="middle" font-size="{size}" fill="{fill}"{fit}'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>'


def _edge(edge: Edge, nodes: dict[str, Node], at: Layout) -> str:
    (x1, y1), (x2, y2) = at.centres[edge.source], at.centres[edge.target]
    style = 'fill="none" stroke="#444" stroke-width="1.1" marker-end="url(#arrow)"'
    if edge.source == edge.target:
        x, y = x1 + RX * 0.8, y1 - RY * 0.6
        return f'<path d="M{x:.1f} {y:.1f} c 24 -18 30 22 5 22" {style}/>'
    x1, y1 = _border(nodes[edge.source].kind, x1, y1, x2, y2)
    x2, y2 = _border(nodes[edge.target].kind, x2, y2, x1, y1)
    return f'<path d="M{x1:.1f} {y1:.1f} L{x2:.1f} {y2:.1f}" {style}/>'


def _border(kind: str, x: float, y: float, to_x: float, to_y: float) -> tuple[float, float]:
    """Where the line towards (to_x, to_y) leaves the node at (x, y)."""
    dx, dy = to_x - x, to_y - y
    rx, ry = (7.0, 7.0) if kind == "factor" else (30.0, 14.0) if kind == "parameter" else (RX, RY)
    scale = hypot(dx / rx, dy / ry) or 1.0
    return x + dx / scale, y + dy / scale
