"""Colour on a terminal, by plain escape sequences."""

from __future__ import annotations

_CODES = {
    "error": "1;31",
    "warning": "1;33",
    "gutter": "34",
    "bold": "1",
    "secondary": "34",
    "help": "36",
    "add": "32",
    "remove": "31",
}


def paint(text: str, style: str, color: bool) -> str:
    """``text`` in a style, or as it is."""
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if color and text else text
