"""Markov kernels on traces, as BlackJAX shapes them: key first, state and info as named tuples.

A kernel is a pure function of (key, state, log density). The density is handed over and not stored, so that one kernel
serves a chain, every particle of a population, and every step of a path of measures.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from jaxtyping import Array, Float

from ppl.core.random import Source
from ppl.inference.claims import Claim
from ppl.inference.representations import TracedValue

LogDensity = Callable[[Any], Float[Array, ""]]


class KernelInfo(NamedTuple):
    """``accepted``: whether the proposal was taken (a fraction for kernels of several proposals); ``log_ratio``: the
    log of the Metropolis–Hastings ratio, NaN where there is none."""

    accepted: Any
    log_ratio: Any


class Kernel(ABC):
    """Abstract. Law: if the trace has the density γ/∫γ before ``step``, it has it after."""

    name: str = "kernel"
    claim: Claim = Claim.INVARIANT
    reversible: bool = False  # in detailed balance: the sharper test applies
    needs_density: bool = True  # False for kernels that carry an estimate of it in their state

    @abstractmethod
    def step(self, key: Source, state: TracedValue, log_density: LogDensity) -> tuple[TracedValue, KernelInfo]:
        """One transition of a state whose ``log_density`` is that of its trace."""


def start(trace: Any, log_density: LogDensity) -> TracedValue:
    """The state of a chain that begins at ``trace``."""
    return TracedValue(trace, log_density(trace))


@dataclass(frozen=True, eq=False)
class FunctionKernel(Kernel):
    """A user's own ``step(key, state, log_density) -> (state, info)`` as a kernel; ``claim`` is what its author
    says."""

    function: Callable[..., tuple[TracedValue, KernelInfo]]
    name: str = "user kernel"
    claim: Claim = Claim.INVARIANT
    reversible: bool = False

    def step(self, key: Source, state: TracedValue, log_density: LogDensity) -> tuple[TracedValue, KernelInfo]:
        return self.function(key, state, log_density)
