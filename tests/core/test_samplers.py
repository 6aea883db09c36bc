"""Draws against distribution functions.

Dvoretzky–Kiefer–Wolfowitz bounds and z-scores of two moments. Each comparison has a false-alarm rate of 1e-6, so that
of this file is near 1e-4; keys are fixed.

The bits come from the generator "rbg", which compiles in no time; JAX draws Poisson variables from "threefry2x32"
alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from ppl.core.distributions import make
from tests.core.cases import ONE_OF_EACH, Case
from tests.core.compilation import quick_jit
from tests.core.detectors import Z, distance, dkw_bound, moment_scores

N = 20_000
EPSILON = dkw_bound(N)

L = np.array([[2.0, 0.0], [-1.0, 0.5]])
PROBABILITIES = np.array([0.2, 0.5, 0.3])
SCALE = np.array([[2.0, 0.3], [0.3, 1.0]])

Statistic = Callable[[Any], Any]

# name -> (distribution, a scalar statistic of a draw, the law of that statistic)
MULTIVARIATE: dict[str, tuple[str, dict[str, Any], Statistic, Any]] = {
    "Dirichlet": ("Dirichlet", {"concentration": np.array([0.5, 2.0, 1.5])}, lambda x: x[:, 1], stats.beta(2.0, 2.0)),
    "Multinomial": ("Multinomial", {"n": 9, "p": PROBABILITIES}, lambda x: x[:, 2], stats.binom(9, 0.3)),
    "Multinomial total": ("Multinomial", {"n": 9, "p": PROBABILITIES}, lambda x: x[:, 0] + x[:, 1], stats.binom(9,
    0.7)),
    "MultiNormalChol": ("MultiNormalChol", {"loc": np.zeros(2), "L": L}, lambda x: x[:, 0] + x[:, 1], stats.norm(0,
    np.sqrt(1.25))),
    "MultiNormalPrec": ("MultiNormalPrec", {"loc": np.zeros(2), "precision": np.linalg.inv(SCALE)},
                        lambda x: x[:, 0] - x[:, 1], stats.norm(0, np.sqrt(2.4))),
    "MultiStudentT": ("MultiStudentT", {"df": 4.0, "loc": np.zeros(2), "L": L},
                      lambda x: x[:, 0] + x[:, 1], stats.t(4.0, 0, np.sqrt(1.25))),
    "LKJ": ("LKJ", {"K": 3, "eta": 2.0}, lambda x: (x[:, 2, 0] + 1) / 2, stats.beta(2.5, 2.5)),
    "Wishart": ("Wishart", {"df": 4.0, "scale": SCALE}, lambda x: x[:, 0, 0] / 2.0, stats.chi2(4.0)),
    "GaussianRandomWalk": ("GaussianRandomWalk", {"scale": 0.5, "T": 5}, lambda x: x[:, 4], stats.norm(0,
    0.5 * np.sqrt(5))),
}  # fmt: skip


@pytest.fixture(scope="module")
def draws() -> dict[str, Any]:
    dists = {str(c): c.make() for c in ONE_OF_EACH}
    dists |= {name: make(dist, args) for name, (dist, args, _, _) in MULTIVARIATE.items()}

    @quick_jit
    def draw(threefry: Any, rbg: Any) -> dict[str, Any]:
        keys = {name: threefry if name.startswith(("Poisson", "NegativeBinomial")) else rbg for name in dists}
        return {name: d.sample(jax.random.fold_in(keys[name], i), (N,)) for i, (name, d) in enumerate(dists.items())}

    with jax.enable_x64(True):
        return jax.device_get(draw(jax.random.key(20), jax.random.key(20, impl="rbg")))


@pytest.mark.parametrize("case", ONE_OF_EACH, ids=str)
def test_scalar_draws_follow_the_law(case: Case, draws: dict[str, Any]) -> None:
    x = draws[str(case)]
    assert x.dtype.kind == ("b" if case.name.startswith("Bernoulli") else "i" if case.discrete else "f")
    assert distance(x.astype(float), case.reference, case.discrete) < EPSILON


NO_MOMENTS = {"StudentT", "Cauchy", "HalfStudentT", "HalfCauchy", "InverseGamma", "Pareto", "LogNormal", "VonMises"}


@pytest.mark.parametrize("case", [c for c in ONE_OF_EACH if c.name not in NO_MOMENTS], ids=str)
def test_first_two_moments(case: Case, draws: dict[str, Any]) -> None:
    """Where the fourth moment exists, is known, and lets the second settle."""
    assert max(map(abs, moment_scores(draws[str(case)].astype(float), case.reference))) < Z


@pytest.mark.parametrize("name", MULTIVARIATE)
def test_multivariate_draws_follow_the_law(name: str, draws: dict[str, Any]) -> None:
    _, _, statistic, law = MULTIVARIATE[name]
    assert distance(statistic(draws[name]).astype(float), law, name.startswith("Multinomial")) < EPSILON


@pytest.mark.parametrize("case", [c for c in ONE_OF_EACH if not c.discrete], ids=str)
def test_draws_lie_inside_the_support(case: Case, draws: dict[str, Any]) -> None:
    assert bool(case.make().support(jnp.asarray(draws[str(case)])).all())


@pytest.mark.parametrize("x64", [False, True], ids=["single", "double"])
def test_extreme_draws_have_a_finite_density(x64: bool) -> None:
    """Shapes so small that a draw rounds to the boundary, and so large that the density is a spike."""
    with jax.enable_x64(x64):
        shape = np.array([1e-3, 1e6], np.float64 if x64 else np.float32)
        cases = {
            "Gamma": {"shape": shape, "rate": 2.0},
            "InverseGamma": {"shape": shape, "scale": 2.0},
            "Beta": {"a": shape, "b": shape},
            "Dirichlet": {"concentration": np.stack([shape] * 3, -1)},
        }

        @quick_jit
        def draw(key: Any) -> dict[str, Any]:
            draws = {name: make(name, args).sample(key, (200,)) for name, args in cases.items()}
            return {name: (x, make(name, cases[name]).log_prob(x)) for name, x in draws.items()}

        for name, (x, log_density) in draw(jax.random.key(1, impl="rbg")).items():
            assert np.isfinite(log_density).all(), name
            assert x.dtype == log_density.dtype == shape.dtype
