"""A summed-out variable is drawn from its exact conditional though its sum also holds draws that are deferred."""

import jax
import numpy as np
import pytest

from ppl.compiler.emit.bind import bind
from ppl.compiler.passes.query import Query, prepare
from ppl.compiler.pipeline import check_text
from ppl.reference import enumerate_exact

Y = np.array([0.9, 0.2, 1.5])
PREDICTED = "data fresh[i]: real ~ Normal(if z{i} then 10 else 0, 1)"
MODELS = {
    "shared": """
        model m[N]() {{
          z ~ Bernoulli(0.3)
          plate i in N {{ data y[i]: real ~ Normal(if z then 1 else 0, 1) ; {fresh} }}
        }}""",
    "chain": """
        model m[N]() {{
          z[0] ~ Bernoulli(0.3)
          data y[0]: real ~ Normal(if z[0] then 1 else 0, 1) ; {first}
          for i in 1..N {{
            z[i] ~ Bernoulli(if z[i - 1] then 0.8 else 0.3)
            data y[i]: real ~ Normal(if z[i] then 1 else 0, 1) ; {fresh}
          }}
        }}""",
}


@pytest.mark.parametrize("name", MODELS)
def test_the_conditional_is_exact(name):
    """Means of 4000 draws within 5 standard errors of the exact ones: a false alarm in 1e-6, the seed is fixed."""
    fresh = PREDICTED.format(i="" if name == "shared" else "[i]")
    first = fresh.replace("[i]", "[0]")
    program = check_text(MODELS[name].format(fresh=fresh, first=first)).program
    plan = prepare(program, Query("m", frozenset({"y"}), marginalise=True))
    assert (plan.deferred, plan.marginalised) == (("fresh",), ("z",))
    target = bind(plan.program, "m", {}, {"N": 3}, {"y": Y}, deferred=frozenset(plan.deferred))
    exact = enumerate_exact(check_text(MODELS[name].format(fresh="", first="")).program, "m", {"y": Y})
    assert float(jax.jit(lambda trace: target.log_density(trace))({})) == pytest.approx(exact.log_evidence)
    draws = jax.jit(jax.vmap(lambda key: target.complete(key, {})))(jax.random.split(jax.random.key(0), 4000))
    p = np.asarray(exact.mean("z"))
    assert np.all(np.abs(np.mean(draws.trace["z"], 0) - p) < 5 * np.sqrt(p * (1 - p) / 4000))
    z = np.broadcast_to(np.asarray(draws.trace["z"], float).reshape(4000, -1), (4000, 3))
    residual = np.asarray(draws.data["fresh"]) - 10 * z
    assert abs(residual.mean()) < 5 / np.sqrt(residual.size)
