"""Discrete Markov chains by forward and backward recursion over factors that are read off the density.

The log joint density of a hidden Markov model is a sum of terms in one state and in two neighbours. Such terms are
differences of its values where at most two states differ from a fixed path, so that K² T density evaluations do for
what enumeration needs Kᵀ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from ppl.reference.errors import Unsupported
from ppl.reference.execution import density


@dataclass(frozen=True)
class Chain:
    """``marginals[t, k]``: the posterior probability that state t is k."""

    log_evidence: float
    marginals: np.ndarray


def chain(
    program,
    model: str,
    args: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    trace: Mapping[str, Any] | None = None,
    *,
    site: str,
    length: int,
    states: int,
) -> Chain:
    """``site`` has ``length`` elements, each in 0..``states``; ``trace`` fixes all other latents. Needs positive
    transition probabilities."""

    def f(path: np.ndarray) -> float:
        return density(program, model, args, data, {**(trace or {}), site: path})

    def changed(*pairs: tuple[int, int]) -> float:
        path = np.zeros(length, dtype=int)
        for t, k in pairs:
            path[t] = k
        return f(path) - c

    c = 0.0
    c = changed()
    single = np.array([[changed((t, k)) for k in range(states)] for t in range(length)])
    double = np.array(
        [
            [
                [changed((t - 1, j), (t, k)) - single[t - 1, j] - single[t, k] for k in range(states)]
                for j in range(states)
            ]
            for t in range(1, length)
        ]
    )
    path = np.random.default_rng(0).integers(states, size=length)
    steps = np.arange(length)
    expected = c + single[steps, path].sum() + double[steps[1:] - 1, path[:-1], path[1:]].sum()
    if not np.isclose(f(path), expected, rtol=1e-9, atol=1e-9):
        raise Unsupported(
            f"`{site}` is no Markov chain with positive transitions: {f(path)} where {expected} was predicted"
        )

    forward = [single[0]]
    for t in range(1, length):
        forward.append(single[t] + special.logsumexp(forward[-1][:, None] + double[t - 1], axis=0))
    backward = [np.zeros(states)]
    for t in range(length - 1, 0, -1):
        backward.insert(0, special.logsumexp(double[t - 1] + single[t] + backward[0], axis=1))
    total = special.logsumexp(forward[-1])
    return Chain(float(c + total), np.exp(np.array(forward) + np.array(backward) - total))
