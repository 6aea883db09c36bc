"""A model as a picture: its random variables, what they depend on, and the plates around them."""

from ppl.graph.build import Edge, Graph, Node, PlateBox, build
from ppl.graph.dot import to_dot
from ppl.graph.svg import to_svg

__all__ = ["Edge", "Graph", "Node", "PlateBox", "build", "to_dot", "to_svg"]
