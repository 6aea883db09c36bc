"""The name that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def suggest(name: str, candidates: Iterable[str]) -> str | None:
    """The nearest of ``candidates``; another case or other underscores count as near."""
    by_form: dict[str, str] = {}
    for c in candidates:
        by_form.setdefault(_form(c), c)
    close = difflib.get_close_matches(_form(name), by_form, 1)
    return by_form[close[0]] if close else None


def _form(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(".", "")
