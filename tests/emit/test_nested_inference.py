"""``infer { … } by enumerate``: the compiled posterior is the reference interpreter's, whatever the block does."""

import jax
import numpy as np
import pytest

import ppl
from ppl.compiler.emit.errors import EmissionError
from ppl.core.errors import ResourceError
from ppl.reference import density

BLOCKS = {
    "a factor": "z ~ Bernoulli(p)\n factor if z then a else 0.0\n return z",
    "an observation": "z ~ Bernoulli(p)\n observe a ~ Normal(if z then 1 else -1, 0.5)\n return z",
    "a plate of draws": "plate i in 3 { b[i] ~ Bernoulli(p) }\n let n = sum([if b[i] then 1 else 0 for i in 0..3])\n"
                        " factor a * n\n return n > 1",
    "a vector of draws": "b: bool[3] ~ Bernoulli(p)\n require b[0] or b[1] or b[2]\n return b[0]",
    "a loop": "b[0] ~ Bernoulli(p)\n for t in 1..4 { b[t] ~ Bernoulli(if b[t - 1] then 0.9 else 0.2) }\n"
    " factor if b[3] then a else 0.0\n return b[0]",
    "a state": "var s = 0\n for t in 0..3 { b[t] ~ Bernoulli(p); s = s + (if b[t] then 1 else 0) }\n factor a * s\n "
               "return s >= 2",
    "a branch that draws": "z ~ Bernoulli(p)\n if z { u ~ Bernoulli(0.3); factor if u then a else 0.0 } else { }\n "
                           "return z",
    "inference inside": "let d = infer { u ~ Bernoulli(p); factor if u then a else 0.0; return u } by enumerate\n"
    " z ~ d\n factor logprob(d, true)\n return z",
    "draws from models": "z ~ tilted(p)\n y ~ tilted(0.5)\n factor if z and y.w then a else 0.0\n return z",
    "a conditioned model": "z ~ (tilted(p) given {w = true})\n return z",
    "a match that draws": "b ~ Bernoulli(p)\n match shape(b) { Dot => { u ~ Bernoulli(0.3); "
    "factor if u then a else 0.0 }\n"
    " Box(x, v) => { u ~ Bernoulli(0.6); c ~ Bernoulli(p); factor if u and c then x * a else v * p } }\n return b",
    "a match with a default": "b ~ Bernoulli(p)\n match shape(b) { Dot => { u ~ Bernoulli(0.3); "
    "factor if u then a else 0.0 }\n"
    " _ => { u ~ Bernoulli(p); factor if u then 0.5 else 0.0 } }\n return b",
    "equal outcomes": "x ~ Bernoulli(p)\n y ~ Bernoulli(0.5)\n factor if x and y then a else 0.0\n return x or y",
}


def program(block: str) -> str:
    body = block.replace("\n", "\n    ")
    return f"""
type Shape = | Dot | Box(real, real)
fn shape(b: bool) -> Shape {{ return if b then Dot else Box(1, 2) }}
model tilted(p: real) -> bool {{ z ~ Bernoulli(p); w ~ Bernoulli(0.3); factor if w then 1.0 else 0.0; return z or w }}
model m(a: real) {{
  p ~ Beta(2, 2)
  let posterior = infer {{
    {body}
  }} by enumerate
  data y ~ posterior
  output chance = logprob(posterior, true)
}}
"""


@pytest.mark.parametrize("name", BLOCKS)
def test_the_density_is_the_reference_interpreters(name):
    module = ppl.parse(program(BLOCKS[name]))
    for y in (False, True):
        with ppl.environment():
            target = ppl.compiled(module.m(a=0.7).given(y=y))
            found = jax.jit(jax.vmap(lambda p, t=target: t.log_density({"p": p})))(np.array([0.3, 0.8]))
        expected = [density(module.program, "m", {"a": 0.7}, {"y": y}, {"p": p}) for p in (0.3, 0.8)]
        np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_the_gradient_goes_through_the_posterior():
    """d/dp log P(z | factor) of p e^a / (p e^a + 1 − p)."""
    module = ppl.parse(program(BLOCKS["a factor"]).replace("Beta(2, 2)", "Uniform(0, 1)"))
    with ppl.environment():
        target = ppl.compiled(module.m(a=0.7).given(y=True))
        got = jax.grad(lambda p: target.log_density({"p": p}))(0.3)
    w = np.exp(0.7)
    assert float(got) == pytest.approx(1 / 0.3 - (w - 1) / (0.3 * w + 0.7), rel=1e-10)


