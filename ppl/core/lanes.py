"""Keys for the members of a population that cost one hash per draw, and nothing to split.

A threefry key per particle costs a hash for each split on the way to a draw: four or five for a step of a filter, more
than the draw. The key of a *lane* is a pair of hashed words that all lanes share, the lane's number, and a path:
splitting mixes the path, by integer multiplications, and only drawing hashes, with the lane and a block number for the
counter. A population so draws what one call of ``jax.random`` for all particles would cost.

The iterations of a loop over a population have keys of the same form (``steps``), of which the lanes take the words.

Two draws of a population share a counter block only where two paths collide, which for k splits in a step has a
probability of about k² / 2³³; lanes never collide, nor do a step and its lanes.
"""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.random import define_prng_impl, threefry_2x32
from jaxtyping import Array, UInt32

_WORDS = 4  # two of the key, lane, path
_WRITTEN_OUT = 4096  # elements at most, of arrays drawn in a step
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))


def _mix(path: Any, i: Any) -> Any:
    """A child's path: i added, then the finaliser of MurmurHash3, which is a bijection of 32-bit words."""
    h = path * jnp.uint32(0x9E3779B1) + jnp.asarray(i, jnp.uint32) + jnp.uint32(0x7F4A7C15)
    h = (h ^ (h >> 16)) * jnp.uint32(0x85EBCA6B)
    h = (h ^ (h >> 13)) * jnp.uint32(0xC2B2AE35)
    return h ^ (h >> 16)


def _with_path(key: UInt32[Array, "4"], path: Any) -> UInt32[Array, "4"]:
    """Elementwise, so that XLA fuses it with the draw; a stack would be written to memory."""
    return jnp.where(np.arange(_WORDS) == 3, path, key)


def _seed(seed: Any) -> UInt32[Array, "4"]:
    words = jax.random.key_data(jax.random.key(seed))
    return jnp.concatenate([words, jnp.zeros(2, jnp.uint32)])


def _split(key: UInt32[Array, "4"], shape: tuple[int, ...]) -> UInt32[Array, "*shape 4"]:
    paths = _mix(key[3], jnp.arange(math.prod(shape), dtype=jnp.uint32)).reshape(shape)
    return _with_path(key, paths[..., None])


def _fold_in(key: UInt32[Array, "4"], data: Any) -> UInt32[Array, "4"]:
    return _with_path(key, _mix(key[3], jnp.uint32(data) ^ jnp.uint32(0x5BD1E995)))


def _threefry(k0: Any, k1: Any, x0: Any, x1: Any) -> tuple[Any, Any]:
    """Threefry-2x32 with 20 rounds (Salmon et al. 2011) of elementwise operations: the bits of ``jax.random``. Written
    out, since XLA then fuses the hash with what becomes of its bits, where JAX's own is a loop over arrays on a CPU:
    half of the time of a filter's step."""
    keys = (k0, k1, k0 ^ k1 ^ jnp.uint32(0x1BD11BDA))
    x0, x1 = x0 + keys[0], x1 + keys[1]
    for block in range(5):
        for rotation in _ROTATIONS[block % 2]:
            x0 = x0 + x1
            x1 = ((x1 << rotation) | (x1 >> (32 - rotation))) ^ x0
        x0, x1 = x0 + keys[(block + 1) % 3], x1 + keys[(block + 2) % 3] + jnp.uint32(block + 1)
    return x0, x1


def _lane_bits(key: UInt32[Array, "4"], width: int, shape: tuple[int, ...]) -> Array:
    blocks = _blocks(width, shape)
    counters = jnp.arange(blocks, dtype=jnp.uint32) if blocks > 1 else jnp.uint32(0)
    return _shaped(*_threefry(key[0], key[1] ^ key[3], key[2], counters), width, shape)


