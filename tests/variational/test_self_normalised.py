"""A draw from self-normalised particles in an objective, the index enumerated, is reweighted wake–sleep's estimate."""

import jax
import numpy as np

import ppl
from ppl.api.variational import bound
from ppl.inference.methods.parse import parse

TEXT = """
model m() {
  x ~ Normal(0, 1)
  data y ~ Normal(x, 0.5)
}
guide g() for m {
  param a: real = 0.2
  param s: pos = 1
  x ~ Normal(a, s)
}
objective drawn[Z: trace](p: Target<Z>, q: Guide<Z>, K: size) -> real {
  return expect {
    plate k in K {
      (z[k], lf[k]) ~ sim(stop_gradient(q))
      lp[k] ~ density(p, z[k])
      lq[k] ~ density(q, z[k])
    }
    i ~ Categorical(stop_gradient(softmax(lp - lf))) via enum
    return lq[i]
  }
}
"""


def test_it_is_the_wake_phase_of_the_guide_draw_by_draw():
    found = []
    with ppl.environment():
        for name in ("wake_phi(10)", "drawn(10)"):
            method = parse(f"vi(g, objective={name}, particles=1)")
            objective = bound(ppl.parse(TEXT).model("m").given(y=1.0), method)[1].objective
            params = objective.initial(jax.random.key(0))
            keys = jax.random.split(jax.random.key(1), 50)
            found.append(jax.jit(jax.vmap(jax.value_and_grad(objective.surrogate), (None, 0)))(params, keys))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9), *found)
