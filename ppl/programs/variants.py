"""Programs that mean the same: what a compiler must not tell apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ppl.programs.tree import Block, Line, Node, Program, defined, mentioned, names, renamed

_OBSERVE = re.compile(r"observe (\S+) ~ Normal\(\{\}, (\S+)\)")


def variants(program: Program) -> Iterator[tuple[str, Program]]:
    """(what was done, the program): every place at the top level where it can be done.

    Independent statements exchanged (Fubini), a ``let`` inlined, a plate as a loop, an observation as a factor, a
    factor split in two, a variable renamed."""
    body = program.body
    for k in range(len(body) - 1):
        if _independent(body[k], body[k + 1]):
            yield "exchange", replace(program, body=body[:k] + (body[k + 1], body[k]) + body[k + 2 :])
    for k, node in enumerate(body):
        for what, nodes in _rewritten(node):
            yield what, replace(program, body=body[:k] + nodes + body[k + 1 :])
        if isinstance(node, Line) and node.text.startswith("let "):
            yield "inline", _inlined(program, k, node)
    for name in sorted({n for node in body for n in defined(node)})[:1]:
        yield "rename", _map(program, lambda text, name=name: renamed(text, name, f"{name}_other"))


def _independent(first: Node, second: Node) -> bool:
    return not (defined(first) & mentioned(second) or defined(second) & mentioned(first))


def _rewritten(node: Node) -> Iterator[tuple[str, tuple[Node, ...]]]:
    if isinstance(node, Block):
        if node.heads[0].startswith("plate "):
            yield "plate as loop", (replace(node, heads=("for " + node.heads[0].removeprefix("plate "),)),)
        return
    if node.text == "factor {}":
        half = replace(node, expression=f"0.5 * ({node.expression})")
        yield "split factor", (half, half)
    if found := _OBSERVE.fullmatch(node.text):
        value, scale = found.groups()
        yield (
            "observe as factor",
            (Line("factor {}", f"logprob(Normal({node.expression}, {scale}), {value})", node.least),),
        )


def _inlined(program: Program, k: int, let: Line) -> Program:
    """The value in the place of the name, if nothing that it reads is assigned anew: only ``var`` is."""
    value = f"(({let.expression}) + 0.0)"
    if any(d in names(let.expression) for node in program.body[k + 1 :] for d in defined(node)):
        return program
    shorter = replace(program, body=program.body[:k] + program.body[k + 1 :])
    return _map(shorter, lambda text: renamed(text, let.defines, value))


def _map(program: Program, change) -> Program:  # type: ignore[no-untyped-def]
    def node(n: Node) -> Node:
        if isinstance(n, Line):
            return Line(change(n.text), change(n.expression), change(n.least), change(n.defines))
        return Block(tuple(map(change, n.heads)), tuple(tuple(map(node, b)) for b in n.bodies))

    return Program(tuple(map(node, program.body)), change(program.result))
