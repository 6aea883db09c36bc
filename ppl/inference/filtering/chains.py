"""PIMH and PMMH as runs: chains whose states hold a trajectory with its estimated evidence."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Int, UInt32

from ppl.core.errors import NumericalError
from ppl.core.random import categorical
from ppl.core.target import Target, Trace
from ppl.inference.algorithms.smc import smc
from ppl.inference.filtering.parameters import Parameters
from ppl.inference.kernels.metropolis import decide
from ppl.inference.mcmc import adaptive_walk
from ppl.inference.program import Finished, Program, Records, State, joined, typed_key
from ppl.inference.representations import TracedValue, Weighted, WeightedValue, suspend
from ppl.inference.resampling import SCHEMES
from ppl.inference.trajectories import trace_back


def trajectory(sequential: Any, n: int, scheme: str, ess: float) -> Weighted:
    """collapse ∘ smc with the whole history: a trace drawn from the final particles, with log Ẑ for its weight."""

    def draw(key: Any) -> WeightedValue:
        run, pick = jax.random.split(key)
        particles, report = smc(n, SCHEMES[scheme], ess, records=True)(suspend(sequential)).run(run)
        index = categorical(pick, particles.log_weights)
        records = trace_back(report["records"], report["ancestors"], index)
        state = jax.tree.map(lambda a: a[index], particles.values)
        return WeightedValue(sequential.trace(state, records), particles.log_evidence)

    return Weighted(draw)


class Chains(Program):
    """Chains side by side: state ``{"key", "chain": …}`` with a leading chain axis; iteration i of chain c uses the
    key folded with c and i."""

    elastic = True

    def __init__(self, target: Target, method: Any):
        self.target, self.method = target, method
        self.width, self.warmup = method.chains, method.warmup
        self.total = method.warmup + method.draws
        self.chunk = min(128, self.total)

    @abstractmethod
    def begin(self, key: Any) -> Any:
        """One chain's first state."""

    @abstractmethod
    def step(self, key: Any, chain: Any, iteration: Any) -> tuple[Any, Trace, dict[str, Array]]:
        """One iteration of one chain: the state, the trace to keep, statistics."""

    def start(self, key: UInt32[Array, "2"]) -> State:
        keys = jax.random.split(jax.random.fold_in(typed_key(key), 2**31 - 1), self.width)
        return {"key": jnp.asarray(key), "chain": jax.vmap(self.begin)(keys)}

    def inspect(self, first: State) -> None:
        density = np.asarray(first["chain"]["log_density"])
        if not np.isfinite(density).all():
            raise NumericalError(
                f"{int((~np.isfinite(density)).sum())} of {self.width} chains found no start with a positive "
                f"estimate of the evidence",
                helps=("take more particles: n=…", "check the priors against the data: ppl prior"),
            )

    def advance(self, state: State, begin: Int[Array, ""], end: Int[Array, ""]) -> tuple[State, Records]:
        keys = jax.vmap(lambda c: jax.random.fold_in(typed_key(state["key"]), c))(jnp.arange(self.width))

        def body(i: Any, carry: Any) -> Any:
            chains, rows = carry
            chains, trace, stats = jax.vmap(lambda k, c: self.step(jax.random.fold_in(k, i), c, i))(keys, chains)
            return chains, jax.tree.map(lambda a, v: a.at[i - begin].set(v), rows, {"trace": trace, "stats": stats})

        shapes = jax.eval_shape(lambda c: jax.vmap(lambda k, s: self.step(k, s, begin)[1:])(keys, c), state["chain"])
        rows = jax.tree.map(
            lambda s: jnp.zeros((self.chunk, *s.shape), s.dtype), {"trace": shapes[0], "stats": shapes[1]}
        )
        chains, rows = jax.lax.fori_loop(begin, end, body, (state["chain"], rows))
        return {**state, "chain": chains}, rows

    def finish(self, state: State, records: Records) -> Finished:
        kept = joined(records)
        rate = float(np.mean(kept["stats"]["acceptance_rate"])) if kept["stats"] else float("nan")
        warnings: tuple[str, ...] = ()
        if rate < 0.02:
            warnings = (
                f"only {100 * rate:.1f} % of the proposals were accepted: take more particles, or smaller steps "
                f"(scale)",
            )
        return Finished(kept["trace"], kept["stats"], None, None, warnings, (f"acceptance rate {rate:.2f}",))


class IndependentChains(Chains):
    """PIMH: refresh(collapse ∘ smc)."""

    def _program(self) -> Weighted:
        m = self.method
        return trajectory(self.target.suspend(), m.n, m.resample, m.ess)

    def begin(self, key: Any) -> Any:
        trace, log_weight = self._program().draw(key)
        return {"trace": trace, "log_density": log_weight}

    def step(self, key: Any, chain: Any, iteration: Any) -> tuple[Any, Trace, dict[str, Array]]:
        run, choose = jax.random.split(key)
        fresh = TracedValue(*self._program().draw(run))
        state, info = decide(choose, TracedValue(chain["trace"], chain["log_density"]), fresh, jnp.zeros(()))
        stats = {"acceptance_rate": jnp.asarray(info.accepted, float), "lp": state.log_density}
        return {"trace": state.trace, "log_density": state.log_density}, state.trace, stats


class MarginalChains(Chains):
    """PMMH: an adaptive random walk on θ with p(y | θ) by SMC."""

    def __init__(self, target: Target, method: Any):
        super().__init__(target, method)
        Parameters(target, method.name)  # refuses a model without parameters before anything is compiled

    def _estimate(self, theta: Any) -> tuple[Parameters, Weighted]:
        p, m = Parameters(self.target, self.method.name), self.method
        return p, trajectory(p.model(theta), m.n, m.resample, m.ess)

    def begin(self, key: Any) -> Any:
        """θ from the prior; of sixteen tries the first with a finite estimate."""

        def one(k: Any) -> Any:
            first, second = jax.random.split(k)
            theta = Parameters(self.target, self.method.name).prior(first)
            p, program = self._estimate(theta)
            trace, log_weight = program.draw(second)
            return theta, trace, p.log_prior(theta) + log_weight

        tries = jax.vmap(one)(jax.random.split(key, 16))
        index = jnp.argmax(jnp.isfinite(tries[2]))
        theta, trace, log_density = jax.tree.map(lambda a: a[index], tries)
        walk = adaptive_walk.init(ravel_pytree(theta)[0], self.method.scale)
        return {"theta": theta, "trace": trace, "log_density": log_density, "walk": walk}

    def step(self, key: Any, chain: Any, iteration: Any) -> tuple[Any, Trace, dict[str, Array]]:
        move, run, choose = jax.random.split(key, 3)
        flat, unravel = ravel_pytree(chain["theta"])
        theta = unravel(adaptive_walk.propose(move, chain["walk"], flat))
        p, program = self._estimate(theta)
        trace, log_weight = program.draw(run)
        old = TracedValue((chain["theta"], chain["trace"]), chain["log_density"])
        new = TracedValue((theta, trace), p.log_prior(theta) + log_weight)
        state, info = decide(choose, old, new, jnp.zeros(()))
        theta, trace = state.trace
        walk = adaptive_walk.learn(chain["walk"], ravel_pytree(theta)[0], info.log_ratio, iteration, self.warmup)
        chain = {"theta": theta, "trace": trace, "log_density": state.log_density, "walk": walk}
        return chain, trace, {"acceptance_rate": jnp.asarray(info.accepted, float), "lp": state.log_density}
