"""Where the elements of each random variable are drawn: from whole arrays to the loops that draw them, and back.

A ``Spot`` is one ``Draw`` statement. Its *grid* is the array with an axis for each loop around the draw, outermost
first, then the event. ``spread`` cuts the grid of a spot out of the site's whole array, ``join`` puts the grids of a
site's spots together. Positions are known when the program is compiled: contiguous boxes are slices, all else an
index with constants, so a plate's body never gathers at a traced index.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from ppl.compiler.emit.errors import CompilerDefect
from ppl.compiler.ir.nodes import (
    Block,
    Case,
    Draw,
    For,
    ForwardSum,
    If,
    Match,
    Model,
    Plate,
    Scan,
    SiteInfo,
    Stmt,
    SumOut,
)
from ppl.compiler.ir.types import shape as type_shape


@dataclass(frozen=True, eq=False)
class Spot:
    """``index``: for each axis of the site that the draw's subscripts address, a static array over the grid of loops.
    ``box``: the same as a slice an axis, where the grid is a box in the order of the axes."""

    var: str
    site: str
    draw: Draw
    loops: tuple[int, ...]  # lengths
    index: tuple[np.ndarray, ...]
    box: tuple[slice, ...] | None


@dataclass(frozen=True, eq=False)
class Layout:
    """The spots of each site, in the order of the text, and the lengths of the axes that they address."""

    spots: dict[str, tuple[Spot, ...]]
    shapes: dict[str, tuple[int, ...]]  # site -> whole shape
    addressed: dict[str, int]  # site -> how many leading axes the subscripts address

    def spread(self, spot: Spot, whole: Any) -> Any:
        """The grid of ``spot`` in the whole array of its site."""
        if not spot.index:
            return whole
        if spot.box is None:
            return whole[spot.index]
        covered = all(b.start == 0 and b.stop == n for b, n in zip(spot.box, np.shape(whole), strict=False))
        part, grid = whole if covered else whole[spot.box], spot.loops + np.shape(whole)[len(spot.index) :]
        return part if np.shape(part) == grid else jnp.reshape(part, grid)  # `x[0]` of an x of length one is a number

    def join(self, site: str, records: dict[str, Any]) -> Any:
        """The whole array from ``records``, spot var -> ``Recorded``; None where nothing was recorded."""
        found = [(s, records[s.var]) for s in self.spots[site] if s.var in records]
        if not found:
            return None
        axes = self.addressed[site]
        spot, record = found[0]
        if axes == 0 and len(found) == 1 and record.present is None:
            return record.value
        event = np.shape(record.value)[len(spot.loops) :]
        lengths = self.shapes[site][:axes]
        pieces = [(s.box, r.value) for s, r in found if s.box is not None and r.present is None]
        if len(pieces) == len(found):
            whole = assemble(lengths, event, pieces)
            if whole is not None:
                return whole
        whole = jnp.zeros(lengths + event, jnp.result_type(*(r.value for _, r in found)))
        for s, r in found:
            value = r.value
            if r.present is not None:
                present = jnp.reshape(r.present, np.shape(r.present) + (1,) * len(event))
                value = jnp.where(present, value, whole[s.index] if s.index else whole)
            whole = whole.at[s.index].set(value) if s.index else jnp.asarray(value)
        return whole


def assemble(lengths: tuple[int, ...], event: tuple[int, ...], pieces: list[tuple[tuple[slice, ...], Any]]) -> Any:
    """The array of shape ``lengths + event`` from boxes that cover it; one piece, or pieces side by side along the
    first axis, without a copy of zeros. None where the boxes are arranged in another way."""
    blocks = [jnp.reshape(v, tuple(b.stop - b.start for b in box) + event) for box, v in pieces]
    if not lengths:
        return blocks[0] if len(blocks) == 1 else None
    order = sorted((i for i in range(len(pieces)) if blocks[i].shape[0]), key=lambda i: pieces[i][0][0].start)
    at = 0
    for i in order:
        box = pieces[i][0]
        if box[0].start != at or any(b.start != 0 or b.stop != n for b, n in zip(box[1:], lengths[1:], strict=True)):
            return None
        at = box[0].stop
    if at != lengths[0]:
        return None
    if not order:
        return blocks[0]
    return blocks[order[0]] if len(order) == 1 else jnp.concatenate([blocks[i] for i in order])


def layout(model: Model, sizes: dict[str, int]) -> Layout:
    """Finds every draw of a model; CompilerDefect where a site has no declaration."""
    infos = {s.name: s for s in model.sites}
    spots: dict[str, list[Spot]] = {s.name: [] for s in model.sites}
    for draw, loops in _draws(model.body, ()):
        if draw.site not in infos:
            raise CompilerDefect(f"the draw at {draw.site!r} has no site")
        spots[draw.site].append(_spot(draw, loops, sizes))
    shapes = {s.name: tuple(n.evaluate(sizes) for n in type_shape(s.type)) for s in model.sites}
    addressed = {name: (len(found[0].index) if found else 0) for name, found in spots.items()}
    return Layout({name: tuple(found) for name, found in spots.items()}, shapes, addressed)


Loop = Plate | Scan | For | ForwardSum


def _draws(node: Block | Stmt | Case, loops: tuple[Loop, ...]):
    match node:
        case Draw():
            yield node, loops
        case Block(statements=statements):
            for s in statements:
                yield from _draws(s, loops)
        case ForwardSum():
            yield from _draws(node.start, loops)
            yield from _draws(node.body, (*loops, node))
        case Plate() | Scan() | For():
            yield from _draws(node.body, (*loops, node))
        case If():
            yield from _draws(node.then, loops)
            yield from _draws(node.otherwise, loops)
        case Match():
            for case in node.cases:
                yield from _draws(case.body, loops)
        case SumOut():
            yield from _draws(node.body, loops)


def _spot(draw: Draw, loops: tuple[Loop, ...], sizes: dict[str, int]) -> Spot:
    ranges = [(loop.lower.evaluate(sizes), loop.upper.evaluate(sizes)) for loop in loops]
    lengths = tuple(max(hi - lo, 0) for lo, hi in ranges)
    env: dict[str, Any] = dict(sizes)
    for k, (loop, (lo, _), n) in enumerate(zip(loops, ranges, lengths, strict=True)):
        env[loop.index.id] = np.arange(lo, lo + n).reshape((n,) + (1,) * (len(loops) - k - 1))
    index = tuple(np.broadcast_to(np.asarray(a.evaluate(env)), lengths) for a in draw.affine)
    return Spot(draw.var.id, draw.site, draw, lengths, index, _box(draw, loops, ranges, env, sizes))


def _box(
    draw: Draw, loops: tuple[Loop, ...], ranges: list, env: dict, sizes: dict[str, int]
) -> tuple[slice, ...] | None:
    """A slice an axis, where each subscript is a constant or one loop's index plus a constant, and the loops occur
    once each and in their order."""
    box, at = [], 0
    for a in draw.affine:
        inside = [k for k, loop in enumerate(loops) if loop.index.id in a.variables]
        if not inside:
            n = int(a.evaluate(sizes))
            box.append(slice(n, n + 1))
            continue
        k = inside[0]
        lo, hi = ranges[k]
        here = {**sizes, **{loop.index.id: 0 for loop in loops}}
        name = loops[k].index.id
        offset, step = a.evaluate(here), a.evaluate({**here, name: 1}) - a.evaluate(here)
        linear = step == 1 and a.evaluate({**here, name: 2}) - offset == 2
        if len(inside) > 1 or k != at or not linear:
            return None
        box.append(slice(lo + offset, max(lo, hi) + offset))
        at += 1
    return tuple(box) if at == len(loops) else None


def site_info(model: Model, name: str) -> SiteInfo:
    return next(s for s in model.sites if s.name == name)
