"""Enumeration of an algorithm's own randomness: every branch replayed, with its exact probability.

The code that is checked is the code that runs compiled: it makes its random choices through ``ppl.core.random`` and its
loops through ``ppl.core.control``, and both follow the source that they are given. What this cannot see is what happens
below that door, the reuse of a key or a fault of compilation: the same claims are therefore also sampled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from ppl.core.errors import ResourceError


class Branch(NamedTuple):
    """One sequence of choices: its probability and what the program returned."""

    probability: float
    value: Any


class _Script:
    """The choices of one replay: a prefix that is prescribed, then first alternatives, all recorded."""

    def __init__(self, prefix: list[int]):
        self.prefix = prefix
        self.taken: list[int] = []
        self.counts: list[int] = []
        self.probability = 1.0

    def choose(self, probabilities: np.ndarray) -> int:
        position = len(self.taken)
        choice = self.prefix[position] if position < len(self.prefix) else 0
        self.taken.append(choice)
        self.counts.append(len(probabilities))
        self.probability *= float(probabilities[choice])
        return choice


class Replay:
    """A source of randomness (``ppl.core.random.ChoiceSource``) that follows a script. All sources that are split off
    share it: in one thread of control the order of the choices is the order of the program."""

    def __init__(self, script: _Script):
        self._script = script

    def split(self, n: int) -> tuple[Replay, ...]:
        return (self,) * n

    def categorical(self, log_weights: Any, shape: tuple[int, ...]) -> Any:
        weights = np.exp(np.asarray(log_weights, float) - np.max(np.asarray(log_weights, float)))
        probabilities = weights / weights.sum()
        alive = np.flatnonzero(probabilities > 0)
        draws = [alive[self._script.choose(probabilities[alive])] for _ in range(int(np.prod(shape, dtype=int)))]
        return jnp.asarray(np.array(draws, int).reshape(shape))

    def uniform(self, shape: tuple[int, ...], breaks: Any) -> Any:
        if breaks is None:
            raise ValueError("a uniform draw can be enumerated only where its break points are said (`breaks=`)")
        inner = np.unique(np.clip(np.asarray(breaks, float).ravel(), 0.0, 1.0))
        # break points that rounding has split are one: an interval of length 1e-12 is no branch
        edges = np.concatenate([[0.0], inner[(inner > 1e-12) & (inner < 1 - 1e-12)], [1.0]])
        edges = edges[np.concatenate([[True], np.diff(edges) > 1e-12])]
        edges[-1] = 1.0
        lengths, middles = np.diff(edges), 0.5 * (edges[1:] + edges[:-1])
        draws = [middles[self._script.choose(lengths)] for _ in range(int(np.prod(shape, dtype=int)))]
        return jnp.asarray(np.array(draws, float).reshape(shape))


def branches(program: Callable[[Any], Any], limit: int = 1_000_000) -> Iterator[Branch]:
    """All branches of ``program(source)``, in lexicographic order of their choices; the probabilities add up to 1.

    Raises ``ResourceError`` after ``limit`` branches."""
    prefix: list[int] = []
    for _ in range(limit):
        script = _Script(prefix)
        value = program(Replay(script))
        yield Branch(script.probability, value)
        # the next script: advance the last choice that has an alternative left
        taken, counts = script.taken, script.counts
        while taken and taken[-1] + 1 == counts[-1]:
            taken.pop()
            counts.pop()
        if not taken:
            return
        taken[-1] += 1
        prefix = taken
    raise ResourceError(
        f"the program has more than {limit} branches",
        helps=("fewer particles or steps, or a smaller state space: defects show at N = 2, T = 3",),
    )


def expectation(program: Callable[[Any], Any], function: Callable[[Any], Any], limit: int = 1_000_000) -> Any:
    """Σ over all branches of probability · ``function(value)``: the exact expectation over the program's randomness."""
    total: Any = 0.0
    for branch in branches(program, limit):
        total = total + branch.probability * np.asarray(function(branch.value), float)
    return total
