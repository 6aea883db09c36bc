"""``infer … by importance(n)`` inside of a model: the law at any n, and its limit, exact inference.

A Bernoulli block with weights w and 1 has the self-normalised estimate P of its posterior with, for n = 1, E P = p (the
prior), and for n = 2, E P = p² + 2 p (1 − p) w / (w + 1). Statistical comparisons are at five standard errors
(false-alarm rate 6e-7 each) with fixed seeds; those of limits allow a bias of a few 1/n besides."""

from pathlib import Path

import jax
import numpy as np
import pytest

import ppl
from ppl.compiler.diagnostics.diagnostic import ModelError
from ppl.core.errors import MethodError

COIN = """
fn posterior(p: real, n: size) -> Dist<bool> {
  return infer { z ~ Bernoulli(p); factor if z then 1.5 else 0.0; return z } by importance(n)
}
model m(n: size) {
  p ~ Uniform(0, 1)
  data y ~ posterior(p, n)
}
"""
P, W = 0.3, np.exp(1.5)
MEANS = {1: P, 2: P**2 + 2 * P * (1 - P) * W / (W + 1), 400: P * W / (P * W + 1 - P)}


def seeds_of(target):
    return next(v.name for v in target.latents if v.name.endswith(" seed"))


@pytest.mark.parametrize("n", MEANS)
def test_the_estimate_has_the_law_of_self_normalised_importance_sampling(n):
    with ppl.environment():
        target = ppl.compiled(ppl.parse(COIN).m(n=n).given(y=True))
        draws = np.arange(4000)

        def density(seed):
            return target.log_density({"p": P, seeds_of(target): seed})

        log_p = np.asarray(jax.jit(jax.vmap(density))(draws)) + np.log(2**30 + 1)
        again = np.asarray(jax.jit(jax.vmap(density))(draws[:5])) + np.log(2**30 + 1)
    np.testing.assert_array_equal(log_p[:5], again)  # a function of the seed
    estimates = np.exp(log_p)
    room = 5 * estimates.std() / np.sqrt(len(draws)) + (1 / n if n > 2 else 0)
    assert abs(estimates.mean() - MEANS[n]) < room


LINE = """
model m(n: size) {
  a ~ Normal(0, 1)
  let d = infer { t ~ Normal(a, 1); observe 1.0 ~ Normal(t, 1); return t } by importance(n)
  z ~ d
  data y ~ Normal(z, 1)
}
"""


@pytest.mark.parametrize(
    ("n", "method", "mean"),
    # with one particle z is Normal(a, 1), with many Normal((a + 1)/2, 1/√2)
    [
        (1, "importance(20000)", 0.2),
        (300, "importance(3000)", 0.4142857),
        pytest.param(300, "mh(draws=1000)", 0.4142857, marks=pytest.mark.slow),
    ],
)
def test_a_continuous_draw_moves_with_its_particles(n, method, mean):
    result = ppl.infer(ppl.parse(LINE).m(n=n).given(y=0.3), method, seed=1)
    z, w = np.asarray(result.posterior.draws["z"]), result.posterior.weights()
    of_chain = float(result.summary()["z"]["mcse_mean"])
    se = of_chain if method.startswith("mh") else np.sqrt((w**2 * (z - mean) ** 2).sum())
    assert abs((w * z).sum() - mean) < 5 * se + (3 / n if n > 1 else 0)
    assert set(result.summary().keys()) == {"a", "z"}  # neither seeds nor the numbers of particles
    assert any("by importance(n)" in note and "bias" in note for note in result.notes)


PLACES = """
fn listener(w: index<2>) -> Dist<index<2>> {
  return infer { s ~ Categorical([0.3, 0.7]); factor if s == w then 1.0 else 0.0; return s } by enumerate
}
model m[T]() {
  c ~ Bernoulli(0.5)
  let table = [logprob(listener(w), 1) for w in 2]
  let f = fn(w: index<2>) => logprob(listener(w), 0)
  x[0] ~ Normal(0, 1)
  for t in 1..T {
    b[t - 1] ~ listener(if c then 1 else 0)
    x[t] ~ Normal(0.5 * x[t - 1], if b[t - 1] == 1 then 1 else 2)
    data y[t - 1]: real ~ Normal(x[t], 1)
  }
  if c { u ~ listener(0); factor if u == 0 then table[1] else f(0) }
}
"""


@pytest.mark.parametrize("method", ["importance(3000)", pytest.param("smc(4000)", marks=pytest.mark.slow)])
def test_functions_lambdas_comprehensions_loops_and_branches(method):
    """The evidence is that of the program that enumerates, which is estimated too."""
    found = []
    for text in (PLACES, PLACES.replace("by enumerate", "by importance(300)")):
        result = ppl.infer(ppl.parse(text).m().given(y=[0.3, -1.0, 2.0]), method, seed=2)
        found.append(result.log_evidence)
    (exact, exact_se), (log_z, se) = found
    assert abs(exact - log_z) < 5 * np.hypot(exact_se, se) + 5 / 300


