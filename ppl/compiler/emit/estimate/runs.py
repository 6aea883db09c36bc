"""The choices of an expectation taken out of its cost: enumerated ones one by one, the sampled between them together.

A term of a sampled choice has the value zero (its derivative is what counts), so the terms of one are no cost of
another, and their order does not matter. So a run of n such choices needs one pass: a single weighted sum over the
alternatives of the measure-valued ones, and for the costs of the score-function ones one table *choice × part* of what
is downstream of what. The program stays linear in n, and so does the time that XLA takes, which long chains of scalar
sums would make quadratic.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ppl.compiler.emit.estimate.axes import Axis, Labelled, spread, union
from ppl.compiler.emit.estimate.choices import Followed, Kept, Made, Parts, Perturbed, Scored, grouped
from ppl.compiler.emit.estimate.terms import added

Run = list[Scored | Perturbed]


def expectation(parts: Parts, made: list[Made], kept: Kept) -> Parts:
    """The parts of an expectation without its choices."""
    mine = {m.choice for m in made if isinstance(m, Scored)}
    parts = grouped([_without_score(p) if p.score_of in mine else p for p in parts])
    for item in reversed(list(_runs(made))):
        parts = grouped(_sampled(item, parts, kept) if isinstance(item, list) else item.eliminate(parts, kept))
    return parts


def _without_score(part: Labelled) -> Labelled:
    """The mean of a choice's own score is zero: without it, the variance is smaller."""
    return replace(part, value=jax.lax.stop_gradient(part.value), score_of=None)


def _runs(made: list[Made]) -> Iterator[Any]:
    """Enumerated choices, and lists of the sampled ones between them."""
    run: Run = []
    for choice in made:
        if isinstance(choice, (Scored, Perturbed)):
            run.append(choice)
        elif not isinstance(choice, Followed):
            if run:
                yield run
            yield choice
            run = []
    if run:
        yield run


def _sampled(run: Run, parts: Parts, kept: Kept) -> Parts:
    blocks: dict[Axis, list[Perturbed]] = {}
    for m in run:
        if isinstance(m, Perturbed):
            blocks.setdefault(m.axis, []).append(m)
    # what is drawn in a plate may depend on what was drawn outside of it, and not the other way round
    for _, some in sorted(blocks.items(), key=lambda item: -len(item[0].plates)):
        parts = grouped(_joined(some).eliminate(parts, kept))
    gone = {axis for axis, some in blocks.items() if some[0].start == 1}
    scored = [m.at_draws(gone) for m in run if isinstance(m, Scored)]
    mine = {s.choice for s in scored}
    scores = [p for s, costs in zip(scored, _costs(scored, parts, kept), strict=True) for p in s.scores(costs)]
    rest = [replace(p, deps={c: lost for c, lost in p.deps.items() if c not in mine}) for p in parts]
    return rest + scores


def _joined(some: list[Perturbed]) -> Perturbed:
    """Choices whose alternatives lie side by side, as one. In the first tracing, which counts them, they may overlap:
    then the last ones stand for all."""
    if len(some) == 1:
        return some[0]
    axes = union(m.weights.axes for m in some)
    deps = {c: lost for m in some for c, lost in m.weights.deps.items()}
    weights = jnp.concatenate([spread(m.weights, axes) for m in some])
    start, stop = some[0].start, some[-1].stop
    return replace(some[0], stop=stop, weights=Labelled(weights[len(weights) - (stop - start) :], axes, deps))


def _costs(scored: list[Scored], parts: Parts, kept: Kept) -> list[Parts]:
    """For each choice what it is charged with, a part for each combination of axes."""
    charged: dict[Any, Labelled] = {}
    owed: dict[tuple[Axis, ...], list[set[Any]]] = {}
    for row, s in enumerate(scored):
        for number, part in enumerate(parts):
            if s.choice in part.deps:
                key = number, frozenset(s.choice.plates), s.choice.time, part.deps[s.choice]
                if key not in charged:
                    charged[key] = s.charged(part, kept)
                owed.setdefault(charged[key].axes, [set() for _ in scored])[row].add(key)
    found: list[Parts] = [[] for _ in scored]
    for axes, keys in owed.items():
        for row, cost in _sums(keys, charged):
            found[row].append(Labelled(cost, axes))
    return found


def _sums(keys: list[set[Any]], values: dict[Any, Labelled]) -> Iterator[tuple[int, Any]]:
    """For each row with keys, the sum of their values, which have the same axes."""
    columns = [k for k in values if any(k in some for some in keys)]
    rows = [row for row, some in enumerate(keys) if some]
    table = np.array([[k in keys[row] for k in columns] for row in rows])
    if table.all():
        total = added([values[k] for k in columns]).value
        yield from ((row, total) for row in rows)
        return
    stacked = jnp.stack([values[k].value for k in columns])
    where = jnp.asarray(table.reshape(table.shape + (1,) * (stacked.ndim - 1)))
    sums = jnp.sum(jnp.where(where, stacked[None], 0.0), 1)
    yield from ((row, sums[k]) for k, row in enumerate(rows))
