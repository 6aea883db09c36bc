"""Absent entries of data: of density one where nothing reads them, latent where something does."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats as st

from tests.emit.test_against_reference import Case, compiled, run

NAN = np.nan
Y = np.array([0.3, NAN, 1.2, NAN])

UNREAD = """
model m[N]() {
  s ~ HalfNormal(1)
  plate n in N { data y[n]: real? ~ Normal(0, s) }
}"""

READ = """
model m[T]() {
  a ~ Normal(0, 1)
  data y[0]: real? ~ Normal(0, 1)
  for t in 1..T { data y[t]: real? ~ Normal(a * y[t-1], 0.5) }
}"""

POSITIVE = """
model m[T]() {
  a ~ Normal(0, 1)
  data y: pos?[T] ~ LogNormal(a, 1)
  observe sum(y) ~ Normal(3, 1)
}"""


def test_unread_entries_have_density_one():
    target = compiled(Case(UNREAD, sizes={"N": 4}, data={"y": Y}))
    assert [v.name for v in target.latents] == ["s"]
    expected = st.halfnorm.logpdf(0.7) + st.norm(0, 0.7).logpdf([0.3, 1.2]).sum()
    assert run(target, "log_density", {"s": jnp.asarray(0.7)}) == pytest.approx(expected, rel=1e-12)


def test_unread_entries_leave_the_gradient_finite():
    target = compiled(Case(UNREAD, sizes={"N": 4}, data={"y": Y}))
    gradient = jax.grad(lambda s: target.log_density({"s": s}))(0.7)
    assert gradient == pytest.approx(-0.7 - 2 / 0.7 + (0.3**2 + 1.2**2) / 0.7**3, rel=1e-9)


def test_unread_entries_are_drawn_afterwards():
    target = compiled(Case(UNREAD, sizes={"N": 4}, data={"y": Y}))
    y = run(target, "complete", jax.random.key(0), {"s": jnp.asarray(0.7)}).data["y"]
    assert np.array_equal(np.asarray(y)[[0, 2]], [0.3, 1.2])
    assert np.isfinite(y).all() and y[1] != y[3]


def test_read_entries_are_a_latent_vector():
    target = compiled(Case(READ, sizes={"T": 4}, data={"y": Y}))
    assert {v.name: v.shape for v in target.latents} == {"a": (), "y": (2,)}
    trace = {"a": jnp.asarray(0.5), "y": jnp.asarray([-0.1, 0.8])}
    whole = np.array([0.3, -0.1, 1.2, 0.8])
    expected = st.norm.logpdf(0.5) + st.norm.logpdf(0.3) + st.norm(0.5 * whole[:-1], 0.5).logpdf(whole[1:]).sum()
    assert run(target, "log_density", trace) == pytest.approx(expected, rel=1e-12)
    assert run(target, "generate", jax.random.key(0), trace).log_weight == pytest.approx(expected, rel=1e-12)
    execution = run(target, "complete", jax.random.key(0), trace)
    np.testing.assert_allclose(execution.data["y"], whole)
    np.testing.assert_allclose(execution.trace["y"], trace["y"])


@pytest.mark.parametrize("text", [READ, POSITIVE])
def test_latent_entries_change_variables(text):
    data = {"y": np.array([0.3, NAN, 1.2, NAN])}
    target = compiled(Case(text, sizes={"T": 4}, data=data))
    trace = {"a": jnp.asarray(0.5), "y": jnp.asarray([0.4, 0.8])}
    u = run(target, "unconstrain", trace)
    back, log_det = run(target, "constrain", u)
    np.testing.assert_allclose(back["y"], trace["y"])
    assert log_det == pytest.approx(0.0 if text is READ else float(np.log([0.4, 0.8]).sum()))
    expected = run(target, "log_density", trace) + log_det
    assert run(target, "log_density_unconstrained", u) == pytest.approx(float(expected), rel=1e-12)


def test_nothing_missing_is_ordinary_data():
    target = compiled(Case(UNREAD, sizes={"N": 2}, data={"y": np.array([0.3, 1.2])}))
    assert not target.plan.missing
