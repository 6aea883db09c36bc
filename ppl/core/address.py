"""Addresses of random variables: the name of a site and the position of an element in it."""

from __future__ import annotations

import re
from typing import NamedTuple

_ADDRESS = re.compile(r"^(?P<site>[^\[\]]+?)(\[(?P<index>\s*\d+\s*(,\s*\d+\s*)*)\])?$")


class Address(NamedTuple):
    """``theta[3, 0]`` is ``Address("theta", (3, 0))``; a whole site has no index.

    Law: ``Address.parse(str(a)) == a``."""

    site: str
    index: tuple[int, ...] = ()  # type: ignore[assignment]  # hides the method of tuples

    @staticmethod
    def parse(text: str) -> Address:
        """ValueError if ``text`` is not a name with, at most, one list of indices."""
        match = _ADDRESS.match(text.strip())
        if match is None:
            raise ValueError(
                f"{text!r} is no address: write a variable's name, as in 'theta', or an element, as in 'theta[3]'"
            )
        index = match["index"]
        return Address(match["site"].strip(), tuple(int(i) for i in index.split(",")) if index else ())

    def __str__(self) -> str:
        return self.site + (f"[{', '.join(map(str, self.index))}]" if self.index else "")
