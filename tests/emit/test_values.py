"""Values that are not numbers, values that are absent, and what must not be executed."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ppl.compiler.emit.errors import EmissionError
from tests.emit.test_against_reference import Case, compiled, run


class Slope(eqx.Module):
    """An extern function with an array of its own."""

    a: jax.Array

    def __call__(self, x):
        return self.a * x


EXTERN = "extern fn warp(x: real) -> real\nmodel m() { a ~ Normal(0, 1); data y ~ Normal(warp(a), 1) }"


def test_arrays_of_an_extern_module_are_leaves():
    """Other weights of the same shape: the compiled program is used again."""
    traces = []

    @jax.jit
    def density(target):
        traces.append(None)
        return target.log_density({"a": jnp.asarray(1.0)})

    values = [
        density(compiled(Case(EXTERN, data={"y": np.array(0.3)}, externs={"warp": Slope(jnp.asarray(w))})))
        for w in (1.0, 2.0)
    ]
    assert values[0] != values[1]
    target = compiled(Case(EXTERN, data={"y": np.array(0.3)}, externs={"warp": Slope(jnp.asarray(1.0))}))
    assert jax.tree.leaves(target.externs)


def test_an_extern_function_that_is_not_there():
    with pytest.raises(EmissionError, match="warp was not given"):
        compiled(Case(EXTERN, data={"y": np.array(0.3)}))


def test_a_read_outside_of_an_array_is_nan_not_another_element():
    text = """
    model m[N](x: real[N], k: int) {
      a ~ Normal(0, 1)
      data y ~ Normal(a + x[k], 1)
    }"""
    for k, finite in ((2, True), (3, False), (-1, False)):
        case = Case(text, {"x": np.array([1.0, 2, 3]), "k": np.array(k)}, {"N": 3}, {"y": np.array(0.3)})
        assert np.isfinite(run(compiled(case), "log_density", {"a": jnp.asarray(0.0)})) == finite


def test_flat_has_a_density_and_no_draws():
    target = compiled(Case("model m() { a ~ Flat(); data y ~ Normal(a, 1) }", data={"y": np.array(0.3)}))
    assert run(target, "log_density", {"a": jnp.asarray(0.3)}) == pytest.approx(-0.5 * np.log(2 * np.pi))
    with pytest.raises(Exception, match="Flat"):
        run(target, "simulate", jax.random.key(0))


def test_delta_is_a_value_and_no_latent():
    text = "model m() { a ~ Normal(0, 1); b ~ Delta(2 * a); data y ~ Normal(b, 1) }"
    target = compiled(Case(text, data={"y": np.array(0.3)}))
    assert [v.name for v in target.latents] == ["a"]
    execution = run(target, "complete", jax.random.key(0), {"a": jnp.asarray(0.5)})
    assert execution.trace["b"] == 1.0


def test_what_depends_on_draws_made_later_is_undefined_until_then():
    text = """
    model m[N]() {
      a ~ Normal(0, 1)
      plate n in N { data y[n] ~ Normal(a, 1); data fresh[n] ~ Normal(y[n], 1) }
      var level = 0.0
      for n in 0..N { level = 0.5 * level + fresh[n] }
      output level = level
      output sign = if level > 0 then 1.0 else -1.0
    }"""
    target = compiled(Case(text, sizes={"N": 3}, data={"y": np.array([0.1, 0.2, 0.3])}))
    assert [v.name for v in target.latents] == ["a"]
    assert np.isfinite(run(target, "log_density", {"a": jnp.asarray(0.5)}))
    execution = run(target, "complete", jax.random.key(0), {"a": jnp.asarray(0.5)})
    fresh, level = np.asarray(execution.data["fresh"]), 0.0
    for x in fresh:
        level = 0.5 * level + x
    assert execution.outputs["level"] == pytest.approx(level)


def test_a_structure_is_returned():
    text = "model m() -> {a: real, b: (real, real)} { a ~ Normal(0, 1); return {a = a, b = (2 * a, 3.0)} }"
    value = run(compiled(Case(text)), "complete", jax.random.key(0), {"a": jnp.asarray(0.5)}).value
    assert value["a"] == 0.5 and value["b"][0] == 1.0


def test_no_iterations():
    text = "model m[N]() { a ~ Normal(0, 1); plate n in N { data y[n] ~ Normal(a, 1) } }"
    target = compiled(Case(text, sizes={"N": 0}, data={"y": np.zeros(0)}))
    assert run(target, "log_density", {"a": jnp.asarray(0.0)}) == pytest.approx(-0.5 * np.log(2 * np.pi))
    assert run(target, "complete", jax.random.key(0), {"a": jnp.asarray(0.0)}).data["y"].shape == (0,)


SHAPES = """
type Shape = | Point | Circle(real) | Box(real, real)
fn area(s: Shape) -> real { return match s with { Point => 0, Circle(r) => pi * r^2, Box(a, b) => a * b } }
model m(s: Shape) { a ~ Normal(0, 1); data y ~ Normal(a + area(s), 1) }"""


@pytest.mark.parametrize(
    "value, area", [("Point", 0), ({"tag": "Circle", "args": [2]}, 4 * np.pi), ({"tag": "Box", "args": [2, 3]}, 6)]
)
def test_values_of_sum_types_as_data(value, area):
    target = compiled(Case(SHAPES, {"s": value}, data={"y": np.array(0.3)}))
    expected = -np.log(2 * np.pi) - 0.5 * 0.5**2 - 0.5 * (0.3 - 0.5 - area) ** 2
    assert run(target, "log_density", {"a": jnp.asarray(0.5)}) == pytest.approx(expected)
