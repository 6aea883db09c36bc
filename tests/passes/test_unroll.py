"""Models that run themselves."""

import math

import numpy as np
import pytest

import ppl
from ppl.compiler.passes.schedule import run_passes

GEOMETRIC = """
model geometric(p: prob) -> int {
  again ~ Bernoulli(p)
  if again {
    rest ~ geometric(p)
    return rest + 1
  } else {
    return 1
  }
}

model main() -> int {
  n ~ geometric(0.25)
  return n
}
"""
STEPS = """
model steps(n: int) -> real {
  if n == 0 {
    return 0.0
  } else {
    e ~ Normal(0, 1)
    rest ~ steps(n - 1)
    return e + rest
  }
}

model main() {
  s ~ steps(5)
  data y ~ Normal(s, 1)
}
"""
TREE = """
model tree() -> (int, int) {
  split ~ Bernoulli(0.4)
  if split {
    left ~ tree()
    right ~ tree()
    let (n, d) = left
    let (m, e) = right
    return (n + m, 1 + max(d, e))
  } else {
    return (1, 0)
  }
}

model five() -> int {
  t ~ tree()
  let (n, d) = t
  require n == 5
  return d
}
"""


def sites(depth):
    return ["n" + ".rest" * k + ".again" for k in range(depth)]


def test_the_density_of_every_path_to_the_depth_of_the_cut():
    """p^k (1 − p) for k < 30, each variable that is not drawn being noise of probability 1/2; 0 behind that."""
    with ppl.environment():
        target = ppl.compiled(ppl.parse(GEOMETRIC).main(), interleave=False)
        names = [v.name for v in target.latents]
        assert names == sites(30)
        for again in (0, 1, 12, 29, 30):
            trace = {name: np.array(k < again) for k, name in enumerate(sites(30))}
            expected = (
                again * math.log(0.25) + math.log(0.75) + (29 - again) * math.log(0.5) if again < 30 else -math.inf
            )
            assert float(target.log_density(trace)) == pytest.approx(expected, rel=1e-12)


def test_the_cut_is_reported():
    notes = run_passes(ppl.parse(GEOMETRIC).program, "main").notes
    assert any(n.kind == "cut" and "deeper than 30 applications" in n.text for n in notes)


def test_a_recursion_that_constants_steer_ends_by_itself():
    module = ppl.parse(STEPS)
    assert not any(n.kind == "cut" for n in run_passes(module.program, "main").notes)
    with ppl.environment():
        target = ppl.compiled(module.model("main").given(y=1.0))
        assert [v.name for v in target.latents] == ["s" + ".rest" * k + ".e" for k in range(5)]
        value = float(target.log_density({v.name: np.array(0.2) for v in target.latents}))
    assert value == pytest.approx(-0.5 * 5 * 0.2**2 - 3 * math.log(2 * math.pi), rel=1e-12)


@pytest.mark.slow
def test_trees_with_five_leaves():
    """P(5 leaves) and the mean depth given that, by enumeration of trees. Standard errors of 0.03 and 0.013, |z| <
    6."""
    result = ppl.infer(ppl.parse(TREE).model("five"), "importance(50000)", seed=0)
    assert abs(result.log_evidence[0] - -3.580233716711315) < 0.18
    assert abs(result.summary()["return"]["mean"] - 3.5714285714285716) < 0.08


@pytest.mark.slow
def test_geometric_law():
    result = ppl.infer(ppl.parse(GEOMETRIC).model("main"), "importance(20000)", seed=0)
    n = result["return"][0]
    for k in range(1, 5):
        p = 0.75 * 0.25 ** (k - 1)
        assert abs((n == k).mean() - p) < 6 * math.sqrt(p * (1 - p) / 20000)
