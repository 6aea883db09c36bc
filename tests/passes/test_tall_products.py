"""Products with a tall data matrix are made with its transpose: the density is kept, and other products are left."""

import numpy as np
import pytest

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.walk import walk
from ppl.compiler.passes.query import Query, prepare
from ppl.compiler.pipeline import check_text
from ppl.reference import density

MODEL = """
model m[N, D](x: real[N, D]) {
  w: real[D] ~ Normal(0, 1)
  v: real[N] ~ Normal(0, 1)
  let eta = x @ w
  let twice = (2 * x) @ w
  let other = v @ x
  data y: real[N] ~ Normal(eta + twice + sum(other), 1)
}
"""


def prepared(rows, columns):
    program = check_text(MODEL).program
    plan = prepare(program, Query("m", frozenset({"y"})), {"N": rows, "D": columns})
    transposed = [n for n in walk(plan.model.body) if isinstance(n, ir.Prim) and n.name == "transpose"]
    return program, plan, transposed


def test_the_density_is_kept():
    rng = np.random.default_rng(0)
    program, plan, transposed = prepared(600, 3)
    assert len(transposed) == 2  # x, and the double of x
    assert [n.kind for n in plan.notes].count("transposed") == 2
    values = {"x": rng.normal(size=(600, 3))}, {"y": rng.normal(size=600)}
    trace = {"w": rng.normal(size=3), "v": rng.normal(size=600)}
    before = density(program, "m", *values, trace)
    assert density(plan.program, "m", *values, trace) == pytest.approx(before, rel=1e-12)


@pytest.mark.parametrize("rows, columns", [(3, 600), (60, 60), (20, 3)])
def test_wide_square_and_small_matrices_stay(rows, columns):
    assert prepared(rows, columns)[2] == []


def test_without_sizes_nothing_is_done():
    program = check_text(MODEL).program
    assert not any(n.kind == "transposed" for n in prepare(program, Query("m")).notes)
