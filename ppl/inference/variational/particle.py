"""The evidence estimated by sequential Monte Carlo, as an objective."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray

from ppl.core.objective import DrawStrategy, ObjectiveProgram
from ppl.core.random import categorical
from ppl.core.target import Target, Trace
from ppl.inference.algorithms.smc import smc
from ppl.inference.filtering.program import histories
from ppl.inference.representations import suspend
from ppl.inference.resampling import systematic

_REASON = "along the path; which particles are resampled is held fixed"


class ParticleObjective(ObjectiveProgram):
    """E log Ẑ of a particle filter with ``n`` particles: a lower bound on log Z, since Ẑ is unbiased for Z (Naesseth,
    Linderman,
    Ranganath, Blei 2018; Maddison et al. 2017; Le et al. 2018). ``at(target, params)``: the target with its learnable
    parameters and those of its proposal; ``named(target, params)``: these in their own spaces.

    The gradient goes through draws and weights and leaves out the score of the resampled indices, whose variance is
    too large to be of use: it is biased where particles were resampled, and its strategies say so."""

    target: Target
    first: Any
    at: Callable[[Target, Any], Target] = eqx.field(static=True)
    named: Callable[[Target, Any], dict[str, Array]] = eqx.field(static=True)
    n: int = eqx.field(static=True)
    ess: float = eqx.field(static=True)
    strategies: tuple[DrawStrategy, ...] = eqx.field(static=True)

    def __init__(self, target: Target, first: Any, at: Any, named: Any, n: int, ess: float = 0.5):
        self.target, self.first, self.at, self.named, self.n, self.ess = target, first, at, named, n, ess
        self.strategies = tuple(DrawStrategy(v.name, "reparam", _REASON, "biased") for v in target.latents)

    def initial(self, key: PRNGKeyArray) -> Any:
        return self.first

    def surrogate(self, params: Any, key: PRNGKeyArray) -> Float[Array, ""]:
        sequential = self.at(self.target, params).suspend()
        particles, _ = smc(self.n, systematic, self.ess)(suspend(sequential)).run(key)
        return particles.log_evidence

    def constrain(self, params: Any) -> dict[str, Array]:
        return self.named(self.target, params)

    def sample(self, params: Any, key: PRNGKeyArray) -> Trace:
        """The trajectory of one particle, by weight."""
        key_run, key_choice = jax.random.split(key)
        sequential = self.at(self.target, params).suspend()
        particles, report = smc(self.n, systematic, self.ess, records=True)(suspend(sequential)).run(key_run)
        chosen = categorical(key_choice, particles.log_weights)
        return jax.tree.map(lambda a: a[chosen], histories(sequential, particles, report))
