"""Resample–move over data (IBIS) on compiled programs: exact answers, unbiased evidence, refusals."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ppl
from ppl.core.errors import MethodError, UsageError
from ppl.inference import kernels
from ppl.inference.algorithms.smc import resample_move
from ppl.inference.claims import Claim
from ppl.inference.filtering.static import static, suspend_static
from ppl.inference.kernels.named import EXAMPLES
from ppl.inference.methods.parse import parse

MEAN = """
model unknown_mean[N]() {
  mu ~ Normal(0, 2)
  for i in 0..N {
    data y[i]: real ~ Normal(mu, 1)
  }
}
"""
Y = [0.5, 1.5, 1.0, 2.0, 0.1, 0.7]
LOG_EVIDENCE, POSTERIOR_MEAN, POSTERIOR_SD = (
    -8.431869111662136,
    0.928,
    0.4,
)  # conjugate updates, one observation at a time


def unknown_mean():
    return ppl.parse(MEAN).unknown_mean().given(y=Y)


def test_evidence_is_unbiased_with_few_particles():
    """4000 runs with six particles each; the ratio Ẑ/Z has mean 1. |z| < 5: false alarms below 6e-7."""
    with ppl.environment():
        target = static(ppl.compiled(unknown_mean()), "rmsmc")
        algorithm = resample_move(6, kernels.on("mu", kernels.random_walk(0.5)), moves=1)
        program = algorithm(suspend_static(target))
        assert program.claim == Claim.PROPERLY_WEIGHTED
        keys = jax.random.split(jax.random.key(0), 4000)
        ratios = np.exp(np.asarray(jax.jit(jax.vmap(lambda k: program.run(k)[0].log_evidence))(keys)) - LOG_EVIDENCE)
    assert abs(ratios.mean() - 1) < 5 * ratios.std() / math.sqrt(len(ratios))


def test_densities_along_the_path():
    """log γₜ is the log prior and the first t observations, for every t."""
    with ppl.environment():
        target = static(ppl.compiled(unknown_mean()), "rmsmc")
        theta = {"mu": jnp.asarray(0.3)}

        def normal(x, mean, sd):
            return -0.5 * ((x - mean) / sd) ** 2 - math.log(sd * math.sqrt(2 * math.pi))

        found = jax.jit(jax.vmap(lambda t: target.log_density_at(theta, t)))(jnp.arange(7))
    terms = [normal(0.3, 0, 2), *(normal(y, 0.3, 1) for y in Y)]
    np.testing.assert_allclose(found, np.cumsum(terms), rtol=1e-12)


@pytest.mark.parametrize("method", ["rmsmc(2000)", "ibis(2000, kernel=hmc(0.2, 5), moves=2)"])
def test_posterior(method):
    """|z| < 5 with the effective sample size for the error: false alarms below 6e-7 each."""
    result = ppl.infer(unknown_mean(), method, seed=1)
    draws, log_weights = np.ravel(result["mu"]), np.ravel(result.posterior.log_weights)
    w = np.exp(log_weights - np.logaddexp.reduce(log_weights))
    assert abs(w @ draws - POSTERIOR_MEAN) < 5 * POSTERIOR_SD * math.sqrt(np.sum(w**2))
    assert abs(result.log_evidence[0] - LOG_EVIDENCE) < 0.3


def test_states_are_refused_by_name():
    walk = ppl.parse(
        "model walk[T]() {\n  x[0] ~ Normal(0, 1)\n  data y[0]: real ~ Normal(x[0], 1)\n"
        "  for t in 1..T {\n    x[t] ~ Normal(x[t - 1], 1)\n    data y[t]: real ~ Normal(x[t], 1)\n  }\n}\n"
    )
    with ppl.environment(), pytest.raises(MethodError, match="`x` is drawn along with the observations") as caught:
        static(ppl.compiled(walk.walk().given(y=[0.1, 0.2, 0.3])), "rmsmc")
    assert "smc2" in " ".join(caught.value.helps)


def test_kernel_expressions():
    method = parse("rmsmc(100, kernel=on(select(a, b), hmc(0.1, 10)))")
    assert parse(method.expression()) == method
    with pytest.raises(UsageError, match="there is no kernel `rm`"):
        from ppl.inference.kernels.named import kernel

        kernel(parse("rmsmc(kernel=rm(0.1))").kernel)



@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_a_kernel_in_the_place_of_a_method_is_named_as_such(name):
    with pytest.raises(UsageError, match=f"`{name}` is a kernel") as caught:
        parse(name)
    written = caught.value.helps[0].removeprefix("--method '").removesuffix("'")
    assert parse(written).kernel is not None


def test_what_a_kernel_never_moves_is_said():
    model = ppl.parse("model m() { mu ~ Normal(0, 1); tau ~ HalfNormal(1); data y ~ Normal(mu, tau) }").m()
    result = ppl.infer(model.given(y=0.3), "mh(kernel=on(select(mu), rw(0.5)), draws=20, warmup=5, chains=2)", seed=0)
    assert any("`tau` never moved" in w for w in result.posterior.warnings)
    whole = ppl.infer(model.given(y=0.3), "mh(kernel=rw(0.5), draws=20, warmup=5, chains=2)", seed=0)
    assert not any("never moved" in w for w in whole.posterior.warnings)
