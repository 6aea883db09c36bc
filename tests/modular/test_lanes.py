"""Keys of lanes draw as independent keys do."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.random import threefry_2x32
from scipy import stats

import ppl
from ppl.core.lanes import child, lanes, plain, steps
from ppl.inference.algorithms.smc import smc
from tests.core.cases import ONE_OF_EACH
from tests.core.compilation import quick_jit

# Each p-value below is tested at 1e-7 with a fixed seed: false alarms below 2e-6 for the file.
WALK = """
model walk[T]() {
  x[0] ~ Normal(0, 1)
  data y[0]: real ~ Normal(x[0], 1)
  for t in 1..T {
    x[t] ~ Normal(x[t - 1], 1)
    data y[t]: real ~ Normal(x[t], 1)
  }
}
"""


@pytest.mark.parametrize("bits", [32, 64])
def test_draws_are_uniform_and_independent(bits):
    """20 000 lanes, four paths, two draws each: uniform, uncorrelated between lanes, paths, draws and seeds."""
    with ppl.environment("cpu", bits):

        def draw(key):
            a, b = jax.random.split(key)
            c, d = jax.random.fold_in(a, 1), jax.random.split(b, 3)[2]
            return jnp.concatenate([jax.random.uniform(k, (2,)) for k in (a, b, c, d)])

        run = jax.jit(lambda key: jax.vmap(draw)(lanes(key, 20_000)))
        u = np.concatenate([np.asarray(run(jax.random.key(k)), float) for k in (0, 1)], axis=1)
    for column in u.T:
        assert stats.kstest(column, "uniform").pvalue > 1e-7
    rows = np.concatenate([u, np.roll(u, 1, axis=0)], axis=1)
    correlations = np.corrcoef(rows.T)[np.triu_indices(rows.shape[1], 1)]
    assert np.abs(correlations).max() < 7.0 / np.sqrt(len(u))  # of 496: P < 2e-9
    assert len(np.unique(u)) > u.size * (1 - u.size / 2**22 if bits == 32 else 1) - 1


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 5)])
@pytest.mark.parametrize("dtype", [jnp.uint8, jnp.uint32, jnp.uint64])
def test_lanes_and_steps_draw_the_bits_of_threefry(shape, dtype):
    """Lane i under path p: Threefry-2x32 of the counters (i, 0), (i, 1), … under the key (k₀, k₁ ⊕ p)."""
    words = jnp.asarray([[7, 11, i, p] for i, p in ((0, 0), (5, 0), (5, 9), (0xFFFFFFFF, 3))], jnp.uint32)
    lane, step = (jax.random.key_impl(k) for k in (lanes(jax.random.key(0), 1), steps(jax.random.key(0), 1)))
    drawn = [jax.vmap(lambda w, i=i: jax.random.bits(jax.random.wrap_key_data(w, impl=i), shape, dtype))(words)
             for i in (lane, step)]  # fmt: skip
    size, width = int(np.prod(shape)), jnp.dtype(dtype).itemsize * 8
    blocks = -(-size * max(width, 32) // 64)
    for k0, k1, i, p in np.asarray(words):
        counters = jnp.concatenate([jnp.full(blocks, i), jnp.arange(blocks, dtype=jnp.uint32)])
        bits = np.asarray(threefry_2x32(jnp.asarray([k0, k1 ^ p]), counters))
        if width == 64:
            bits = (bits[:blocks].astype(np.uint64) << np.uint64(32)) | bits[blocks:]
        row = list(map(tuple, np.asarray(words).tolist())).index((k0, k1, i, p))
        for found in drawn:
            assert np.array_equal(found[row].ravel(), bits[:size].astype(dtype))


def test_keys_of_steps_and_of_their_lanes_are_all_different():
    def draw(key):
        a, b = jax.random.split(key)
        return jnp.concatenate([jax.random.bits(a, (2,)), jax.vmap(jax.random.bits)(lanes(b, 500))])

    found = np.asarray(jax.jit(jax.vmap(draw))(steps(jax.random.key(3), 20)))
    assert len(np.unique(found)) >= found.size - 1  # P(two pairs of equal words among 10 040) < 1e-4
    again = np.asarray(jax.vmap(draw)(jax.random.split(steps(jax.random.key(3), 2)[0], 20)))
    assert len(np.intersect1d(found, again)) <= 2  # P(3 of them) < 1e-5


@pytest.mark.parametrize("make", [lanes, steps])
def test_a_child_is_a_row_of_the_split(make):
    key = make(jax.random.key(1), 4)[3]
    rows = jax.random.split(key, 3)
    for i in range(3):
        assert child(key, i) == rows[i]


def test_a_lane_can_be_made_a_plain_key():
    keys = jax.vmap(plain)(lanes(jax.random.key(0), 3))
    assert jax.random.key_impl(keys) == "threefry2x32"
    assert len(np.unique(jax.random.key_data(keys))) == 6
    assert plain(jax.random.key(5)) == jax.random.key(5)


def test_no_two_particles_of_a_continuous_model_are_equal():
    """Nor are the particles of two seeds; resampling happened on the way."""
    with ppl.environment():
        program = smc(500, ess=2.0)(ppl.suspend(ppl.parse(WALK).walk().given(y=[0.3, 1.0, -0.2, 0.5])))
        run = jax.jit(lambda key: jax.tree.leaves(program.run(key)[0].values))
        leaves = [np.concatenate(pair) for pair in zip(run(jax.random.key(0)), run(jax.random.key(1)), strict=True)]
    moving = [a for a in leaves if np.ptp(a) > 0]
    assert moving
    rows = np.concatenate([a.reshape(1000, -1) for a in leaves], axis=1)
    assert len(np.unique(rows, axis=0)) == 1000


def test_memory_of_a_filter_does_not_grow_with_the_series():
    def used(steps):
        program = smc(1000)(ppl.suspend(ppl.parse(WALK).walk().given(y=np.linspace(-1, 1, steps))))
        compiled = jax.jit(lambda key: program.run(key)[0].log_evidence).lower(jax.random.key(0)).compile()
        return compiled.memory_analysis().temp_size_in_bytes

    with ppl.environment("cpu"):
        few, many = used(50), used(2000)
    assert many - few < 2000 * 200  # keys and reports of a step; 1000 particles would be 8000 bytes a step


@pytest.mark.parametrize("make_keys", [lanes, steps])
def test_every_distribution_draws_under_such_keys(make_keys):
    """Some samplers of JAX are written for threefry keys alone."""
    dists = {str(c): c.make() for c in ONE_OF_EACH}

    @quick_jit
    def draw(key):
        keys = make_keys(key, 3)
        return {name: jax.vmap(d.sample)(keys) for name, d in dists.items()}

    for name, x in draw(jax.random.key(2)).items():
        assert np.all(np.isfinite(x)), name
