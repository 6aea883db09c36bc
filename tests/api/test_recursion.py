"""What a user is told where a recursion has no value, and data of recursive types."""

import numpy as np
import pytest

import ppl
from ppl.core.errors import NumericalError

DOWN = """fn down(n: int) -> int {
  return if n == 0 then 0 else 1 + down(n - 1)
}
model m(n: int) {
  a ~ Normal(0, 1)
  data y ~ Normal(a + down(n), 1)
  output d = down(n)
}
"""
TREE = """type Tree = | Leaf(real) | Node(Tree, Tree)
fn total(t: Tree) -> real {
  return match t with {
    Leaf(x) => x
    Node(l, r) => total(l) + total(r)
  }
}
model m(t: Tree) {
  a ~ Normal(total(t), 1)
}
"""


def test_a_recursion_that_is_too_deep_is_named():
    with pytest.raises(NumericalError) as error:
        ppl.infer(ppl.parse(DOWN).m(n=1001).given(y=3.0), "importance(10)")
    assert any("`down` applies itself" in n and "1000" in n for n in error.value.notes)
    result = ppl.prior(ppl.parse(DOWN).m(n=1001), 10)
    assert any("`d` has no value in 100.0%" in n for n in result.notes)
    assert any("could not be computed" in w for w in result.posterior.warnings)
    result = ppl.prior(ppl.parse(DOWN).m(n=1000), 10)
    assert not result.notes and not result.posterior.warnings and np.all(result.posterior.outputs["d"] == 1000)


def test_a_tree_given_as_data():
    leaf = lambda x: {"tag": "Leaf", "args": [x]}  # noqa: E731
    tree = {"tag": "Node", "args": [leaf(1.0), {"tag": "Node", "args": [leaf(20.0), leaf(300)]}]}
    draws = ppl.prior(ppl.parse(TREE).m(t=tree), 100, seed=1).posterior.draws["a"]
    assert abs(draws.mean() - 321) < 5 / 10  # five standard errors: false alarms below 1e-6
