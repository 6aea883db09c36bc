"""How tokens and expectations are called in messages."""

from __future__ import annotations

from ppl.compiler.syntax.parse.engine import accepts
from ppl.compiler.syntax.parse.table import Table
from ppl.compiler.syntax.parse.token import Token

#: What to write for a terminal that has no fixed text.
SAMPLE = {
    "ADD_OP": "+",
    "MUL_OP": "*",
    "POW_OP": "^",
    "CMP_OP": "==",
    "NAME": "x",
    "INT": "0",
    "FLOAT": "0.5",
    "STRING": '""',
}

#: Behind these a line may end, and what is missing belongs to the next line.
OPENERS = frozenset(("{", "(", "[", "NL"))

_CALLED = {
    "NAME": "a name",
    "INT": "a number",
    "FLOAT": "a number",
    "STRING": "a string",
    "NL": "the end of the line",
    "END": "the end of the file",
    "CMP_OP": "`==`",
}

#: Groups of expectations: when all on the left are possible, one phrase says it.
_GROUPS: tuple[tuple[str, str, str], ...] = (
    ("let observe plate", "NAME ( if for match var data aux factor require output param return", "a statement"),
    ("model fn type", "const dist extern guide import objective", "a declaration"),
    ("NAME ( [ fn INT", "{ if not match infer expect true false STRING FLOAT ADD_OP", "an expression"),
    ("NAME ( [ INT STRING", "{ not match expect true false FLOAT ADD_OP", "an expression"),
    ("NAME { (", "", "a type"),
    ("NAME _ INT", "( STRING true false FLOAT ADD_OP", "a pattern"),
    ("ADD_OP MUL_OP", "POW_OP CMP_OP < > >= and or .. . ( [ given", "an operator"),
)


def called(token: Token) -> str:
    """The token as a message names it."""
    if token.type in ("NL", "END"):
        return _CALLED[token.type]
    return f"`{token.text or token.type}`"


def expected(table: Table, states: list[int]) -> set[str]:
    """The tokens that can come next."""
    return {kind for kind in table.actions[states[-1]] if accepts(table, states, kind) is not None}


def phrase(kinds: set[str], most: int = 4) -> str:
    """``an expression or `)` ``: what was expected, in words."""
    rest, said = set(kinds), []
    for needed, covered, words in _GROUPS:
        if rest >= set(needed.split()):
            said.append(words)
            rest -= set(needed.split()) | set(covered.split())
    rest -= {"END"} if said else set()
    named = sorted({_CALLED.get(kind, f"`{SAMPLE.get(kind, kind)}`") for kind in rest})
    said += named if len(said) + len(named) <= most else named[: max(0, most - len(said))]
    return " or ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said)
