"""Control flow that follows its source of randomness: compiled under JAX keys, plain Python under a ``ChoiceSource``.

An algorithm that is written with these runs as one XLA program, and the very same code is replayed branch by branch
when validation enumerates its random choices.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any

import jax
import jax.numpy as jnp

from ppl.core.lanes import lanes, steps
from ppl.core.random import ChoiceSource, Source, split


def each(key: Source, n: int, function: Callable[..., Any], *args: Any) -> Any:
    """``function(keyᵢ, argsᵢ)`` for i in 0..n, stacked: one source each, ``args`` mapped over their leading axis. JAX
    keys are those of lanes (``ppl.core.lanes``)."""
    if not isinstance(key, ChoiceSource):
        return jax.vmap(function)(lanes(key, n), *args)
    keys = split(key, n)
    rows = [function(keys[i], *jax.tree.map(itemgetter(i), args)) for i in range(n)]
    return jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *rows)


def iterate(key: Source, times: int, body: Callable[[Source, Any], tuple[Any, Any]], carry: Any) -> tuple[Any, Any]:
    """``times`` applications of ``body(key, carry) -> (carry, report)``; the reports come stacked. ``lax.scan``; JAX
    keys are those of ``steps`` (``ppl.core.lanes``)."""
    if times == 0:
        return carry, {}
    if not isinstance(key, ChoiceSource):
        return jax.lax.scan(lambda c, k: body(k, c), carry, steps(key, times))
    keys = split(key, times)
    reports = []
    for i in range(times):
        carry, report = body(keys[i], carry)
        reports.append(report)
    return carry, jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *reports)


def branch(key: Source, condition: Any, yes: Callable[..., Any], no: Callable[..., Any], *args: Any) -> Any:
    """``yes(*args)`` or ``no(*args)``: ``lax.cond``; under a ``ChoiceSource`` only the branch taken runs."""
    if isinstance(key, ChoiceSource):
        return yes(*args) if bool(condition) else no(*args)
    return jax.lax.cond(condition, yes, no, *args)


def loop(key: Source, condition: Callable[[Any], Any], body: Callable[[Any], Any], carry: Any) -> Any:
    """``while condition(carry): carry = body(carry)``, without random choices of its own. ``lax.while_loop``."""
    if not isinstance(key, ChoiceSource):
        return jax.lax.while_loop(condition, body, carry)
    while bool(condition(carry)):
        carry = body(carry)
    return carry
