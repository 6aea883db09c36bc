"""Random programs of discrete draws (a nest of global ones, a plate, a chain): the value and the gradient by
enumeration are those of the reference interpreter, and every mixture of strategies agrees with them."""

import random

import numpy as np
import pytest

from ppl.api.module import parse
from ppl.reference import objective as reference_objective
from ppl.reference import objective_gradient
from tests.variational.engine import ELBO, agrees, estimates, made

DATA = {"y": [0.3, -0.5]}
PARAMS = {"a": 0.3, "b": -0.4}


def program(rng):
    """A text, and the names of its latent variables."""

    def given(parents, base):
        if not parents:
            return base
        high, low = (round(rng.uniform(-1.5, 1.5), 2) for _ in range(2))
        return f"(if {rng.choice(parents)} then {high} else {low}) + {base}"

    model, guide, above = [], [], []
    for i in range(rng.randint(1, 3)):
        model.append(f"z{i} ~ Bernoulli(sigmoid({given(above, '0.2')}))")
        guide.append(f"z{i} ~ Bernoulli(sigmoid({given(above, rng.choice('ab'))}))")
        above.append(f"z{i}")
    model += [
        "plate i in N {",
        f"  c[i] ~ Bernoulli(sigmoid({given(above, 'y[i]')}))",
        f"  d[i] ~ Bernoulli(sigmoid({given([*above, 'c[i]'], '0.1')}))",
        f"  observe y[i] ~ Normal({given(['c[i]', 'd[i]'], '0.0')}, 1)",
        "}",
        f"observe 0.3 ~ Normal({given(above, '0.5')}, 1)",
    ]
    guide += [
        "plate i in N {",
        f"  c[i] ~ Bernoulli(sigmoid({given(above, 'a * y[i]')}))",
        f"  d[i] ~ Bernoulli(sigmoid({given([*above, 'c[i]'], 'b')}))",
        "}",
    ]
    chained = rng.random() < 0.5
    if chained:
        model += [
            "h[0] ~ Bernoulli(0.3)",
            "for t in 1..3 { h[t] ~ Bernoulli(if h[t-1] then 0.8 else 0.3) }",
            "plate t in 3 { observe 0.4 ~ Normal(if h[t] then 1 else 0, 1) }",
        ]
        guide += [
            f"h[0] ~ Bernoulli(sigmoid({given(above, 'a')}))",
            "for t in 1..3 { h[t] ~ Bernoulli(sigmoid(b + (if h[t-1] then 0.8 else a))) }",
        ]
    lines = "\n  ".join
    text = (
        f"model main[N](y: real[N]) {{\n  {lines(model)}\n}}\n"
        f"guide q[N](y: real[N]) for main {{\n  param a: real = 0.3\n  param b: real = -0.4\n  {lines(guide)}\n}}\n"
    )
    return text + ELBO, [*above, "c", "d", *(["h"] if chained else [])]


@pytest.mark.parametrize("seed", [3, *(pytest.param(s, marks=pytest.mark.slow) for s in (1, 2, 4, 5))])
def test_enumeration_and_every_mixture_of_strategies(seed):
    rng = random.Random(seed)
    text, sites = program(rng)
    value, gradient = estimates(made(text, guide="q", data=DATA), 1)
    more = {"params": PARAMS, "model": "main", "guide": "q", "data": DATA}
    reference = parse(text).program
    np.testing.assert_allclose(value[0], reference_objective(reference, "elbo", **more), atol=1e-10)
    if len(sites) < 5:
        exact = objective_gradient(reference, "elbo", ["a", "b"], **more)
        np.testing.assert_allclose([gradient["a"][0], gradient["b"][0]], exact, atol=1e-8)
    via = {s: rng.choice(["enum", "reinforce"] if s == "h" else ["enum", "reinforce", "mvd"]) for s in sites}
    values, gradients = estimates(made(text, guide="q", data=DATA, via=via), 4000, seed=seed)
    assert agrees(values, value[0]), via
    assert agrees(gradients["a"], gradient["a"][0]) and agrees(gradients["b"], gradient["b"][0]), via
