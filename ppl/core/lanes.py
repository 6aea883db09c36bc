"""Keys for the members of a population that cost one hash per draw, and nothing to split.

A threefry key per particle costs a hash for each split on the way to a draw: four or five for a step of a filter, more
than the draw. The key of a *lane* is a pair of hashed words that all lanes share, the lane's number, and a path:
splitting mixes the path, by integer multiplications, and only drawing hashes, with the lane and a block number for the
counter. A population so draws what one call of ``jax.random`` for all particles would cost.

Two draws of a population share a counter block only where two paths collide, which for k splits in a step has a
probability of about k² / 2³³; lanes never collide.
"""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.random import define_prng_impl, threefry_2x32
from jaxtyping import Array, UInt32

_WORDS = 4  # two of the key, lane, path


def _mix(path: Any, i: Any) -> Any:
    """A child's path: i added, then the finaliser of MurmurHash3, which is a bijection of 32-bit words."""
    h = path * jnp.uint32(0x9E3779B1) + jnp.asarray(i, jnp.uint32) + jnp.uint32(0x7F4A7C15)
    h = (h ^ (h >> 16)) * jnp.uint32(0x85EBCA6B)
    h = (h ^ (h >> 13)) * jnp.uint32(0xC2B2AE35)
    return h ^ (h >> 16)


def _seed(seed: Any) -> UInt32[Array, "4"]:
    words = jax.random.key_data(jax.random.key(seed))
    return jnp.concatenate([words, jnp.zeros(2, jnp.uint32)])


def _split(key: UInt32[Array, "4"], shape: tuple[int, ...]) -> UInt32[Array, "*shape 4"]:
    paths = _mix(key[3], jnp.arange(math.prod(shape), dtype=jnp.uint32)).reshape(shape)
    return jnp.stack([*(jnp.broadcast_to(key[i], shape) for i in range(3)), paths], axis=-1)


def _fold_in(key: UInt32[Array, "4"], data: Any) -> UInt32[Array, "4"]:
    return key.at[3].set(_mix(key[3], jnp.uint32(data) ^ jnp.uint32(0x5BD1E995)))


def _random_bits(key: UInt32[Array, "4"], width: int, shape: tuple[int, ...]) -> Array:
    size = math.prod(shape)
    words = -(-size * max(width, 32) // 32)
    blocks = -(-words // 2)
    lanes = jnp.broadcast_to(key[2], (blocks,))
    counters = jnp.concatenate([lanes, jnp.arange(blocks, dtype=jnp.uint32)])
    bits = threefry_2x32(jnp.stack([key[0], key[1] ^ key[3]]), counters)
    if width == 64:
        high, low = bits[:size].astype(jnp.uint64), bits[blocks : blocks + size].astype(jnp.uint64)
        return ((high << 32) | low).reshape(shape)
    return bits[:size].reshape(shape).astype({8: jnp.uint8, 16: jnp.uint16, 32: jnp.uint32}[width])


IMPLEMENTATION = define_prng_impl(
    key_shape=(_WORDS,), seed=_seed, split=_split, random_bits=_random_bits, fold_in=_fold_in, name="lanes", tag="lane"
)


def lanes(key: Any, n: int) -> Any:
    """Keys [n] of ``n`` independent lanes, from any JAX key."""
    data = jax.random.key_data(plain(key))
    rows = jnp.stack([jnp.broadcast_to(data[0], n), jnp.broadcast_to(data[1], n), jnp.arange(n, dtype=jnp.uint32),
                      jnp.zeros(n, jnp.uint32)], axis=-1)  # fmt: skip
    return jax.random.wrap_key_data(rows, impl=IMPLEMENTATION)


def plain(key: Any) -> Any:
    """A threefry key in the place of a lane's, by one hash: for samplers that are written for threefry alone (Poisson),
    and for populations within a lane. Other keys as they are."""
    if jax.random.key_impl(key) != IMPLEMENTATION:
        return key
    bits = jax.random.bits(key, (2,), jnp.uint32)
    return jax.random.wrap_key_data(bits, impl="threefry2x32")
