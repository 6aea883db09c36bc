"""``infer … by importance`` in an expectation: against the same objective in its long form, and an exact value."""

import jax
import numpy as np
import pytest

import ppl
from ppl.api.variational import bound
from ppl.compiler.diagnostics.diagnostic import ModelError
from ppl.core.errors import PplError

TEXT = """
model m() {
  x ~ Normal(0, 1)
  data y: real ~ Normal(x, 1)
}
guide q() for m {
  param a: real = 0.3
  x ~ Normal(a, 0.7)
}
objective drawn[Z: trace](p: Target<Z>, q: Guide<Z>, K: size) -> real {
  return expect {
    let d = infer {
      (z, lf) ~ sim(stop_gradient(q))
      lp ~ density(p, z)
      lq ~ density(q, z)
      factor stop_gradient(lp - lf)
      return lq
    } by importance(K)
    v ~ d
    return v
  }
}
"""
COINS = """
model m() {
  z ~ Bernoulli(0.5)
}
guide q() for m {
  param a: real = 0.4
  z ~ Bernoulli(0.5)
}
objective coins[Z: trace](p: Target<Z>, q: Guide<Z>) -> real {
  return expect {
    let d = infer {
      z ~ Bernoulli(0.3)
      require z or true
      BODY
      return if z then 2.0 else -1.0
    } by importance(2)
    v ~ d
    return v
  }
}
"""


def program(text, objective, **given):
    module = ppl.parse(text)
    return bound(module.m().given(**given), ppl.vi(guide="q", objective=objective, particles=1))[1].objective


def value_and_gradient(made, key):
    params = made.initial(jax.random.key(0))
    return jax.value_and_grad(made.surrogate)(params, key)


def test_draws_and_gradients_are_those_of_the_long_form():
    """Both draw the same particles with the same keys: equal to rounding, value by value."""
    with ppl.environment():
        short, long = (program(TEXT, name, y=1.0) for name in ("drawn(5)", "wake_phi(5)"))
        for k in range(3):
            a, b = (jax.tree.leaves(value_and_gradient(made, jax.random.key(k))) for made in (short, long))
            np.testing.assert_allclose(a[0] if np.ndim(a) else a, b[0] if np.ndim(b) else b, rtol=1e-12)
            np.testing.assert_allclose(a[1:], b[1:], rtol=1e-12)


def test_the_expectation_is_that_of_the_self_normalised_estimate():
    """Two particles of a coin, one side of which weighs e: four equally easy cases. P(|z| > 5) < 6e-7."""
    exact = 0.0
    for first, second in np.ndindex(2, 2):
        chance = np.prod([0.3 if z else 0.7 for z in (first, second)])
        weights = np.exp([float(first), float(second)])
        values = np.where([first, second], 2.0, -1.0)
        exact += chance * weights @ values / weights.sum()
    with ppl.environment():
        made = program(COINS.replace("BODY", "factor if z then 1.0 else 0.0"), "coins()")
        params = made.initial(jax.random.key(0))
        found = jax.jit(jax.vmap(lambda k: made.surrogate(params, k)))(jax.random.split(jax.random.key(1), 20_000))
    found = np.asarray(found)
    assert abs(found.mean() - exact) < 5 * found.std() / np.sqrt(found.size) + 1e-12
    plain = 0.3 * 2.0 - 0.7
    assert abs(found.mean() - plain) > 0.2  # weights that are dropped would show


@pytest.mark.parametrize(
    "text, said",
    [
        (COINS.replace("BODY", "if z { factor 1.0 } else { factor 0.0 }"), "branch or loop"),
        (COINS.replace("BODY", "").replace("return v\n", "return logprob(d, 2.0)\n"), "another way than to draw"),
        (COINS.replace("BODY", "").replace("importance(2)", "importance(0)"), "number of particles"),
    ],
)
def test_what_cannot_be_a_plate_is_refused(text, said):
    with ppl.environment(), pytest.raises(PplError, match=said) as caught:
        program(text, "coins()")
    assert caught.value.helps


def test_sim_stands_in_expectations_only():
    text = "model m() { x ~ Normal(0, 1) }\nguide q() for m { x ~ Normal(0, 1) }\n"
    text += "model n() { let d = infer { (z, l) ~ sim(q()); return l } by importance(3); v ~ d }\n"
    with pytest.raises(ModelError, match="`sim` stands inside `expect` only"):
        ppl.parse(text)
