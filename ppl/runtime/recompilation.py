"""Notices a program that is compiled again and again because the shapes of its data change."""

from __future__ import annotations

from collections.abc import Sequence

Shapes = tuple[tuple[int, ...], ...]

_MANY = 3
_seen: dict[str, list[Shapes]] = {}


def noticed(program: str, shapes: Sequence[tuple[int, ...]]) -> tuple[str, ...]:
    """To be called where ``program`` (any name of model and method) is compiled for data of these shapes. From the
    fourth set of shapes in one process on, a warning that names the sizes that change."""
    known = _seen.setdefault(program, [])
    new = tuple(tuple(s) for s in shapes)
    if new not in known:
        known.append(new)
    if len(known) <= _MANY:
        return ()
    return (
        f"this model has been compiled for {len(known)} shapes of data in one process ({_changes(known)}): "
        "pad the data to common sizes, with a size for the part that counts, and it is compiled once",
    )


def _changes(known: list[Shapes]) -> str:
    """``axis 0: 10, 11, 12, 13``: the axes whose size is not always the same."""
    said = []
    for index in range(min(map(len, known))):
        arrays = [shapes[index] for shapes in known]
        for axis in range(min(map(len, arrays))):
            sizes = list(dict.fromkeys(a[axis] for a in arrays))
            if len(sizes) > 1:
                said.append(f"array {index}, axis {axis}: {', '.join(map(str, sizes[-6:]))}")
    return "; ".join(said[:3]) or "the ranks of arrays change"


def forget() -> None:
    """Starts counting anew."""
    _seen.clear()
