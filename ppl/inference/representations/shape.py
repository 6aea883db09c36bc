"""The types of representations, as they are checked when transformations are composed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """``Sequential[Population]`` is ``Shape("Sequential", Shape("Population"))``. A name that is a single capital
    letter is a variable that stands for any shape."""

    name: str
    inner: Shape | None = None

    @property
    def is_variable(self) -> bool:
        return len(self.name) == 1

    def __str__(self) -> str:
        return self.name + (f"[{self.inner}]" if self.inner else "")


SAMPLED = Shape("Sampled")
WEIGHTED = Shape("Weighted")
POPULATION = Shape("Population")
TRACED = Shape("Traced")
ENUMERATED = Shape("Enumerated")
ANY = Shape("M")


def sequential(inner: Shape) -> Shape:
    return Shape("Sequential", inner)


def population(inner: Shape) -> Shape:
    return Shape("Population", inner)


Bindings = dict[str, Shape]


def match(pattern: Shape, actual: Shape, bound: Bindings) -> Bindings | None:
    """The bindings of the pattern's variables under which it equals ``actual``; None if there are none.

    ``Population`` without an inner shape accepts a population of anything."""
    if pattern.is_variable:
        if pattern.name in bound:
            return bound if bound[pattern.name] == actual else None
        return {**bound, pattern.name: actual}
    if actual.is_variable:
        return bound
    if pattern.name != actual.name:
        return None
    if pattern.inner is None or actual.inner is None:
        return bound
    return match(pattern.inner, actual.inner, bound)


def substitute(pattern: Shape, bound: Bindings) -> Shape:
    if pattern.is_variable:
        return bound.get(pattern.name, pattern)
    return Shape(pattern.name, None if pattern.inner is None else substitute(pattern.inner, bound))
