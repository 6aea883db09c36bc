"""The adapted random walk learns the scales of its target, and survives a chain that is stuck at first."""

import jax
import jax.numpy as jnp
import numpy as np

from ppl.inference.mcmc import adaptive_walk


def learned(log_density, start, steps=3000, seed=0):
    def step(carry, inputs):
        i, key = inputs
        walk, x = carry
        draw, choose = jax.random.split(key)
        new = adaptive_walk.propose(draw, walk, x)
        log_ratio = log_density(new) - log_density(x)
        x = jnp.where(jnp.log(jax.random.uniform(choose)) < log_ratio, new, x)
        return (adaptive_walk.learn(walk, x, log_ratio, i, steps), x), None

    keys = jax.random.split(jax.random.key(seed), steps)
    begin = adaptive_walk.init(start, 1.0), start
    return jax.jit(lambda: jax.lax.scan(step, begin, (jnp.arange(steps), keys)))()[0][0]


def test_scales_and_correlation_are_learned():
    with jax.enable_x64(True):
        cov = jnp.array([[1.0, 0.05], [0.05, 0.01]])
        precision = jnp.linalg.inv(cov)
        walk = learned(lambda x: -0.5 * x @ precision @ x, jnp.zeros(2))
    np.testing.assert_allclose(np.sqrt(np.diag(walk.cov)), [1.0, 0.1], rtol=0.4)


def test_a_chain_that_is_stuck_forgets_no_direction():
    """Forty rejections, and then steps along one coordinate alone: the other keeps a variance to move by."""
    with jax.enable_x64(True):
        walk = adaptive_walk.init(jnp.zeros(2), 1.0)
        for i in range(40):
            walk = adaptive_walk.learn(walk, jnp.zeros(2), jnp.asarray(-jnp.inf), i, 300)
        assert walk.log_factor < -0.5
        for i in range(40, 60):
            walk = adaptive_walk.learn(walk, jnp.array([0.1 * i, 0.0]), jnp.asarray(0.0), i, 300)
        spread = np.linalg.eigvalsh(walk.cov)
    assert spread[0] > 1e-3 * spread[1]
