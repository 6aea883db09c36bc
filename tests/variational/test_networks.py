"""Equinox modules as extern functions: their arrays are parameters of the objective."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import ppl
from ppl.api.variational import bound
from ppl.core.errors import UsageError

TEXT = """
extern fn decoder[L, D](z: real[L]) -> real[D]
extern fn encoder[L, D](x: bool[D]) -> (real[L], pos[L])
extern fn trend(t: real) -> real

model vae[N, D](L: size) {
  plate i in N {
    z[i]: real[L] ~ Normal(0, 1)
    data x[i]: bool[D] ~ BernoulliLogit(decoder[L, D](z[i]))
  }
}

guide encode[N, D](L: size, x: bool[N, D]) for vae {
  plate i in N {
    let (m, s) = encoder[L, D](x[i])
    z[i]: real[L] ~ Normal(m, s) via reparam
  }
}

model curve[N](t: real[N]) {
  a ~ Normal(0, 1)
  let f = [trend(t[i]) for i in 0..N]
  data y: real[N] ~ Normal(f, 1)
}

guide flat[N](t: real[N]) for curve {
  a ~ Normal(0, 1) via reparam
}
"""


class Linear(eqx.Module):
    weight: jax.Array
    two: bool = eqx.field(static=True, default=False)

    def __call__(self, x):
        y = self.weight @ jnp.asarray(x, float)
        return (y, jnp.exp(0.1 * y)) if self.two else y


class Slope(eqx.Module):
    w: jax.Array

    def __call__(self, t):
        return self.w * t


def built(applied, guide):
    return bound(applied, ppl.vi(guide=guide, particles=1))[1].objective


def autoencoder():
    rng = np.random.default_rng(3)
    module = ppl.parse(TEXT).with_externs(
        decoder=Linear(jnp.asarray(rng.normal(size=(3, 2)))),
        encoder=Linear(jnp.asarray(rng.normal(size=(2, 3))), True),
        trend=Slope(jnp.asarray(0.5)),
    )
    return module, rng.random((4, 3)) < 0.5


def test_the_gradient_reaches_both_networks():
    """Along one fixed sample path, against central differences."""
    module, x = autoencoder()
    with ppl.environment():
        program = built(module.vae(L=2).given(x=x), "encode")
        key = jax.random.key(1)
        params = program.initial(key)
        gradient = jax.grad(program.surrogate)(params, key)
        for name in ("decoder", "encoder"):
            for at in ((0, 0), (1, 1)):

                def value(h, name=name, at=at):
                    arrays = params["networks"]
                    moved = eqx.tree_at(lambda e: e.weight, arrays[name], arrays[name].weight.at[at].add(h))
                    return float(program.surrogate({**params, "networks": {**arrays, name: moved}}, key))

                slope = (value(1e-5) - value(-1e-5)) / 2e-5
                assert float(gradient["networks"][name].weight[at]) == pytest.approx(slope, rel=1e-6, abs=1e-8)
                assert abs(slope) > 1e-3


def test_what_is_computed_of_data_alone_is_computed_anew_by_every_step():
    """d/dw Σ log N(y; w t, 1) = Σ t (y − w t): ``trend(t)`` needs no random variable, and is hoisted otherwise."""
    module, _ = autoencoder()
    t, y = np.array([1.0, 2.0, -1.0]), np.array([0.3, 1.5, -2.0])
    with ppl.environment():
        program = built(module.curve(t=t).given(y=y), "flat")
        key = jax.random.key(0)
        params = program.initial(key)
        gradient = jax.grad(program.surrogate)(params, key)["networks"]["trend"].w
    assert float(gradient) == pytest.approx((t * (y - 0.5 * t)).sum(), rel=1e-12)


def test_array_valued_discrete_data_in_a_plate_are_scored():
    module = ppl.parse(
        "model m[N, D]() { plate i in N { z[i] ~ Normal(0, 1); data x[i]: bool[D] ~ Bernoulli(0.25) } }\n"
        "guide q[N]() for m { plate i in N { z[i] ~ Normal(0, 1) via reparam } }\n"
    )
    x = np.array([[True, False, False], [False, False, False]])
    with ppl.environment():
        program = built(module.m().given(x=x), "q")
        key = jax.random.key(0)
        value = float(program.surrogate(program.initial(key), key))
    assert value == pytest.approx(np.log(0.25) + 5 * np.log(0.75), rel=1e-12)


def test_a_fit_gives_the_trained_network():
    """Least squares: the mode of w is Σ t y / Σ t²."""
    module, _ = autoencoder()
    t, y = np.array([1.0, 2.0, -1.0]), np.array([0.3, 1.5, -2.0])
    method = ppl.vi(guide="flat", steps=600, optimiser="sgd(0.05)", particles=1, draws=10)
    result = ppl.infer(module.curve(t=t).given(y=y), method)
    assert float(result.network("trend")(1.0)) == pytest.approx((t * y).sum() / (t * t).sum(), abs=1e-4)
    with pytest.raises(UsageError, match="no network `decoder` was trained"):
        result.network("decoder")


def test_the_draws_of_a_fit_by_batches_are_of_all_rows():
    text = "model m[N]() {\n  plate i in N { z[i] ~ Normal(0, 1); data y[i] ~ Normal(z[i], 1) }\n}\n"
    text += (
        "guide q[N](y: real[N]) for m {\n  param a: real = 0\n  plate i in N { z[i] ~ Normal(a * y[i], 0.7) via "
        "reparam }\n}\n"
    )
    method = ppl.vi(guide="q", steps=400, optimiser="adam(0.02)", particles=2, batch=3, draws=2000)
    result = ppl.infer(ppl.parse(text).m().given(y=[2.0, -2.0, 0.0, 4.0, 1.0]), method)
    assert result["z"].shape[-1] == 5
    assert float(result.posterior.fit.params["a"]) == pytest.approx(0.5, abs=0.05)
