"""Sequential Monte Carlo and resample–move, as compositions."""

from __future__ import annotations

from ppl.inference.kernels.base import Kernel
from ppl.inference.resampling import Scheme, systematic
from ppl.inference.transformations import (
    Transformation,
    adapted_walk,
    advance,
    advancing,
    finish,
    hoist,
    hoist_trace,
    mh,
    repeat,
    resample,
    spawn,
)


def importance(n: int) -> Transformation:
    """Importance sampling from the prior: Weighted → Population."""
    return spawn(n)


def smc(n: int, scheme: Scheme = systematic, ess: float = 0.5, records: bool = False) -> Transformation:
    """finish ∘ (advance ∘ hoist(resample))ᵀ ∘ hoist(spawn n) : Sequential[Weighted] → Population.

    The bootstrap filter for a target that proposes from its prior, the guided or auxiliary filter for one that
    proposes from a guide. ``records`` keeps what each step drew and its ancestors, for trajectories."""
    step = advancing(records) @ hoist(resample(scheme, ess, ancestors=records))
    return finish @ repeat(step) @ hoist(spawn(n))


def resample_move(
    n: int, kernel: Kernel | None, moves: int = 1, scheme: Scheme = systematic, ess: float = 0.5
) -> Transformation:
    """SMC whose particles are moved by ``kernel`` where they were resampled (Gilks and Berzuini 2001). For
    Sequential[Weighted[Traced]] (``suspend_traced``). Over data that arrive one by one, with static parameters for a
    trace, this is IBIS (Chopin 2002). Without a kernel: random walks with the covariance of the particles."""
    move = adapted_walk(moves) if kernel is None else hoist_trace(repeat(mh(kernel), moves))
    step = advance @ hoist(resample(scheme, ess, then=move))
    return finish @ repeat(step) @ hoist(spawn(n))