def test_a_sampled_block_inside_another_and_inside_an_enumerated_one():
    text = """
model m() {
  p ~ Uniform(0, 1)
  let outer = infer {
    let inner = infer { u ~ Bernoulli(p); factor if u then 1.0 else 0.0; return u } by importance(100)
    z ~ inner
    factor if z then 0.5 else 0.0
    return z
  } by METHOD
  data y ~ outer
}
"""
    w = np.exp(1.5)
    for method in ("enumerate", "importance(100)"):
        with ppl.environment():
            target = ppl.compiled(ppl.parse(text.replace("METHOD", method)).m().given(y=True))
            name = seeds_of(target)
            log_p = jax.jit(jax.vmap(lambda s, t=target, n=name: t.log_density({"p": P, n: s})))(np.arange(300))
        estimates = np.exp(np.asarray(log_p) + np.log(2**30 + 1))
        assert abs(estimates.mean() - P * w / (P * w + 1 - P)) < 5 * estimates.std() / np.sqrt(300) + 2 / 100


MODELS = Path(__file__).parents[1] / "ground_truth" / "models"


@pytest.mark.parametrize(
    ("file", "model", "n", "args", "exact"),
    [
        ("webppl_nestedEnum", "nested2", 200, {}, 0.15942080605667205),
        pytest.param("webppl_nestedEnum", "nested6", 40, {}, 0.15942080605667205, marks=pytest.mark.slow),
        ("nested_informative_agent", "informative", 200, {"shape": 0}, [5 / 9, 2 / 9, 2 / 9]),
        pytest.param("webppl_cache", "main", 200, {}, 0.794635146471704, marks=pytest.mark.slow),
    ],
)
def test_ground_truth_of_nested_inference(file, model, n, args, exact):
    """Means of the returned value (of its indicators): exact as n grows."""
    text = (MODELS / f"{file}.ppl").read_text(encoding="utf-8").replace("by enumerate", f"by importance({n})")
    result = ppl.infer(getattr(ppl.parse(text), model)(**args), "importance(3000)", seed=3)
    w, value = result.posterior.weights(), np.asarray(result.posterior.value, float)
    for k, true in enumerate(np.atleast_1d(exact)):
        x = value if np.ndim(exact) == 0 else (value == k).astype(float)
        mean = (w * x).sum()
        assert abs(mean - true) < 5 * np.sqrt((w**2 * (x - mean) ** 2).sum()) + 2 / n


def test_without_a_living_particle_the_density_is_zero():
    text = """
model m(k: int) {
  let d = infer { z ~ Bernoulli(0.5); require k > 0; return z } by importance(10)
  z ~ d
  x ~ Normal(if z then 1 else 0, 1)
  data y ~ Normal(x, 1)
}
"""
    with ppl.environment():
        dead, living = (ppl.compiled(ppl.parse(text).m(k=k).given(y=0.0)) for k in (0, 1))
        weights = [float(t.generate(jax.random.key(0), {}).log_weight) for t in (dead, living)]
    assert weights[0] == -np.inf and np.isfinite(weights[1])


def test_what_needs_the_density_itself_is_refused_with_a_way_out():
    target = ppl.parse(LINE).m(n=10).given(y=0.3)
    for method in ("nuts", "hmc", "map", "laplace", "auto"):
        with pytest.raises(MethodError, match="needs the density itself") as refused:
            ppl.infer(target, method)
        assert "importance(10000)" in str(refused.value) and "enumerate" in str(refused.value)
    continuous = ppl.parse(LINE.replace("z ~ d", "z ~ Normal(0, 1)\n  factor logprob(d, z)")).m(n=10).given(y=0.3)
    with pytest.raises(MethodError, match="have none"):
        ppl.infer(continuous, "importance(10)")
    random_count = ppl.parse(LINE.replace("n: size", "n: int")).m(n=10).given(y=0.3)
    with pytest.raises(MethodError, match="known when the program is compiled"):
        ppl.infer(random_count, "importance(10)")


PASSED_ON = {
    "a function that samples, as a value": (
        "fn twice(f: (real) -> real) -> real { return f(0.5) + f(0.6) }",
        "factor twice(chance)",
        "write a lambda",
    ),
    "a distribution that samples": (
        "dist D() over real {\n logpdf(x) { return chance(0.3) - x^2 }\n sample { u ~ Normal(0, 1); return u }\n}",
        "w ~ D()",
        "infer in the model",
    ),
}


@pytest.mark.parametrize("case", PASSED_ON)
def test_where_no_seed_can_be_had_it_is_refused(case):
    declared, used, edit = PASSED_ON[case]
    text = f"""
fn chance(p: real) -> real {{
  let d = infer {{ z ~ Bernoulli(p); return z }} by importance(5)
  return logprob(d, true)
}}
{declared}
model m() {{
  x ~ Normal(0, 1)
  {used}
}}
"""
    with pytest.raises(ModelError) as refused:
        ppl.infer(ppl.parse(text).m(), "importance(10)")
    (found,) = refused.value.diagnostics.errors
    assert found.code == "E603" and edit in found.helps[0].text
    allowed = text.replace("twice(chance)", "twice(fn(p: real) => chance(p))")
    if allowed != text:
        assert ppl.infer(ppl.parse(allowed).m(), "importance(10)").log_evidence is not None
