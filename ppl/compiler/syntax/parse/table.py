"""The parse table: Lark's LALR(1) table of ``grammar.lark`` as plain data.

Lark is imported only to build a table. The table is kept in the user's cache, so that ``ppl check`` pays neither for
building it nor for importing Lark; ``engine.py`` runs it, which also gives recovery the bare state stacks that it
needs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from lark import Lark

GRAMMAR = Path(__file__).parents[1] / "grammar.lark"

#: Names of Lark's that the parser shows under another name.
_RENAMED = {"_NL": "NL", "$END": "END"}


class Rule(NamedTuple):
    """One alternative of the grammar and what becomes of its parts.

    ``keep`` lists the parts that are handed on; in ``splice`` those that are themselves lists; ``nones[k]`` absent
    optional parts come before the k-th kept part. ``action`` names a method of the builder; without one the rule
    hands on its single part (``single``) or a list.
    """

    origin: str
    length: int
    action: str | None
    single: bool
    keep: tuple[int, ...]
    splice: tuple[int, ...]
    nones: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Table:
    """``actions[state][token]``: a state to shift to, or ``-1 - r`` to reduce by rule ``r``; ``gotos[state][origin]``.

    ``patterns`` are the regular expressions of the terminals that have one, ``literals`` the texts of the others.
    """

    start: int
    end: int
    rules: tuple[Rule, ...]
    actions: tuple[dict[str, int], ...]
    gotos: tuple[dict[str, int], ...]
    patterns: tuple[tuple[str, str], ...]
    literals: tuple[str, ...]

    def plain(self) -> tuple[Any, ...]:
        """Only tuples, dictionaries, strings and numbers: what the cache stores."""
        return (
            self.start,
            self.end,
            tuple(map(tuple, self.rules)),
            self.actions,
            self.gotos,
            self.patterns,
            self.literals,
        )

    @staticmethod
    def of_plain(plain: tuple[Any, ...]) -> Table:
        start, end, rules, *rest = plain
        return Table(start, end, tuple(Rule(*r) for r in rules), *rest)


@lru_cache(maxsize=1)
def table() -> Table:
    """The table of the language, from the user's cache where it is there."""
    from ppl.compiler.syntax.parse import cache

    grammar = GRAMMAR.read_text(encoding="utf-8")
    key = cache.key(grammar, Path(__file__).read_text(encoding="utf-8"))
    plain = cache.load(key)
    if plain is not None:
        return Table.of_plain(plain)
    built = build(grammar)
    cache.store(key, built.plain())
    return built


def lark(grammar: str, strict: bool = False) -> Lark:
    """The grammar as a Lark parser: LALR(1), contextual lexer."""
    from lark import Lark

    return Lark(grammar, parser="lalr", lexer="contextual", start="module", maybe_placeholders=True, strict=strict)


def build(grammar: str) -> Table:
    """The table that Lark computes for ``grammar``."""
    parser = lark(grammar)
    parse_table = parser.parser.parser._parse_table
    shown = dict(_RENAMED)
    patterns, literals = [], []
    for terminal in parser.terminals:
        if terminal.pattern.type == "str" and not terminal.name.endswith("_OP"):
            shown[terminal.name] = terminal.pattern.value
            literals.append(str(terminal.pattern.value))
        else:
            patterns.append((str(terminal.name), terminal.pattern.to_regexp()))
    numbers = {id(rule): k for k, rule in enumerate(parser.rules)}
    by_value = {rule: k for k, rule in enumerate(parser.rules)}

    def encode(step: Any) -> int:
        kind, argument = step
        if kind.name == "Shift":
            return argument
        return -1 - numbers.get(id(argument), by_value.get(argument, -1))

    states = sorted(parse_table.states)
    assert states == list(range(len(states)))
    terminals = {t.name for t in parser.terminals} | set(_RENAMED)
    actions, gotos = [], []
    for state in states:
        entries = parse_table.states[state]
        actions.append(
            {str(shown.get(name, name)): encode(step) for name, step in entries.items() if name in terminals}
        )
        gotos.append({str(name): step[1] for name, step in entries.items() if name not in terminals})
    rules = tuple(_rule(rule) for rule in parser.rules)
    return Table(
        parse_table.start_states["module"],
        parse_table.end_states["module"],
        rules,
        tuple(actions),
        tuple(gotos),
        tuple(sorted(patterns, key=lambda p: p[0] != "NAME")),
        tuple(sorted(literals, key=lambda text: (-len(text), text))),
    )


def _rule(rule: Any) -> Rule:
    """What Lark's tree builder would do for ``rule``, as data."""
    keep, splice, nones = [], [], []
    absent = _absent_before(rule)
    pending = 0
    for k, symbol in enumerate(rule.expansion):
        pending += absent[k]
        if symbol.is_term and symbol.filter_out:
            continue
        nones.append(pending)
        pending = 0
        keep.append(k)
        if not symbol.is_term and symbol.name.startswith("_"):
            splice.append(k)
    nones.append(pending + absent[-1])
    helper = rule.origin.name.startswith("_")
    single = not helper and rule.alias is None and rule.options.expand1
    action = None if helper or single else str(rule.alias or rule.origin.name)
    assert not single or (len(keep) == 1 and not any(nones)), rule
    return Rule(str(rule.origin.name), len(rule.expansion), action, single, tuple(keep), tuple(splice), tuple(nones))


def _absent_before(rule: Any) -> list[int]:
    """How many absent ``[…]`` parts stand before each symbol of the rule, and behind the last."""
    flags = rule.options.empty_indices
    if not flags:
        return [0] * (len(rule.expansion) + 1)
    return [len(run) for run in re.split("0", "".join(str(int(flag)) for flag in flags))]
