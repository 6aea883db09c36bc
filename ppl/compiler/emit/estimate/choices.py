"""What an expectation knows of its choices when its cost is complete, and how each is taken out of the cost.

Choices are taken in the reverse of the program's order (backward induction), each from the parts that depend on it
alone: the work is linear in their number, and nothing of the program is evaluated twice. Sampled choices between
enumerated ones are taken out together (``runs``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from ppl.compiler.emit.estimate.axes import Axis, Choice, Labelled, aligned, index_along, merged, union
from ppl.compiler.emit.estimate.terms import added, summed

Parts = list[Labelled]
Kept = frozenset[Axis]


class Made(Protocol):
    """A choice that was made, with what its elimination needs. ``exact``: nothing random is left when it is out."""

    @property
    def exact(self) -> bool: ...


class Eliminated(Made, Protocol):
    """A choice that is taken out by itself."""

    def eliminate(self, parts: Parts, kept: Kept) -> Parts:
        """The parts without the choice: their value is unbiased for the conditional expectation, and so is their
        derivative. ``kept``: the plates around the expectation."""


def grouped(parts: Parts) -> Parts:
    """Parts that depend on the same things are added up, so that each step works on few."""
    groups: dict[Any, Parts] = {}
    for p in parts:
        groups.setdefault((p.axes, frozenset(p.deps.items())), []).append(p)
    return [added(g) for g in groups.values()]


def by_axes(parts: Parts) -> Parts:
    groups: dict[Any, Parts] = {}
    for p in parts:
        groups.setdefault(p.axes, []).append(p)
    return [added(g) for g in groups.values()]


def shed(part: Labelled, needed: set[Axis]) -> Labelled:
    """Summed over the plates that nothing needs any more: none of ``needed``, no axis with alternatives in each of
    its iterations, no sampled choice in them."""
    for plate in [a for a in part.axes if a.is_plate and a not in needed]:
        local = any(plate in a.plates for a in part.axes)
        owed = any(plate in c.plates and plate not in lost for c, lost in part.deps.items())
        if not local and not owed:
            part = summed(part, plate)
    return part


def at_first(x: Labelled, axes: set[Axis]) -> Labelled:
    """The value at the first element of each of the axes that it has."""
    for axis in [a for a in x.axes if a in axes]:
        value = jnp.take(x.value, 0, index_along(x, axis))
        x = replace(x, value=value, axes=tuple(a for a in x.axes if a is not axis))
    return x


@dataclass(frozen=True, eq=False)
class Followed:
    """A draw that the derivative follows: nothing is to be done."""

    exact: bool = False


@dataclass(frozen=True, eq=False)
class Enumerated:
    """A choice whose value is its whole support, along ``axis``: Σ_k q_k f_k."""

    axis: Axis
    log_weights: Labelled
    exact: bool = True

    def eliminate(self, parts: Parts, kept: Kept) -> Parts:
        here = [p for p in parts if self.axis in p.axes]
        others = [p for p in parts if self.axis not in p.axes]
        needed = set(self.log_weights.axes) | kept
        return others + [self._contracted(p) for p in by_axes([shed(p, needed) for p in here])]

    def _contracted(self, part: Labelled) -> Labelled:
        weights = self.log_weights
        axes = union((part.axes, weights.axes))
        q = jnp.exp(aligned(weights.value, weights.axes, axes))
        f = aligned(part.value, part.axes, axes)
        # 0 · ∞ is 0 here: a value that is never drawn has no cost
        value = jnp.sum(q * jnp.where(q > 0, f, 0.0), axis=axes.index(self.axis) - len(axes))
        return Labelled(value, tuple(a for a in axes if a is not self.axis), merged((part.deps, weights.deps)))


@dataclass(frozen=True, eq=False)
class Perturbed:
    """A choice by measure-valued derivatives. Along ``axis`` stand a draw, from 0, and pairs of alternatives; the
    weight of an alternative is c (θ − stop(θ)): zero, with the derivative c. The derivative of a product is a sum, so
    all such choices of the same plates share one axis: each extends it by its alternatives, [start, stop)."""

    axis: Axis
    start: int
    stop: int
    weights: Labelled  # along its own leading dimension, at the draws of other choices of the axis
    exact: bool = False

    def eliminate(self, parts: Parts, kept: Kept) -> Parts:
        here = [p for p in parts if self.axis in p.axes]
        others = [p for p in parts if self.axis not in p.axes]
        needed = set(self.weights.axes) | kept
        return others + [self._contracted(p) for p in grouped([shed(p, needed) for p in here])]

    def _contracted(self, part: Labelled) -> Labelled:
        rest = union((tuple(a for a in part.axes if a is not self.axis), self.weights.axes))
        axes = union((rest, (self.axis,)))
        place = axes.index(self.axis) - len(axes)
        f = jnp.moveaxis(aligned(part.value, part.axes, axes), place, 0)
        w = aligned(self.weights.value, self.weights.axes, rest)
        drawn = f[0] + jnp.sum(w * f[self.start : self.stop], axis=0)
        deps = merged((part.deps, self.weights.deps))
        if self.start == 1:
            return Labelled(drawn, rest, deps)
        value = jnp.concatenate([drawn[None], jnp.broadcast_to(f[1:], (f.shape[0] - 1, *drawn.shape))])
        return Labelled(jnp.moveaxis(value, 0, place), axes, deps)


@dataclass(frozen=True, eq=False)
class Scored:
    """A sampled choice: stop(f − b) · (log q − stop(log q)) is added, zero in value, with the score function's
    derivative. ``leave_one_out``: a plate of replicates, the mean of whose others is the baseline where none is given.
    ``learn``: the baseline is fitted to the cost (``baselines``)."""

    choice: Choice
    log_density: Labelled
    baseline: Labelled | None = None
    leave_one_out: Axis | None = None
    learn: bool = False
    exact: bool = False

    def charged(self, part: Labelled, kept: Kept) -> Labelled:
        """What each element of the choice is charged with of a part: its own iteration's, or all where they mix."""
        mine, lost = set(self.choice.plates), part.deps[self.choice]
        for plate in [a for a in part.axes if a.is_plate and a in lost and a not in kept]:
            part = summed(part, plate)
        if self.choice.time in part.axes:
            at = index_along(part, self.choice.time) + jnp.ndim(part.value)
            part = replace(part, value=jax.lax.cumsum(part.value, at, reverse=True))
        part = shed(replace(part, deps={}), mine | kept)
        return replace(part, value=jax.lax.stop_gradient(part.value))

    def scores(self, costs: Parts) -> Parts:
        """What is added for a choice with these costs downstream."""
        if not costs:
            return []
        if self.baseline is None:
            return [self._score(self._centred(cost)) for cost in costs]
        less = by_axes([*costs, replace(self.baseline, value=-self.baseline.value)])
        return [self._score(cost) for cost in less] + ([self._loss(costs)] if self.learn else [])

    def at_draws(self, axes: set[Axis]) -> Scored:
        """The same at what was drawn, of the alternatives along ``axes``."""
        fixed = self.baseline if self.baseline is None else at_first(self.baseline, axes)
        return replace(self, log_density=at_first(self.log_density, axes), baseline=fixed)

    def _centred(self, cost: Labelled) -> Labelled:
        """Minus the mean of the other replicates, which does not depend on this one."""
        axis = self.leave_one_out
        if axis is None or axis not in cost.axes or axis.size < 2:
            return cost
        all_of_them = jnp.sum(cost.value, index_along(cost, axis), keepdims=True)
        return replace(cost, value=cost.value - (all_of_them - cost.value) / (axis.size - 1))

    def _loss(self, costs: Parts) -> Labelled:
        """−½ (stop(f) − b)², less its value."""
        assert self.baseline is not None
        cost = added(costs)
        axes = union((cost.axes, self.baseline.axes))
        f = jax.lax.stop_gradient(aligned(cost.value, cost.axes, axes))
        loss = -0.5 * (f - aligned(self.baseline.value, self.baseline.axes, axes)) ** 2
        return Labelled(loss - jax.lax.stop_gradient(loss), axes)

    def _score(self, cost: Labelled) -> Labelled:
        axes = union((cost.axes, self.log_density.axes))
        log_q = aligned(self.log_density.value, self.log_density.axes, axes)
        f = jax.lax.stop_gradient(aligned(cost.value, cost.axes, axes))
        return Labelled(f * (log_q - jax.lax.stop_gradient(log_q)), axes)
