"""Tokens."""

from __future__ import annotations

from typing import NamedTuple


class Token(NamedTuple):
    """A piece of text ``start..end``. ``type`` is the text itself for keywords and punctuation, otherwise the name of
    the terminal: ``NAME INT FLOAT STRING ADD_OP MUL_OP POW_OP CMP_OP``, ``NL`` for the end of a statement, ``END``."""

    type: str
    text: str
    start: int
    end: int