def test_derivatives_do_not_pass_into_impossible_outcomes():
    """u = 1 is impossible for state 0, and its factor is alpha · (−∞): d/dalpha of log P(u = 0) = 0 is no NaN."""
    text = """
model m(state: index<2>) {
  alpha ~ Exponential(1)
  let literal = infer { s ~ Categorical([0.5, 0.5]); require s == 1; return s } by enumerate
  let speaker = infer {
    u ~ Categorical([0.5, 0.5])
    v ~ Bernoulli(0.5)
    if v { w ~ Bernoulli(0.3); require w or u == 1 } else { require u == 0 }
    factor alpha * (if u == 1 then logprob(literal, state) else -1)
    return u
  } by enumerate
  factor logprob(speaker, 0)
}
"""
    with ppl.environment():
        for state in (0, 1):
            target = ppl.compiled(ppl.parse(text).m(state=state))

            def density(a, target=target):
                return target.log_density({"alpha": a})

            both = jax.jit(jax.vmap(jax.value_and_grad(density)))
            (high, low, _), (_, _, slope) = both(np.array([0.7 + 1e-6, 0.7 - 1e-6, 0.7]))
            assert float(slope) == pytest.approx(float(high - low) / 2e-6, rel=1e-7)


def test_a_loop_shorter_than_its_first_element_and_impossible_outcomes():
    text = """
model m(k: int) {
  let d = infer { z ~ Bernoulli(0.5); require k > 0; return z } by enumerate
  y ~ Normal(0, 1)
  factor logprob(d, true)
}
"""
    with ppl.environment():
        possible, impossible = (ppl.compiled(ppl.parse(text).m(k=k)) for k in (1, 0))
        assert np.isfinite(possible.log_density({"y": 0.0}))
        assert impossible.log_density({"y": 0.0}) == -np.inf


def test_the_program_does_not_grow_with_the_values():
    def lines(n):
        draws = "\n ".join(f"z{i} ~ Categorical(w)" for i in range(n))
        total = " + ".join(f"z{i}" for i in range(n))
        text = f"model m[K](w: simplex[K]) {{ x ~ Normal(0, 1)\n let d = infer {{ {draws}\n factor x * ({total})\n"
        text += f" return {total} }} by enumerate\n factor logprob(d, 1) }}"
        with ppl.environment():
            target = ppl.compiled(ppl.parse(text).m(w=np.full(4, 0.25)))
            return len(jax.jit(lambda t: target.log_density(t)).lower({"x": 0.0}).as_text().splitlines())

    assert lines(6) < 2.5 * lines(3)


def test_what_cannot_be_enumerated_is_refused():
    infinite = (
        "model m() {\n let d = infer { z ~ Poisson(2); return z } by enumerate\n x ~ Normal(0, 1)\n factor "
        "logprob(d, 1)\n}"
    )
    with ppl.environment(), pytest.raises(EmissionError, match="infinitely many values"):
        ppl.compiled(ppl.parse(infinite).m()).log_density({"x": 0.0})
    many = "model m() {\n let d = infer { z: bool[40] ~ Bernoulli(0.5); return z[0] } by enumerate\n x ~ Normal(0, 1)\n"
    many += " factor logprob(d, true)\n}"
    with ppl.environment(), pytest.raises(ResourceError, match="2\\^40 values"):
        ppl.compiled(ppl.parse(many).m()).log_density({"x": 0.0})