def _step_bits(key: UInt32[Array, "4"], width: int, shape: tuple[int, ...]) -> Array:
    """The same bits. One number is hashed by JAX's own loop: XLA would fuse what is written out with every element that
    the number meets, and hash it anew for each. Large arrays are too, in two threads."""
    if 1 < math.prod(shape) <= _WRITTEN_OUT:
        return _lane_bits(key, width, shape)
    blocks = _blocks(width, shape)
    counters = jnp.concatenate([jnp.broadcast_to(key[2], (blocks,)), jnp.arange(blocks, dtype=jnp.uint32)])
    bits = threefry_2x32(jnp.stack([key[0], key[1] ^ key[3]]), counters)
    return _shaped(bits[:blocks], bits[blocks:], width, shape)


def _blocks(width: int, shape: tuple[int, ...]) -> int:
    """Of two words each."""
    return -(-math.prod(shape) * max(width, 32) // 64)


def _shaped(first: Any, second: Any, width: int, shape: tuple[int, ...]) -> Array:
    if width == 64:
        return ((first.astype(jnp.uint64) << 32) | second.astype(jnp.uint64)).reshape(shape)
    size = math.prod(shape)
    bits = first if size == 1 else jnp.concatenate([first.reshape(-1), second.reshape(-1)])[:size]
    return bits.reshape(shape).astype({8: jnp.uint8, 16: jnp.uint16, 32: jnp.uint32}[width])


def _implementation(name: str, bits: Any) -> Any:
    return define_prng_impl(
        key_shape=(_WORDS,), seed=_seed, split=_split, random_bits=bits, fold_in=_fold_in, name=name, tag=name
    )


IMPLEMENTATION = _implementation("lane", _lane_bits)
_STEP = _implementation("step", _step_bits)
_NO_LANE = 0xFFFFFFFF


def _rows(shared: Any, lane: Any) -> Any:
    return jnp.where(np.arange(_WORDS) == 2, lane, shared)


def step(key: Any) -> Any:
    """The key of a step from any JAX key, by no hash. The key itself must not be used besides."""
    if is_mixed(key):
        return key
    words = jnp.pad(jax.random.key_data(key), (0, 2))
    return jax.random.wrap_key_data(_rows(words, jnp.uint32(_NO_LANE)), impl=_STEP)


def steps(key: Any, n: int) -> Any:
    """Keys [n] for the iterations of a loop: split by mixing as those of lanes, which a loop over a population does in
    each iteration; made by one hash for all. A population under such a key (``lanes``) costs no hash more."""
    if is_mixed(key):
        return jax.random.split(key, n)
    return jax.vmap(step)(jax.random.split(key, n))


def lanes(key: Any, n: int) -> Any:
    """Keys [n] of ``n`` independent lanes, from any JAX key."""
    if jax.random.key_impl(key) == _STEP:
        shared = jax.random.key_data(key)
    else:
        shared = jnp.pad(jax.random.key_data(plain(key)), (0, 2))
    rows = _rows(shared, jnp.arange(n, dtype=jnp.uint32)[:, None])
    return jax.random.wrap_key_data(rows, impl=IMPLEMENTATION)


def is_mixed(key: Any) -> bool:
    """Whether the key is of a lane or of a step: then splitting costs next to nothing."""
    return jax.random.key_impl(key) in (IMPLEMENTATION, _STEP)


def child(key: Any, i: int) -> Any:
    """``jax.random.split(key, n)[i]`` of a lane or step, for any n > i, as a key of its own: an array of keys is
    written to memory before one is taken out of it, and a population then writes more for its keys than for its
    values."""
    words = jax.random.key_data(key)
    return jax.random.wrap_key_data(_with_path(words, _mix(words[3], i)), impl=jax.random.key_impl(key))


def plain(key: Any) -> Any:
    """A threefry key in the place of a lane's or step's, by one hash: for samplers that are written for threefry alone
    (Poisson), and for populations within a lane. Other keys as they are."""
    if not is_mixed(key):
        return key
    bits = jax.random.bits(key, (2,), jnp.uint32)
    return jax.random.wrap_key_data(bits, impl="threefry2x32")
