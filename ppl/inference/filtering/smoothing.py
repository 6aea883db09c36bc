"""SMC with its trajectories by backward simulation (Godsill, Doucet and West 2004)."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from ppl.core.errors import MethodError
from ppl.core.random import categorical
from ppl.core.target import Target
from ppl.inference.algorithms.conditional import take
from ppl.inference.filtering.program import Filter
from ppl.inference.program import Records, State, typed_key
from ppl.inference.representations import Particles, suspend
from ppl.inference.resampling import Scheme
from ppl.inference.trajectories import trace_back
from ppl.inference.transformations import Transformation, advancing, finish, hoist, repeat, resample, spawn, watch

_MOST = 1000  # trajectories: they cost n each, in every step


def filtering(n: int, scheme: Scheme, ess: float) -> Transformation:
    """``smc`` that reports the population behind each step, and the one before the first."""

    def population(particles: Particles) -> dict[str, Any]:
        return {"states": particles.values, "log_weights": particles.log_weights}

    step = hoist(watch(population)) @ advancing(True) @ hoist(resample(scheme, ess, ancestors=True))
    return finish @ repeat(step) @ hoist(watch(lambda p: {"first": p})) @ hoist(spawn(n))


def backward_trajectories(key: Any, target: Any, report: dict[str, Any], count: int) -> Any:
    """``count`` draws from the joint smoothing distribution, as traces: the last particle by its weight, then back
    from step to step in proportion to Wₜ f(xₜ₊₁ | xₜ) g(yₜ₊₁ | …). Steps before ``target.markov_from`` follow the
    ancestors.

    ``report`` as of ``filtering``. O(t · n · count) densities, in memory n · count."""
    begin, length = target.markov_from, target.length
    records, ancestors = report["records"], report["ancestors"]
    pick, walk = jax.random.split(key)
    last = categorical(pick, report["log_weights"][-1], (count,))

    def back(chosen: Any, inputs: Any) -> tuple[Any, Any]:
        following, k, t = inputs
        behind = take(records, t)
        before = take((report["states"], report["log_weights"]), t - 1)
        if following is None:
            before = report["first"].values, report["first"].log_weights
        states, log_weights = before

        def one(kk: Any, index: Any) -> Any:
            link = jax.vmap(lambda s: target.extend(s, take(behind, index), t)[1])(states)
            return categorical(kk, log_weights + link)

        return jax.vmap(one)(jax.random.split(k, count), chosen), chosen

    keys = jax.random.split(walk, length)
    steps = jnp.arange(max(begin, 1), length)
    earliest, later = jax.lax.scan(
        lambda c, i: back(c, (True, *i)), last, (keys[max(begin, 1) :], steps), reverse=True
    )  # later[k]: the particles of step steps[k]
    if begin == 0:
        origin, first = back(earliest, (None, keys[0], jnp.asarray(0)))
        states, indices = take(report["first"].values, origin), jnp.concatenate([first[None], later])
        drawn = jax.tree.map(lambda a: jax.vmap(lambda r, i: r[i])(a, indices), records)
    else:
        states = jax.tree.map(lambda a: a[begin - 1][earliest], report["states"])
        early = trace_back(jax.tree.map(lambda a: a[:begin], records), ancestors[:begin], earliest)
        late = jax.tree.map(lambda a: jax.vmap(lambda r, i: r[i])(a[begin:], later), records)
        drawn = jax.tree.map(lambda a, b: jnp.concatenate([a, b]), early, late)
    return jax.vmap(target.trace, in_axes=(0, 1))(states, drawn)


class Smoother(Filter):
    """The draws are trajectories of equal weight, at most a thousand."""

    def __init__(self, target: Target, n: int, scheme: str, ess: float):
        super().__init__(target, n, scheme, ess)
        self.width = min(n, _MOST)
        if target.suspend().markov_from is None:
            raise MethodError(
                "smooth=ffbs recombines particles of successive steps, and in this model a step depends on more than "
                "the draws of the step before",
                notes=(
                    "a parameter that is drawn once, a second lag or a sum carried along tie a whole path together",
                ),
                helps=("leave `smooth` out", "with parameters: --method 'pgibbs(50)' or 'pmmh(200)'"),
            )

    def advance(self, state: State, begin: Int[Array, ""], end: Int[Array, ""]) -> tuple[State, Records]:
        sequential = self.target.suspend()
        run, back = jax.random.split(typed_key(state["key"]))
        particles, report = filtering(self.n, self.scheme, self.ess)(suspend(sequential)).run(run)
        rows = self.summary(particles, report)
        rows["trace"] = backward_trajectories(back, sequential, report, self.width)
        return state, jax.tree.map(lambda a: jnp.asarray(a)[None], rows)

    def warnings(self, row: Records) -> tuple[str, ...]:
        return ()

    def weigh(self, normalised: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
        return {"trajectory": np.arange(self.width)[None]}, None
