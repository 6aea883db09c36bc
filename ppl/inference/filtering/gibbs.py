"""Particle Gibbs as a run (Andrieu, Doucet and Holenstein 2010; Lindsten, Jordan and Schön 2014)."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from ppl.core.random import categorical
from ppl.core.target import Target, Trace
from ppl.inference.algorithms.conditional import Path, conditional_sweep, take
from ppl.inference.algorithms.smc import smc
from ppl.inference.filtering.chains import Chains
from ppl.inference.kernels.metropolis import decide
from ppl.inference.mcmc import adaptive_walk
from ppl.inference.representations import TracedValue, suspend
from ppl.inference.trajectories import trace_back


class GibbsChains(Chains):
    """An iteration is one conditional sweep over the states at the current parameters, then ``moves`` steps of a
    random walk on the continuous parameters at the current states."""

    def __init__(self, target: Target, method: Any):
        super().__init__(target, method)
        sequential = target.suspend()
        self.discrete = tuple(v.name for v in target.latents if v.discrete)
        self.parameters = tuple(n for n in sequential.parameters if n not in self.discrete)

    def density(self, free: Trace) -> Float[Array, ""]:
        value = self.target.log_density_unconstrained(free)
        return jnp.where(jnp.isnan(value), -jnp.inf, value)

    def free(self, trace: Trace) -> Trace:
        return self.target.unconstrain(trace) | {n: trace[n] for n in self.discrete}

    def begin(self, key: Any) -> Any:
        """A trajectory of an ordinary SMC run."""
        run, pick = jax.random.split(key)
        sequential = self.target.suspend()
        particles, report = smc(max(self.method.n, 64), records=True)(suspend(sequential)).run(run)
        index = categorical(pick, particles.log_weights)
        records = trace_back(report["records"], report["ancestors"], index)
        trace = sequential.trace(take(particles.values, index), records)
        walk = adaptive_walk.init(self._parameters(self.free(trace))[0], self.method.scale)
        return {"trace": trace, "records": records, "log_density": particles.log_evidence, "walk": walk}

    def step(self, key: Any, chain: Any, iteration: Any) -> tuple[Any, Trace, dict[str, Array]]:
        sweep_key, begin, move = jax.random.split(key, 3)
        sequential, trace = self.target.suspend(), chain["trace"]
        here = sequential.conditioned({n: trace[n] for n in self.parameters})
        start = sequential.conditioned(trace).start(begin)  # all is given: the key is not used
        sweep = conditional_sweep(sweep_key, here, self.method.n, Path(tuple(start), chain["records"]))
        new = sequential.trace(sweep.state, sweep.path.records)
        moved = jnp.mean(jnp.stack([jnp.any(new[n] != trace[n]) for n in new]))
        free = self.free(new)
        state, walk, rate = self._walk(move, TracedValue(free, self.density(free)), chain["walk"], iteration)
        new = self.target.constrain(state.trace)[0] | {n: new[n] for n in self.discrete}
        stats = {"acceptance_rate": rate if self.parameters else moved, "lp": state.log_density}
        return {"trace": new, "records": sweep.path.records, "log_density": state.log_density, "walk": walk}, new, stats

    def _parameters(self, free: Trace) -> Any:
        return ravel_pytree({n: free[n] for n in self.parameters})

    def _walk(self, key: Any, state: TracedValue, walk: adaptive_walk.Walk, iteration: Any) -> Any:
        if not self.parameters:
            return state, walk, jnp.asarray(jnp.nan)

        def once(carry: Any, k: Any) -> Any:
            state, walk = carry
            draw, choose = jax.random.split(k)
            flat, unravel = self._parameters(state.trace)
            free = {**state.trace, **unravel(adaptive_walk.propose(draw, walk, flat))}
            state, info = decide(choose, state, TracedValue(free, self.density(free)), jnp.zeros(()))
            walk = adaptive_walk.learn(walk, self._parameters(state.trace)[0], info.log_ratio, iteration, self.warmup)
            return (state, walk), jnp.asarray(info.accepted, float)

        (state, walk), rates = jax.lax.scan(once, (state, walk), jax.random.split(key, self.method.moves))
        return state, walk, jnp.mean(rates)
