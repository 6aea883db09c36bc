"""The evidence estimated by sequential Monte Carlo, as an objective.

With draws that are reparameterised, log Ẑ of a particle filter is a smooth function of the parameters but for the
ancestors of the particles, which are discrete: the gradient of E log Ẑ has a part along the paths, and the score of the
ancestors times what it is that they decide."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, PRNGKeyArray

from ppl.core.objective import DrawStrategy, ObjectiveProgram
from ppl.core.random import categorical
from ppl.core.sequential import SequentialTarget
from ppl.core.target import Target, Trace
from ppl.inference.algorithms.smc import smc
from ppl.inference.filtering.program import histories
from ppl.inference.representations import suspend
from ppl.inference.representations.population import log_mean_exp
from ppl.inference.resampling import systematic
from ppl.inference.resampling.scheme import alive_or_uniform

_HELD = "along the path; which particles are resampled is held fixed"
_SCORED = "along the path; the ancestors by their score"


class ParticleObjective(ObjectiveProgram):
    """E log Ẑ of a particle filter with ``n`` particles: a lower bound on log Z, since Ẑ is unbiased for Z (Naesseth,
    Linderman,
    Ranganath, Blei 2018; Maddison et al. 2017; Le et al. 2018). ``at(target, params)``: the target with its learnable
    parameters and those of its proposal; ``named(target, params)``: these in their own spaces.

    Where ``runs`` is 0 the gradient goes through draws and weights and leaves out the score of the resampled indices:
    it is biased where particles were resampled, and its strategies say so. Else it is unbiased: ``runs`` ≥ 2
    independent filters resample by multinomial draws at every step (a trigger that depends on the parameters would
    make jumps), and the score of the ancestors of step t in one is multiplied by what they decide, the sum of the later
    log mean weights, less its mean in the others. Its variance grows with the number of steps."""

    target: Target
    first: Any
    at: Callable[[Target, Any], Target] = eqx.field(static=True)
    named: Callable[[Target, Any], dict[str, Array]] = eqx.field(static=True)
    n: int = eqx.field(static=True)
    ess: float = eqx.field(static=True)
    runs: int = eqx.field(static=True)
    strategies: tuple[DrawStrategy, ...] = eqx.field(static=True)

    def __init__(self, target: Target, first: Any, at: Any, named: Any, n: int, ess: float = 0.5, runs: int = 0):
        self.target, self.first, self.at, self.named, self.n = target, first, at, named, n
        self.ess, self.runs = (2.0, runs) if runs else (ess, 0)
        reason, claim = (_SCORED, "unbiased") if runs else (_HELD, "biased")
        self.strategies = tuple(DrawStrategy(v.name, "reparam", reason, claim) for v in target.latents)

    def initial(self, key: PRNGKeyArray) -> Any:
        return self.first

    def surrogate(self, params: Any, key: PRNGKeyArray) -> Float[Array, ""]:
        sequential = self.at(self.target, params).suspend()
        if self.runs:
            return with_scores(sequential, self.n, self.runs, key)
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


def with_scores(sequential: SequentialTarget, n: int, runs: int, key: PRNGKeyArray) -> Float[Array, ""]:
    """The mean of log Ẑ over ``runs`` filters of ``n`` particles; its gradient is unbiased for that of E log Ẑ."""
    means, scores = jax.vmap(partial(_filter, sequential, n))(jax.random.split(key, runs))
    value = jnp.mean(jnp.sum(means, axis=1))
    later = jnp.cumsum(means[:, ::-1], axis=1)[:, ::-1][:, 1:]  # what the ancestors of step t decide
    others = (jnp.sum(later, axis=0) - later) / (runs - 1)
    gain = lax.stop_gradient(later - others)
    surprise = jnp.sum(jnp.mean(gain * (scores - lax.stop_gradient(scores)), axis=0))
    return value + surprise


def _filter(
    sequential: SequentialTarget, n: int, key: PRNGKeyArray
) -> tuple[Float[Array, " T+1"], Float[Array, " T"]]:
    """The log mean weights (whose sum is log Ẑ) before each step and at the end, and for each step the log probability
    of the ancestors with which it begins."""
    begin, run = jax.random.split(key)
    states, log_weights = jax.vmap(sequential.start)(jax.random.split(begin, n))

    def step(carry: tuple[Any, Array], at: tuple[Any, Array]) -> tuple[Any, tuple[Array, Array]]:
        states, log_weights = carry
        choose, move = jax.random.split(at[0])
        usable = alive_or_uniform(log_weights)
        ancestors = lax.stop_gradient(categorical(choose, usable, (n,)))
        score = jnp.sum(jax.nn.log_softmax(usable)[ancestors])
        states = jax.tree.map(lambda a: a[ancestors], states)
        moved, _, increments = jax.vmap(lambda k, s: sequential.advance(k, s, at[1]))(jax.random.split(move, n), states)
        return (moved, increments), (log_mean_exp(log_weights), score)

    steps = (jax.random.split(run, sequential.length), jnp.arange(sequential.length))
    (_, last), (means, scores) = lax.scan(step, (states, log_weights), steps)
    return jnp.concatenate([means, log_mean_exp(last)[None]]), scores
