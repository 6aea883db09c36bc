"""The post-lexer: which newlines end a statement.

A newline or ``;`` ends one. A newline does not inside ``( )``, ``[ ]`` or a record's ``{ }``, nor behind a token that
cannot end a statement, nor before one that can only go on. Blocks inside parentheses (a function's body, ``infer``)
are blocks again: what counts is the innermost bracket.
"""

from __future__ import annotations

from ppl.compiler.syntax.parse.token import Token

#: Behind these a newline is only layout.
CONTINUES = frozenset(
    "ADD_OP MUL_OP POW_OP CMP_OP < >= , = ~ -> => | .. . : "
    "and or not in then else with given by via over as for".split()
)

#: Before these a newline is only layout.
JOINS = frozenset(("else", "by", "via", "|", "."))

#: Behind these stands an expression or a type, so that ``{`` opens a record.
BEFORE_RECORD = frozenset(
    "ADD_OP MUL_OP POW_OP CMP_OP < >= ( [ , = ~ -> .. : "
    "and or not in if then given over match return factor require observe".split()
)

#: These begin a statement that has a block.
_HEADS = frozenset(("for", "plate", "if", "match"))

#: Between the ``<`` and ``>`` of a type none of these stands.
_NOT_IN_TYPE = frozenset(("NL", "{", "}", "and", "or", "not", "then", "else", "CMP_OP", ">="))


class _Frame:
    """An open bracket: ``kind`` is ``(``, ``[``, ``record``, or a block: ``block``, ``match``, ``arms``, ``file``."""

    __slots__ = ("head", "is_block", "kind", "match", "thens")

    def __init__(self, kind: str):
        self.kind = kind
        self.is_block = kind not in ("(", "[", "record")
        self.match = False  # a `match` waits for its brace
        self.head = False  # the statement has a block: `for`, `plate`, `if`, `match`
        self.thens = 0  # `if … then` that wait for their `else`


def significant(tokens: list[Token]) -> list[Token]:
    """The tokens without the newlines that end nothing. Runs of ``NL`` become one; none stands behind the ``{`` of
    a block, before its ``}``, or at the ends of the file."""
    out: list[Token] = []
    stack = [_Frame("file")]
    previous = "{"
    for position, token in enumerate(tokens):
        kind = token.type
        frame = stack[-1]
        if kind == "NL":
            if token.text == "\n" and not frame.is_block:
                continue
            if not out or out[-1].type == "NL" or (previous == "{" and frame.is_block):
                continue
            following = _next(tokens, position)
            if following == "END" or (following == "}" and frame.is_block):
                continue
            if token.text == "\n":
                if previous in CONTINUES or following in JOINS or (previous == ">" and not closes_type(out)):
                    continue
            frame.thens = 0
            frame.head = False
            out.append(token)
            previous = "NL"
            continue
        if kind == "{":
            stack.append(_Frame(_brace(frame, previous, tokens, position)))
        elif kind == "(" or kind == "[":
            stack.append(_Frame(kind))
        elif kind == ")" or kind == "]" or kind == "}":
            if len(stack) > 1:
                stack.pop()
        elif kind in _HEADS:
            frame.match = frame.match or kind == "match"
            frame.head = frame.head or previous == "NL" or previous == "{"
        elif kind == "then":
            frame.thens += 1
        elif kind == "else" and frame.thens:
            frame.thens -= 1
            kind = "then"  # behind the `else` of an expression stands an expression
        out.append(token)
        previous = kind
    return out


def _next(tokens: list[Token], position: int) -> str:
    while tokens[position].type == "NL":
        position += 1
    return tokens[position].type


def _brace(frame: _Frame, previous: str, tokens: list[Token], position: int) -> str:
    """What the ``{`` at ``position``, behind ``previous``, opens. Where something is missing before a block, so that
    a record could stand there, what is inside tells."""
    record = previous in BEFORE_RECORD or (previous == "=>" and frame.kind != "match")
    if record and holds_fields(tokens, position) and not (frame.head and tokens[position + 1].type == "NL"):
        return "record"
    if frame.match:
        frame.match = False
        return "arms" if previous == "with" else "match"
    return "block"


def holds_fields(tokens: list[Token], position: int) -> bool:
    """Whether the brace at ``position`` begins like a record."""
    inside = [t.type for t in tokens[position + 1 : position + 9] if t.type != "NL"][:2]
    return inside[:1] == ["}"] or (inside[:1] == ["NAME"] and inside[1:2] != [] and inside[1] in ("=", ",", "}", ":"))


def closes_type(tokens: list[Token]) -> bool:
    """Whether the ``>`` at the end of ``tokens`` closes a type (``index<K>``) rather than compares."""
    depth = 0
    for token in reversed(tokens):
        if token.type == ">":
            depth += 1
        elif token.type == "<":
            depth -= 1
            if depth == 0:
                return True
        elif token.type in _NOT_IN_TYPE:
            return False
    return False
