"""Transformations between representations, and how they compose.

``(g @ f)(r)`` is g(f(r)), as in the paper. The shapes are checked when the composition is built, before anything runs,
and the composite's claim is the meet of the parts' claims.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from ppl.core.errors import CompositionError
from ppl.core.random import Source, split
from ppl.inference.claims import Claim, meet
from ppl.inference.representations.base import Representation
from ppl.inference.representations.shape import ANY, Shape, match, substitute


class Transformation(ABC):
    """Abstract. A function from representations of shape ``source`` to such of shape ``target`` with a ``claim``.

    Most act on realisations one by one, and then ``act`` is all there is to them: a Markov kernel that may look at the
    program that was realised (its density, or how to extend a suspended value)."""

    @property
    @abstractmethod
    def name(self) -> str: ...

    @property
    @abstractmethod
    def source(self) -> Shape: ...

    @property
    @abstractmethod
    def target(self) -> Shape: ...

    @property
    @abstractmethod
    def claim(self) -> Claim: ...

    @abstractmethod
    def act(self, key: Source, realised: Any, program: Representation) -> tuple[Any, Any]:
        """A realisation of the result, and a report (a dict of arrays)."""

    def __call__(self, representation: Representation) -> Representation:
        bound = match(self.source, representation.shape, {})
        if bound is None:
            raise needs(self, representation.shape)
        return Applied(self, representation, substitute(self.target, bound))

    def __matmul__(self, first: Transformation) -> Transformation:
        return compose(first, self)

    def advances(self, length: int) -> int:
        """How many observations of a suspended computation of ``length`` this passes."""
        return 0


class Applied(Representation):
    """τ(r): realised by realising r and letting τ act on it."""

    transformation: Transformation
    inner: Representation
    result_shape: Shape

    @property
    def shape(self) -> Shape:
        return self.result_shape

    @property
    def claim(self) -> Claim:
        """What holds between the measure at the start of the chain and this one."""
        inner = self.inner.claim if isinstance(self.inner, Applied) else Claim.EXACT
        return meet([inner, self.transformation.claim])

    def run(self, key: Source) -> tuple[Any, Any]:
        first, second = split(key)
        realised, before = self.inner.run(first)
        result, report = self.transformation.act(second, realised, root(self.inner))
        return result, {**before, **report}


def root(representation: Representation) -> Representation:
    """The program at the start of a chain of transformations: it knows how to extend and to weigh values."""
    while isinstance(representation, Applied):
        representation = representation.inner
    return representation


def advanced(representation: Representation) -> int:
    """How many observations have been passed."""
    count = 0
    while isinstance(representation, Applied):
        count += representation.transformation.advances(getattr(root(representation), "length", 0))
        representation = representation.inner
    return count


@dataclass(frozen=True, eq=False)
class Composite(Transformation):
    """First ``parts[0]``, last ``parts[-1]``."""

    parts: tuple[Transformation, ...]
    shapes: tuple[Shape, Shape]

    @property
    def source(self) -> Shape:
        return self.shapes[0]

    @property
    def target(self) -> Shape:
        return self.shapes[1]

    @property
    def name(self) -> str:
        return " ∘ ".join(p.name for p in reversed(self.parts)) or "identity"

    @property
    def claim(self) -> Claim:
        return meet(p.claim for p in self.parts)

    def __call__(self, representation: Representation) -> Representation:
        for part in self.parts:
            representation = part(representation)
        return representation

    def act(self, key: Source, realised: Any, program: Representation) -> tuple[Any, Any]:
        report: dict[str, Any] = {}
        for k, part in zip(split(key, len(self.parts)), self.parts, strict=True):
            realised, more = part.act(k, realised, program)
            report |= more
        return realised, report

    def advances(self, length: int) -> int:
        return sum(p.advances(length) for p in self.parts)


def compose(*transformations: Transformation) -> Transformation:
    """In the order in which they are applied. Raises ``CompositionError`` where a shape does not fit."""
    parts: list[Transformation] = []
    for t in transformations:
        parts += t.parts if isinstance(t, Composite) else [t]
    if not parts:
        return identity
    current = parts[0].target
    for previous, part in zip(parts, parts[1:], strict=False):
        bound = match(part.source, current, {})
        if bound is None:
            raise needs(part, current, previous)
        current = substitute(part.target, bound)
    return Composite(tuple(parts), (parts[0].source, current))


identity = Composite((), (ANY, ANY))

# Which transformation makes which representation, for the error message.
_MAKES = {
    "Population": "`spawn(n)` makes one from a Weighted",
    "Weighted": "`collapse` makes one from a Population, `weigh` from a Sampled",
    "Sequential": "`suspend(target)` makes one, and `finish` must not come before",
    "Sampled": "`normalise` makes one from a Population",
    "Traced": "`trace` makes one from a Weighted",
}


def needs(part: Transformation, found: Shape, previous: Transformation | None = None) -> CompositionError:
    lifted = ""
    if found.name == "Sequential" and part.source.name == getattr(found.inner, "name", None):
        lifted = f"; `hoist({part.name})` applies it inside"
    behind = f" behind `{previous.name}`" if previous is not None else ""
    return CompositionError(
        f"`{part.name}` cannot stand{behind}: it needs {part.source}, and there it would get {found}",
        helps=(f"{part.source}: {_MAKES.get(part.source.name, 'see ppl.inference.transformations')}{lifted}",),
    )
