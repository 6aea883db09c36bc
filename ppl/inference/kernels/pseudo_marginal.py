"""Metropolis–Hastings on weighted programs: the densities are unbiased estimates (Andrieu and Roberts 2009)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from ppl.core.random import Source, split
from ppl.inference.kernels.base import Kernel, KernelInfo, LogDensity
from ppl.inference.kernels.metropolis import Propose, decide
from ppl.inference.representations import Representation, TracedValue


class Estimated(NamedTuple):
    """θ with one realisation of the program that estimates its density: the value that came with the estimate Ẑ(θ).

    The chain's target is the law of both together, p(θ) Ẑ(θ, u) q(u): its marginal is p(θ) E Ẑ = p(θ) p(y | θ). The
    estimate is part of the state and must not be made afresh while θ stays."""

    theta: Any
    value: Any


@dataclass(frozen=True, eq=False)
class PseudoMarginal(Kernel):
    """Proposes θ' and one fresh realisation (value', log Ẑ') of ``program(θ')``, which is of shape Weighted, and
    accepts with min(1, p(θ') Ẑ' q(θ | θ') / (p(θ) Ẑ q(θ' | θ))). ``log_density`` in the state is log p(θ) + log Ẑ."""

    program: Callable[[Any], Representation]
    log_prior: LogDensity
    propose: Propose
    name: str = "pseudo_marginal"
    reversible: bool = True
    needs_density: bool = False

    def begin(self, key: Source, theta: Any) -> TracedValue:
        """A state of the chain at θ, its estimate drawn."""
        value, log_weight = self.program(theta).run(key)[0]
        return TracedValue(Estimated(theta, value), self.log_prior(theta) + log_weight)

    def step(
        self, key: Source, state: TracedValue, log_density: LogDensity | None = None
    ) -> tuple[TracedValue, KernelInfo]:
        move, estimate, choose = split(key, 3)
        theta, correction = self.propose(move, state.trace.theta)
        return decide(choose, state, self.begin(estimate, theta), correction)


def pseudo_marginal(program: Callable[[Any], Representation], log_prior: LogDensity, propose: Propose) -> Kernel:
    return PseudoMarginal(program, log_prior, propose)
