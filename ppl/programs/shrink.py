"""The smallest program that still fails: statements left out, branches and loops opened, expressions made constants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from ppl.compiler.pipeline import check_text
from ppl.programs.tree import Block, Line, Node, Program


def shrink(program: Program, fails: Callable[[Program], bool], limit: int = 500) -> Program:
    """Greedy: the first smaller valid program that fails is gone on from, until none does or ``limit`` were tried."""
    tried = 0
    while tried < limit:
        for smaller in _smaller(program):
            tried += 1
            if valid(smaller) and fails(smaller):
                program = smaller
                break
            if tried >= limit:
                break
        else:
            break
    return program


def valid(program: Program) -> bool:
    return check_text(program.text).ok


def _smaller(program: Program) -> Iterator[Program]:
    for body in _bodies(program.body):
        yield replace(program, body=body)
    if program.result != "0.3":
        yield replace(program, result="0.3")


def _bodies(body: tuple[Node, ...]) -> Iterator[tuple[Node, ...]]:
    """Most is left out first."""
    for k in range(len(body)):
        yield body[:k] + body[k + 1 :]
    for k, node in enumerate(body):
        for fewer in _nodes(node):
            yield body[:k] + fewer + body[k + 1 :]


def _nodes(node: Node) -> Iterator[tuple[Node, ...]]:
    if isinstance(node, Line):
        if node.expression != node.least:
            yield (replace(node, expression=node.least),)
        return
    if len(node.bodies) > 1:  # a branch for the whole `if`
        yield from node.bodies
    for k, inner in enumerate(node.bodies):
        for fewer in _bodies(inner):
            if fewer or len(node.bodies) > 1:
                yield (Block(node.heads, node.bodies[:k] + (fewer,) + node.bodies[k + 1 :]),)
