"""Tilings against a count of every index: symbolic proofs agree with what happens for small sizes."""

from __future__ import annotations

import itertools
import random

from ppl.compiler.check.tiling import disjoint, meet, tile
from ppl.compiler.ir.sizes import Size

N, K = Size.var("N"), Size.var("K")
ENDS = [Size(), Size.const(1), Size.const(2), K, N]


def numeric(box, env):
    return [range(lo.evaluate(env), hi.evaluate(env)) for lo, hi in box]


def count(boxes, env):
    seen: dict = {}
    for box in boxes:
        for cell in itertools.product(*numeric(box, env)):
            seen[cell] = seen.get(cell, 0) + 1
    return seen


def sound(boxes) -> bool:
    """The claim of a tiling, for all sizes from 2 on that keep the ranges and equalities in order."""
    t = tile(boxes)
    if t.extents is None:
        return False
    for n, k in itertools.product(range(2, 6), repeat=2):
        env = {"N": n, "K": k}
        if any(lo.evaluate(env) > hi.evaluate(env) for box in boxes for lo, hi in box):
            continue
        if any(a.evaluate(env) != b.evaluate(env) for a, b in t.equalities):
            continue
        whole = set(itertools.product(*(range(e.evaluate(env)) for e in t.extents)))
        cells = count(boxes, env)
        assert set(cells) == whole and set(cells.values()) <= {1}, (boxes, env)
    return True


def test_random_boxes():
    rng = random.Random(5)
    proved = 0
    for _ in range(4000):
        rank = rng.choice([1, 1, 2])
        boxes = []
        for _ in range(rng.randint(1, 4)):
            box = []
            for _ in range(rank):
                a, b = sorted(rng.sample(range(len(ENDS)), 2))
                box.append((ENDS[a], ENDS[b]))
            boxes.append(tuple(box))
        proved += sound(boxes)
    assert proved > 100


def test_the_usual_covers():
    one, two = Size.const(1), Size.const(2)
    assert sound([((Size(), one),), ((one, N),)])
    assert sound([((Size(), one),), ((one, two),), ((two, N),)])
    assert sound([((Size(), one),), ((one, K),), ((K, N),)])
    rows = [((Size(), one), (Size(), K)), ((one, N), (Size(), one)), ((one, N), (one, K))]
    assert sound(rows)
    assert tile([((Size(), one),), ((two, N),)]).gap == (0, one, two)
    assert (
        tile([((Size(), two),), ((one, N),)]).overlap is not None
        or tile([((Size(), two),), ((one, N),)]).extents is None
    )


def test_disjoint_and_meet_are_proofs():
    rng = random.Random(9)
    for _ in range(2000):
        a, b = (tuple(sorted(rng.sample(range(len(ENDS)), 2))) for _ in range(2))
        x, y = ((ENDS[a[0]], ENDS[a[1]]),), ((ENDS[b[0]], ENDS[b[1]]),)
        for n, k in itertools.product(range(2, 6), repeat=2):
            env = {"N": n, "K": k}
            r, s = numeric(x, env)[0], numeric(y, env)[0]
            shared = set(r) & set(s)
            if disjoint(x, y):
                assert not shared
            if meet(x, y) and len(r) and len(s):
                assert shared
