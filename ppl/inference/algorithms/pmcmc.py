"""Particle MCMC: Metropolis–Hastings over programs whose weights are estimated by SMC (Andrieu, Doucet and Holenstein
2010)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ppl.core.sequential import SequentialTarget
from ppl.inference.kernels import Kernel, pseudo_marginal
from ppl.inference.kernels.base import LogDensity
from ppl.inference.kernels.metropolis import Propose
from ppl.inference.representations import Representation, suspend
from ppl.inference.transformations import Transformation, collapse, refresh, repeat


def estimated(target: SequentialTarget, filter: Transformation) -> Representation:
    """collapse ∘ smc: one trajectory, with an unbiased estimate of the evidence for its weight."""
    return (collapse @ filter)(suspend(target))


def pimh(target: SequentialTarget, filter: Transformation, draws: int) -> Representation:
    """Particle independent Metropolis–Hastings: (refresh(collapse ∘ smc))^draws. The report holds the chain."""
    program = estimated(target, filter)
    return repeat(refresh(program), draws)(program)


def pmmh(
    model: Callable[[Any], SequentialTarget], filter: Transformation, log_prior: LogDensity, propose: Propose
) -> Kernel:
    """Particle marginal Metropolis–Hastings: mh over θ with p(y | θ) replaced by ``collapse ∘ smc`` on ``model(θ)``.

    Its invariant law of θ is the exact posterior for any number of particles."""
    return pseudo_marginal(lambda theta: estimated(model(theta), filter), log_prior, propose)
