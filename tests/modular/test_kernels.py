"""Every kernel leaves its target invariant from exact starts, and all keep to one protocol."""

import jax
import jax.numpy as jnp
import pytest

import ppl
from ppl.core.errors import MethodError
from ppl.inference import kernels
from ppl.inference.kernels import KernelInfo, on, select, start
from ppl.inference.representations import TracedValue
from ppl.inference.validation.chains import ExactTarget
from ppl.inference.validation.checks.kernel import check_kernel

# Each check stops with a false alarm at most 1e-9 of the time; with fewer than 50 of them: < 1e-7 for the file.


def log_density(z):
    """a ~ N(0, 1), b ~ N(a, 0.5²) in two elements."""
    return -0.5 * z["a"] ** 2 - 2.0 * jnp.sum((z["b"] - z["a"]) ** 2)


def sample(key):
    a, b = jax.random.split(key)
    z = jax.random.normal(a)
    return {"a": z, "b": z + 0.5 * jax.random.normal(b, (2,))}


TARGET = ExactTarget("a pair", sample, log_density)


def on_prior_of_a(key):
    return {"a": jax.random.normal(key)}


def flip(z, u):
    return {"a": z["a"] + u, "b": z["b"] + u}, -u


KERNELS = {
    "random_walk": kernels.random_walk(0.5),
    "single_site": kernels.single_site(0.8),
    "independence": kernels.independence(sample, log_density),
    "slice": kernels.slice_sampler(1.0, 8),
    "elliptical_slice": on(
        "a", kernels.elliptical_slice(on_prior_of_a, lambda z: -0.5 * z["a"] ** 2, {"a": jnp.zeros(())})
    ),
    "involutive": kernels.involutive(
        lambda key, z: 0.7 * jax.random.normal(key), lambda z, u: -0.5 * (u / 0.7) ** 2, flip
    ),
    "hmc": kernels.hmc(0.3, 5),
    "hmc with a mass": kernels.hmc(0.5, 3, inverse_mass=jnp.array([1.0, 0.5, 0.5])),
    "nuts": kernels.nuts(0.4, max_depth=3),
    "mala": kernels.mala(0.1),
    "on(hmc)": on(select("b"), kernels.hmc(0.3, 3)),
    "seq": kernels.seq(kernels.mala(0.1), kernels.random_walk(0.3)),
    "mix": kernels.mix(kernels.mala(0.1), kernels.single_site(1.0)),
    "cycle": kernels.cycle(kernels.mala(0.1), kernels.single_site(1.0)),
    "repeated": kernels.repeated(kernels.mala(0.1), 2),
}


@pytest.fixture(autouse=True)
def doubles():
    with ppl.environment():
        yield


@pytest.mark.parametrize("name", KERNELS)
def test_protocol(name):
    """Key first; (state, info) of the stated types; the trace keeps structure, shapes and dtypes, and the density is a
    scalar; under vmap and scan. Traced only."""
    kernel = KERNELS[name]

    def chain(key):
        begin, run = jax.random.split(key)
        state = start(sample(begin), log_density)

        def body(s, k):
            new, info = kernel.step(k, s, log_density)
            assert isinstance(new, TracedValue)
            assert isinstance(info, KernelInfo)
            assert jax.tree.structure(new) == jax.tree.structure(s)
            assert [(x.shape, x.dtype) for x in jax.tree.leaves(new)] == [
                (x.shape, x.dtype) for x in jax.tree.leaves(s)
            ]
            return new, info.accepted

        return jax.lax.scan(body, state, jax.random.split(run, 4))

    states, accepted = jax.eval_shape(jax.vmap(chain), jax.random.split(jax.random.key(0), 3))
    assert accepted.shape[:2] == (3, 4)
    assert states.log_density.shape == (3,)


COMBINED = kernels.seq(
    kernels.mix(kernels.mala(0.1), kernels.single_site(1.0)),
    kernels.repeated(kernels.cycle(kernels.random_walk(0.3), on(select("b"), kernels.hmc(0.3, 3))), 2),
)
BASIC = (
    "random_walk",
    "single_site",
    "independence",
    "slice",
    "elliptical_slice",
    "involutive",
    "hmc with a mass",
    "nuts",
    "mala",
)


@pytest.mark.parametrize("name", [*BASIC, "combined"])
def test_invariance(name):
    checks = check_kernel(COMBINED if name == "combined" else KERNELS[name], TARGET, n=4000, steps=3, seed=1)
    assert [c.outcome for c in checks] == ["passed"] * len(checks), checks


def test_a_langevin_step_without_its_correction_is_refuted():
    """The unadjusted Langevin step is not invariant: the check sees it."""

    def unadjusted(key, state, density):
        grads = jax.grad(density)(state.trace)
        noise = sample(key)
        noise = {"a": noise["a"], "b": 2 * (noise["b"] - noise["a"])}
        trace = jax.tree.map(lambda z, g, e: z + 0.2 * g + jnp.sqrt(0.4) * e, state.trace, grads, noise)
        return TracedValue(trace, density(trace)), KernelInfo(jnp.asarray(True), jnp.asarray(jnp.nan))

    checks = check_kernel(kernels.FunctionKernel(unadjusted, "unadjusted"), TARGET, n=4000, steps=3, seed=1)
    assert any(c.outcome == "refuted" for c in checks)


def test_gradient_kernels_refuse_integers():
    with pytest.raises(MethodError, match="`k` is of type int"):
        kernels.hmc(0.1, 2).step(
            jax.random.key(0), start({"k": jnp.asarray(1)}, lambda z: jnp.zeros(())), lambda z: jnp.zeros(())
        )
