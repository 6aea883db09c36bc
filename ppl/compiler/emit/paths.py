"""Draws of a step that was run on one path, given to a particle that may take another.

What a particle draws is a set of elements of random variables with their values, and which elements those are depends
on its path. Between two states, the density of drawing a record is that of a measure on the union of such sets: zero
where the state's path draws other elements than the record holds."""

from __future__ import annotations

from functools import reduce
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool

from ppl.compiler.emit.frame import Given, Recorded
from ppl.compiler.emit.layout import Layout, Spot

Record = dict[str, Recorded]
Group = tuple[str, ...]  # draws, in several arms, of the same elements


def groups(layout: Layout, record: Record) -> list[Group]:
    """The draws of a record that only some paths make, those of the same elements together."""
    found: list[list[Spot]] = []
    for spots in layout.spots.values():
        own: list[list[Spot]] = []
        for spot in spots:
            if spot.var not in record or record[spot.var].present is None:
                continue
            group = next((g for g in own if _same_elements(g[0], spot)), None)
            if group is None:
                own.append([spot])
            else:
                group.append(spot)
        found += own
    return [tuple(s.var for s in group) for group in found]


def _same_elements(a: Spot, b: Spot) -> bool:
    return a.loops == b.loops and all(np.array_equal(x, y) for x, y in zip(a.index, b.index, strict=True))


def as_given(layout: Layout, record: Record) -> dict[str, Given]:
    """Each element has the value that the path of the record drew, in whatever arm another path draws it."""
    given = {name: Given(r.value) for name, r in record.items()}
    for group in groups(layout, record):
        value = reduce(lambda v, name: _where(record[name], v), group[1:], record[group[0]].value)
        given |= {name: Given(jnp.asarray(value, jnp.result_type(record[name].value))) for name in group}
    return given


def _where(record: Recorded, otherwise: Any) -> Any:
    extra = np.ndim(record.value) - np.ndim(record.present)
    return jnp.where(jnp.reshape(record.present, np.shape(record.present) + (1,) * extra), record.value, otherwise)


def same_draws(layout: Layout, record: Record, other: Record) -> Bool[Array, ""]:
    """Whether both drew the same elements."""
    agree = [jnp.asarray(True)]
    for group in groups(layout, record):
        one, two = (reduce(jnp.logical_or, [r[name].present for name in group]) for r in (record, other))
        agree.append(jnp.all(one == two))
    return jnp.all(jnp.stack(agree))
