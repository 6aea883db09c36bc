"""A program as a tree of lines and blocks: what is generated, varied and made smaller. Its text is a ``.ppl`` model."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Line:
    """``text`` with ``{}`` in the place of its expression (none for a statement without). ``least``: the simplest
    expression of the same type."""

    text: str
    expression: str = ""
    least: str = ""
    defines: str = ""  # the variable that it introduces or assigns

    def render(self, indent: str) -> list[str]:
        return [indent + self.text.replace("{}", self.expression)]


@dataclass(frozen=True)
class Block:
    """``heads[k] {`` ``bodies[k]`` ``}``: one of each for a loop or a plate, two for an ``if`` with its ``else``."""

    heads: tuple[str, ...]
    bodies: tuple[tuple[Node, ...], ...]

    def render(self, indent: str) -> list[str]:
        lines = []
        for k, (head, body) in enumerate(zip(self.heads, self.bodies, strict=True)):
            lines.append(indent + ("} " if k else "") + head + " {")
            lines += [line for node in body for line in node.render(indent + "  ")]
        return [*lines, indent + "}"]


Node = Line | Block


@dataclass(frozen=True)
class Program:
    """``model main() -> real`` with the statements ``body``, returning ``result``."""

    body: tuple[Node, ...]
    result: str

    @property
    def text(self) -> str:
        lines = [line for node in self.body for line in node.render("  ")]
        return "\n".join(["model main() -> real {", *lines, f"  return {self.result} + 0.0", "}", ""])

    def __str__(self) -> str:
        return self.text


def names(text: str) -> frozenset[str]:
    """Identifiers in a text."""
    return frozenset(_NAME.findall(text))


def renamed(text: str, old: str, new: str) -> str:
    """``text`` with the identifier ``old`` replaced by ``new``, which may be any expression."""
    return _NAME.sub(lambda m: new if m.group() == old else m.group(), text)


def defined(node: Node) -> frozenset[str]:
    """Variables that a statement introduces or assigns."""
    if isinstance(node, Line):
        return frozenset({node.defines}) - {""}
    return frozenset().union(*(defined(n) for body in node.bodies for n in body))


def mentioned(node: Node) -> frozenset[str]:
    return names("\n".join(node.render("")))
