"""hoist(τ) applies τ inside a suspended computation; repeat(τ) iterates. Both keep τ's claim."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import jax
import jax.numpy as jnp

from ppl.core.control import each, iterate
from ppl.core.errors import CompositionError
from ppl.core.random import Source, split
from ppl.inference.claims import Claim
from ppl.inference.representations import Particles, Representation, Segment, Sequential, Suspended, Traced
from ppl.inference.representations.shape import TRACED, Shape, population, sequential
from ppl.inference.transformations.base import Transformation


@dataclass(frozen=True, eq=False)
class Hoist(Transformation):
    """⟦hoist(τ) r⟧ = the measure of r with τ applied to the representation in which its states are kept. If τ preserves
    meaning so does hoist(τ): finishing is linear in the measure of the states (POPL 2018, lemma on hoistS)."""

    inner: Transformation

    @property
    def name(self) -> str:
        return f"hoist({self.inner.name})"

    @property
    def source(self) -> Shape:
        return sequential(self.inner.source)

    @property
    def target(self) -> Shape:
        return sequential(self.inner.target)

    @property
    def claim(self) -> Claim:
        return self.inner.claim

    def __call__(self, representation: Representation) -> Representation:
        if isinstance(representation, Sequential):  # nothing has been drawn yet: transform the program itself
            Transformation.__call__(self, representation)
            return replace(representation, start=self.inner(representation.start))
        return Transformation.__call__(self, representation)

    def act(self, key: Source, realised: Suspended, program: Representation) -> tuple[Suspended, Any]:
        current, report = self.inner.act(key, realised.current, inside(program, realised.step))
        return realised._replace(current=current), report


def inside(program: Representation, step: Any) -> Representation:
    """The measure of the suspended states at ``step``, as transformations inside see it: for a program whose densities
    are known along the path, the representation with γ at that step."""
    start = cast(Sequential, program).start
    density = getattr(program, "log_density", None)
    if density is None:
        return start
    return Traced(lambda trace: density(trace, step), start=start.run)


def hoist(inner: Transformation) -> Transformation:
    return Hoist(inner)


@dataclass(frozen=True, eq=False)
class HoistTrace(Transformation):
    """A kernel on traces applied to every particle by itself: leaves each particle's target invariant, so the
    population stays properly weighted for the same measure (weights do not change)."""

    inner: Transformation
    source = population(TRACED)
    target = population(TRACED)

    @property
    def name(self) -> str:
        return f"hoist_trace({self.inner.name})"

    @property
    def claim(self) -> Claim:
        # Invariance particle by particle is what proper weighting needs of a move.
        return Claim.PROPERLY_WEIGHTED if self.inner.claim >= Claim.INVARIANT else self.inner.claim

    def act(self, key: Source, realised: Particles, program: Representation) -> tuple[Particles, Any]:
        moved, report = each(key, realised.size, lambda k, v: self.inner.act(k, v, program), realised.values)
        return Particles(moved, realised.log_weights, realised.log_normaliser), report


def hoist_trace(inner: Transformation) -> Transformation:
    return HoistTrace(inner)


@dataclass(frozen=True, eq=False)
class Repeat(Transformation):
    """τ, ``times`` times (None: once for every observation that a suspended computation has). One ``lax.scan``;
    the reports come stacked with a leading axis."""

    inner: Transformation
    times: int | None

    @property
    def name(self) -> str:
        return f"repeat({self.inner.name})"

    @property
    def source(self) -> Shape:
        return self.inner.source

    @property
    def target(self) -> Shape:
        return self.inner.target

    @property
    def claim(self) -> Claim:
        return self.inner.claim

    def act(self, key: Source, realised: Any, program: Representation) -> tuple[Any, Any]:
        times = self.times if self.times is not None else getattr(program, "length", None)
        if times is None:
            raise CompositionError(f"`{self.name}` needs a number of times: this is no suspended computation")

        def body(k: Source, r: Any) -> tuple[Any, Any]:
            return self.inner.act(k, r, program)

        segments = getattr(program, "segments", None)
        if self.times is None and segments is not None and self.inner.advances(times) == 1:
            return by_segments(key, segments, body, realised)
        return iterate(key, times, body, realised)

    def advances(self, length: int) -> int:
        return self.inner.advances(length) * (self.times if self.times is not None else length)


def by_segments(key: Source, segments: tuple[int, ...], body: Any, whole: Suspended) -> tuple[Suspended, Any]:
    """``iterate`` over all steps from the first, one loop for each segment."""
    reports = []
    for k, (source, n) in enumerate(zip(split(key, len(segments)), segments, strict=True)):

        def within(key: Source, realised: Suspended, segment: Segment = Segment(k)) -> tuple[Suspended, Any]:
            result, report = body(key, realised._replace(segment=segment))
            return result._replace(segment=None), report

        whole, report = iterate(source, n, within, whole)
        reports.append(report)
    return whole, jax.tree.map(lambda *rows: jnp.concatenate(rows), *reports)


def repeat(inner: Transformation, times: int | None = None) -> Transformation:
    return Repeat(inner, times)
