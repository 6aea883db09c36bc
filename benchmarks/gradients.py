"""Gradient evaluations per second: densities compiled from the example models against hand-written JAX ones.

    python benchmarks/gradients.py [--evaluations 2000] [--repeats 31] [MODEL…]

Both sides get the data as arguments, are differentiated by `jax.value_and_grad`, and run many gradient steps inside
one compiled loop, as a sampler does; 64-bit, on the CPU. Runs alternate. Prints, for each model, both speeds and the
ratio of the shortest times (aim: at least 0.95), after checking that the two densities and gradients agree."""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("JAX_ENABLE_X64", "1")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import numpy as np
from jax.nn import sigmoid, softplus
from jax.scipy.special import gammaln, xlog1py, xlogy

import ppl

ROOT = Path(__file__).parent.parent
HALF_LOG_2PI = 0.5 * float(np.log(2 * np.pi))


def normal(x, loc, scale):
    return -0.5 * jnp.square((x - loc) / scale) - jnp.log(scale) - HALF_LOG_2PI


def half_normal(x, scale):
    return normal(x, 0.0, scale) + float(np.log(2))


def eight_schools(u, d):
    tau = jnp.exp(u["tau"])
    prior = normal(u["mu"], 0.0, 5.0) + float(np.log(2 / np.pi / 5)) - jnp.log1p(jnp.square(tau / 5)) + u["tau"]
    return prior + normal(u["z"], 0.0, 1.0).sum() + normal(d["y"], u["mu"] + tau * u["z"], d["sigma"]).sum()


def breast_cancer(u, d):
    eta = u["intercept"] + d["x"] @ u["beta"]
    prior = normal(u["intercept"], 0.0, 2.5) + normal(u["beta"], 0.0, 2.5).sum()
    return prior + (d["malignant"] * eta - softplus(eta)).sum()


def firm_investment(u, d):
    between, sigma = jnp.exp(u["between"]), jnp.exp(u["sigma"])
    prior = normal(u["intercept"], 4.0, 2.0) + half_normal(between, 1.0) + u["between"]
    prior += half_normal(sigma, 1.0) + u["sigma"] + normal(u["z"], 0.0, 1.0).sum()
    prior += normal(u["by_value"], 0.0, 1.0) + normal(u["by_capital"], 0.0, 1.0)
    loc = u["intercept"] + between * u["z"][d["firm"]]
    loc += u["by_value"] * d["log_value"] + u["by_capital"] * d["log_capital"]
    return prior + normal(d["log_investment"], loc, sigma).sum()


def growth_volatility(u, d):
    persistence, step = sigmoid(u["persistence"]), jnp.exp(u["step"])
    prior = normal(u["average"], 0.8, 0.5) + normal(u["level"], -0.5, 1.0) + half_normal(step, 0.5) + u["step"]
    prior += gammaln(21.5) - gammaln(20.0) - gammaln(1.5) + xlogy(19.0, persistence) + xlog1py(0.5, -persistence)
    prior += -softplus(u["persistence"]) - softplus(-u["persistence"]) + normal(u["z"], 0.0, 1.0).sum()

    def move(h, z):
        h = persistence * h + step * z
        return h, h

    _, rest = jax.lax.scan(move, u["z"][0], u["z"][1:])
    h = jnp.concatenate([u["z"][:1], rest])
    return prior + normal(d["growth"], u["average"], jnp.exp((u["level"] + h) / 2)).sum()


def nile(u, d):
    noise, drift = jnp.exp(u["noise"]), jnp.exp(u["drift"])
    prior = half_normal(noise, 200.0) + u["noise"] + half_normal(drift, 100.0) + u["drift"]

    def update(state, flow):
        m, v = state
        total = v + noise**2
        gain = v / total
        return (m + gain * (flow - m), (1 - gain) * v + drift**2), (m, total)

    _, (m, total) = jax.lax.scan(update, (jnp.asarray(1000.0), jnp.asarray(90000.0)), d["flow"])
    return prior + normal(d["flow"], m, jnp.sqrt(total)).sum()


def stack_loss(u, d):
    sigma, nu = jnp.exp(u["sigma"]), jnp.exp(u["nu"])
    prior = normal(u["intercept"], 20.0, 10.0) + normal(u["beta"], 0.0, 10.0).sum()
    prior += half_normal(sigma, 5.0) + u["sigma"]
    prior += 2 * float(np.log(0.1)) + jnp.log(nu) - 0.1 * nu - gammaln(2.0) + u["nu"]
    z = (d["loss"] - u["intercept"] - d["x"] @ u["beta"]) / sigma
    constant = gammaln(0.5 * (nu + 1)) - gammaln(0.5 * nu) - 0.5 * jnp.log(nu * np.pi) - jnp.log(sigma)
    return prior + (constant - 0.5 * (nu + 1) * jnp.log1p(jnp.square(z) / nu)).sum()


HAND_WRITTEN = {
    "eight_schools": eight_schools,
    "breast_cancer": breast_cancer,
    "firm_investment": firm_investment,
    "growth_volatility": growth_volatility,
    "nile": nile,
    "stack_loss": stack_loss,
}


def steps(density, count):
    """``count`` small gradient steps in one compiled loop."""
    gradient = jax.value_and_grad(density)

    @jax.jit
    def run(u, data):
        def body(_, state):
            u, total = state
            value, g = gradient(u, data)
            return jax.tree.map(lambda x, dx: x + 1e-12 * dx, u, g), total + value

        return jax.lax.fori_loop(0, count, body, (u, jnp.zeros(())))

    return run


def seconds(run, *args) -> float:
    began = time.perf_counter()
    jax.block_until_ready(run(*args))
    return time.perf_counter() - began


def compiled(name: str):
    """The target of an example, compiled as `ppl run` does."""
    from ppl.api.compile import posterior_target

    folder = ROOT / "examples" / name
    given = ppl.load(folder / "model.ppl").model().given(json.loads((folder / "data.json").read_text()))
    return posterior_target(given, marginalise=True).target


def compare(name: str, evaluations: int, repeats: int) -> tuple[float, float, float]:
    target = compiled(name)
    data = {**target.args, **target.data}
    rng = np.random.default_rng(0)
    u = {v.name: jnp.asarray(0.1 * rng.normal(size=v.shape)) for v in target.latents}
    ours, theirs = lambda u, t: t.log_density_unconstrained(u), HAND_WRITTEN[name]
    a, b = (jax.jit(jax.value_and_grad(f))(u, x) for f, x in ((ours, target), (theirs, data)))
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-8, atol=1e-8), a, b)
    ours, theirs = steps(ours, evaluations), steps(theirs, evaluations)
    seconds(ours, u, target), seconds(theirs, u, data)
    pairs = [(seconds(ours, u, target), seconds(theirs, u, data)) for _ in range(repeats)]
    ours, theirs = (min(times) for times in zip(*pairs, strict=True))
    return evaluations / ours, evaluations / theirs, theirs / ours


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--evaluations", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=31)
    parser.add_argument("models", nargs="*", help="some of the models; all, if none is named")
    options = parser.parse_args()
    print(f"{'model':20} {'compiled/s':>12} {'by hand/s':>12} {'ratio':>7}")
    for name in options.models or HAND_WRITTEN:
        ours, theirs, ratio = compare(name, options.evaluations, options.repeats)
        print(f"{name:20} {ours:12.0f} {theirs:12.0f} {ratio:7.2f}")


if __name__ == "__main__":
    main()
