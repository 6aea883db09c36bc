"""Metropolis chains on mixed spaces: continuous variables in R^k, discrete ones as they are."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from ppl.core.errors import NumericalError
from ppl.core.target import Latent, Trace
from ppl.inference.filtering.chains import Chains
from ppl.inference.kernels.metropolis import decide
from ppl.inference.mcmc import adaptive_walk
from ppl.inference.representations import TracedValue

_TRIES = 100


class MetropolisChains(Chains):
    """An iteration is ``thin`` times: a random-walk step of all continuous variables, then as many single-element steps
    of discrete variables as they have elements. Each step is symmetric, and accepted by the ratio of densities."""

    @property
    def discrete(self) -> tuple[Latent, ...]:
        return tuple(v for v in self.target.latents if v.discrete)

    def density(self, free: Trace) -> Float[Array, ""]:
        value = self.target.log_density_unconstrained(free)
        return jnp.where(jnp.isnan(value), -jnp.inf, value)

    def begin(self, key: Any) -> Any:
        """A draw of the prior; of a hundred tries the first with a positive density."""

        def one(k: Any) -> Any:
            trace = self.target.generate(k, {}).trace
            free = self.target.unconstrain({v.name: trace[v.name] for v in self.target.latents})
            free |= {v.name: trace[v.name] for v in self.discrete}
            return free, self.density(free)

        tries = jax.lax.map(one, jax.random.split(key, _TRIES))
        index = jnp.argmax(jnp.isfinite(tries[1]))
        free, log_density = jax.tree.map(lambda a: a[index], tries)
        walk = adaptive_walk.init(self._continuous(free)[0], getattr(self.method, "scale", 1.0))
        return {"free": free, "log_density": log_density, "walk": walk}

    def inspect(self, first: Any) -> None:
        density = np.asarray(first["chain"]["log_density"])
        if not np.isfinite(density).all():
            raise NumericalError(
                f"{int((~np.isfinite(density)).sum())} of {self.width} chains found no start: {_TRIES} draws of the "
                "prior all have density zero given the data",
                helps=(
                    "check the priors against the data: ppl prior",
                    "use --method 'smc(10000)', which looks for the data step by step",
                ),
            )

    def _continuous(self, free: Trace) -> Any:
        names = {v.name for v in self.discrete}
        return ravel_pytree({n: v for n, v in free.items() if n not in names})

    def step(self, key: Any, chain: Any, iteration: Any) -> tuple[Any, Trace, dict[str, Array]]:
        def once(carry: Any, k: Any) -> Any:
            state, walk = carry
            move, flip = jax.random.split(k)
            state, walk, rate = self._move(move, state, walk, iteration)
            state, flips = self._flip(flip, state)
            return (state, walk), (rate, flips)

        begin = TracedValue(chain["free"], chain["log_density"]), chain["walk"]
        (state, walk), (rates, flips) = jax.lax.scan(once, begin, jax.random.split(key, self.method.thin))
        trace, _ = self.target.constrain(state.trace)
        trace = trace | {v.name: state.trace[v.name] for v in self.discrete}
        stats = {"acceptance_rate": jnp.mean(jnp.where(jnp.isnan(rates), flips, rates)), "lp": state.log_density}
        return {"free": state.trace, "log_density": state.log_density, "walk": walk}, trace, stats

    def _move(self, key: Any, state: TracedValue, walk: adaptive_walk.Walk, iteration: Any) -> Any:
        flat, unravel = self._continuous(state.trace)
        if not flat.size:
            return state, walk, jnp.asarray(jnp.nan)
        draw, choose = jax.random.split(key)
        free = {**state.trace, **unravel(adaptive_walk.propose(draw, walk, flat))}
        state, info = decide(choose, state, TracedValue(free, self.density(free)), jnp.zeros(()))
        here, _ = self._continuous(state.trace)
        return (
            state,
            adaptive_walk.learn(walk, here, info.log_ratio, iteration, self.warmup),
            jnp.asarray(info.accepted, float),
        )

    def _flip(self, key: Any, state: TracedValue) -> tuple[TracedValue, Any]:
        sizes = [math.prod(v.shape) for v in self.discrete]
        if not sum(sizes):
            return state, jnp.asarray(jnp.nan)

        def element(latent: Latent, size: int) -> Any:
            def change(k: Any, trace: Trace) -> Trace:
                place, step = jax.random.split(k)
                value = jnp.ravel(trace[latent.name])
                i = jax.random.randint(place, (), 0, size)
                new = value.at[i].set(_stepped(step, value[i], latent))
                return {**trace, latent.name: new.reshape(latent.shape)}

            return change

        changes = [element(v, n) for v, n in zip(self.discrete, sizes, strict=True)]
        which = jnp.repeat(jnp.arange(len(sizes)), jnp.array(sizes), total_repeat_length=sum(sizes))

        def body(current: TracedValue, k: Any) -> Any:
            pick, draw, choose = jax.random.split(k, 3)
            site = which[jax.random.randint(pick, (), 0, sum(sizes))]
            free = jax.lax.switch(site, changes, draw, current.trace)
            current, info = decide(choose, current, TracedValue(free, self.density(free)), jnp.zeros(()))
            return current, jnp.asarray(info.accepted, float)

        state, accepted = jax.lax.scan(body, state, jax.random.split(key, sum(sizes)))
        return state, jnp.mean(accepted)


def _stepped(key: Any, value: Any, latent: Latent) -> Any:
    """A symmetric step: another value, up to K − 1 away, of K values; else one that is geometric in size."""
    if jnp.issubdtype(value.dtype, jnp.bool_):
        return ~value
    sign, size = jax.random.split(key)
    if latent.support_size is not None:
        length = jax.random.randint(size, (), 1, max(latent.support_size, 2))
    else:
        length = 1 + jnp.floor(jnp.log(jax.random.uniform(size, minval=1e-12)) / math.log(0.5)).astype(int)
    signed = jnp.where(jax.random.bernoulli(sign), length, -length)
    return value + signed.astype(value.dtype)
