"""What ``ppl explain CODE`` prints."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """The meaning of one diagnostic code.

    ``wrong`` is a whole program that gives the code, ``right`` the same program put right, which gives no error;
    the tests run both. Codes that no program text alone can give (data, command line, numerical trouble) leave
    ``wrong`` and ``right`` empty.
    """

    code: str
    title: str
    text: str
    wrong: str = ""
    right: str = ""
