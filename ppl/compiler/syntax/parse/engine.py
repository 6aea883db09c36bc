"""The LALR(1) automaton: tokens in, values of the builder's methods out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ppl.compiler.diagnostics.span import Span
from ppl.compiler.syntax.parse.table import Table
from ppl.compiler.syntax.parse.token import Token

#: The deepest stack of states: some hundred brackets in one another. What comes after the parser recurses.
DEEPEST = 400


@dataclass(frozen=True)
class Failure:
    """The first token that cannot follow what stands before it, or is nested too deeply (``deep``)."""

    position: int
    deep: bool = False


def run(table: Table, tokens: list[Token], builder: Any, file: str) -> Any | Failure:
    """Parses ``tokens`` (the last is ``END``) and gives the value of the start rule, or where it failed.

    A rule's value is ``builder.<action>(span, *parts)``; its span runs from the first to the last of its tokens.
    ``tokens`` is changed where the lexer has to follow the context: a ``>=`` behind a type is ``>`` and ``=``.
    """
    actions, gotos = table.actions, table.gotos
    rules = [(r.origin, r.length, r.single, r.keep, r.splice, r.nones if any(r.nones) else None,
              getattr(builder, r.action) if r.action else None) for r in table.rules]  # fmt: skip
    states: list[int] = [table.start]
    values: list[Any] = []
    starts: list[int] = []
    ends: list[int] = []
    position = 0
    while True:
        token = tokens[position]
        kind = token.type
        step = actions[states[-1]].get(kind)
        if step is None:
            if kind == "END" and states[-1] == table.end:
                return values[-1]
            if kind == ">=" and ">" in actions[states[-1]]:
                split(tokens, position)
                continue
            return Failure(position)
        if step >= 0:
            states.append(step)
            values.append(token)
            starts.append(token.start)
            ends.append(token.end)
            position += 1
            if len(states) > DEEPEST:
                return Failure(position - 1, deep=True)
            continue
        origin, length, single, keep, splice, nones, action = rules[-1 - step]
        if single:
            value = values[keep[0] - length]
            if length > 1:
                start, end = starts[-length], ends[-1]
                del states[-length:], values[-length:], starts[-length:], ends[-length:]
                starts.append(start)
                ends.append(end)
                values.append(value)
            else:
                del states[-1]
            states.append(gotos[states[-1]][origin])
            continue
        if length:
            start, end = starts[-length], ends[-1]
            parts = _parts(values, length, keep, splice, nones)
            del states[-length:], values[-length:], starts[-length:], ends[-length:]
        else:
            start = end = ends[-1] if ends else 0
            parts = [None] * nones[0] if nones else []
        values.append(parts if action is None else action(Span(file, start, end), *parts))
        starts.append(start)
        ends.append(end)
        states.append(gotos[states[-1]][origin])


def _parts(values: list[Any], length: int, keep: tuple[int, ...], splice: tuple[int, ...], nones: Any) -> list[Any]:
    if nones is None and not splice:
        return [values[k - length] for k in keep]
    if splice and keep[0] == splice[0] and nones is None:
        # A repetition grows the list that it already has, which keeps long lists linear.
        parts, rest = values[keep[0] - length], keep[1:]
    else:
        parts, rest = [], keep
    for order, k in enumerate(rest):
        if nones is not None:
            parts.extend([None] * nones[order])
        if k in splice:
            parts.extend(values[k - length])
        else:
            parts.append(values[k - length])
    if nones is not None:
        parts.extend([None] * nones[-1])
    return parts


def split(tokens: list[Token], position: int) -> None:
    """Replaces ``>=`` by ``>`` and ``=``."""
    token = tokens[position]
    middle = token.start + 1
    tokens[position : position + 1] = [Token(">", ">", token.start, middle), Token("=", "=", middle, token.end)]


def accepts(table: Table, states: list[int], token: str) -> list[int] | None:
    """The state stack after ``token``, or None where it cannot come; values are not built. ``states`` is unchanged."""
    stack = list(states)
    while True:
        step = table.actions[stack[-1]].get(token)
        if step is None:
            return stack if token == "END" and stack[-1] == table.end else None
        if step >= 0:
            stack.append(step)
            return stack
        rule = table.rules[-1 - step]
        if rule.length:
            del stack[-rule.length :]
        stack.append(table.gotos[stack[-1]][rule.origin])
