"""The search for the mode of a density by L-BFGS from several starts."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, UInt32

from ppl.core.target import Execution, Target
from ppl.inference.adapters.optax import Lbfgs
from ppl.inference.flat import Layout, constrained, differentiated_once, evaluate, layout
from ppl.inference.mcmc.initial import random_points, require_start
from ppl.inference.program import Finished, Program, Records, State, canonical, elementary_operations, typed_key

_TYPICAL_STEPS = 100  # iterations of a search, and
_EVALUATIONS = 4  # evaluations of the density in each, for the estimate of work


class Mode(Program):
    """``method`` gives starts, iterations, tolerance, init_radius, and ``jacobian``: whether log |∂z/∂u| is part of
    what is maximised. An iteration is one L-BFGS step of every start; a start that has converged stays where it
    is."""

    elastic, partial = True, False

    def __init__(self, target: Target, method: Any, jacobian: bool | None = None):
        self.target, self.method = target, method
        self.jacobian = method.jacobian if jacobian is None else jacobian
        self.total, self.width = method.iterations, method.starts
        self.chunk = 50  # how often convergence is looked at

    @cached_property
    def layout(self) -> Layout:
        return layout(self.target)

    @cached_property
    def _shared(self) -> Callable[[Float[Array, " d"], Any], Float[Array, ""]]:
        return differentiated_once(self._maximised)

    @property
    def log_density(self) -> Callable[[Float[Array, " d"]], Float[Array, ""]]:
        """What is maximised, on vectors."""
        fixed = self.arrays if self.fixed is None else self.fixed
        return lambda u: self._shared(u, fixed)

    @property
    def search(self) -> Lbfgs:
        density = self.log_density
        return Lbfgs(lambda u: -density(u))

    def _maximised(self, vector: Float[Array, " d"], arrays: Any) -> Float[Array, ""]:
        target, unconstrained = self.rebuilt(arrays), self.layout.unravel(vector)
        if self.jacobian:
            return target.log_density_unconstrained(unconstrained)
        return target.log_density(target.constrain(unconstrained)[0])

    def start(self, key: UInt32[Array, " 2"]) -> State:
        key_start, key_draw = jax.random.split(typed_key(key))
        found = random_points(
            key_start,
            lambda u: evaluate(self.log_density, u),
            self.width,
            self.layout.size,
            self.method.init_radius,
            self.layout.dtype,
        )
        memory = tuple(jax.tree.leaves(jax.vmap(self.search.init)(found["point"]["position"])))
        return canonical(
            {
                "key": jax.random.key_data(key_draw),
                "start": found,
                "memory": memory,
                "steps": jnp.zeros((self.width,), jnp.int32),
                "converged": jnp.zeros((self.width,), bool),
            }
        )

    def inspect(self, first: State) -> None:
        require_start(self.target, self.layout, first["start"], self.method.init_radius)

    def carry(self, first: State) -> State:
        return {"point": first["start"]["point"], **{k: v for k, v in first.items() if k != "start"}}

    def advance(self, state: State, begin: Int[Array, ""], end: Int[Array, ""]) -> tuple[State, Records]:
        vector = jax.ShapeDtypeStruct((self.layout.size,), self.layout.dtype)
        search_by = self.search
        structure = jax.tree.structure(jax.eval_shape(search_by.init, vector))

        def step(search: State) -> State:
            memory = jax.tree.unflatten(structure, search["memory"])
            position, memory, cost, gradient = search_by.step(search["point"]["position"], memory)
            reachable = max(self.method.tolerance, 100 * float(jnp.finfo(cost.dtype).eps))
            converged = jnp.max(jnp.abs(gradient), initial=0.0) <= reachable * jnp.maximum(1.0, jnp.abs(cost))
            here = {"position": search["point"]["position"], "log_density": -cost, "gradient": gradient}
            moves = ~converged & jnp.all(jnp.isfinite(position))
            next_point = {**here, "position": jnp.where(moves, position, here["position"])}
            new = {
                "point": next_point,
                "memory": tuple(jax.tree.leaves(memory)),
                "steps": search["steps"] + 1,
                "converged": converged,
            }
            return jax.tree.map(lambda a, b: jnp.where(search["converged"], a, b.astype(a.dtype)), search, new)

        moving = {k: v for k, v in state.items() if k != "key"}
        moving = jax.lax.fori_loop(begin, end, lambda _, s: canonical(jax.vmap(step)(s)), moving)
        return {"key": state["key"], **moving}, {}

    def done(self, state: State) -> bool:
        return bool(np.all(np.asarray(state["converged"])))

    def best(self, state: State) -> tuple[np.ndarray, float, tuple[str, ...], tuple[str, ...]]:
        """The best position [d], its log density, warnings and notes."""
        density = np.where(np.isfinite(state["point"]["log_density"]), state["point"]["log_density"], -np.inf)
        converged, steps = np.asarray(state["converged"]), np.asarray(state["steps"])
        chosen = int(np.argmax(density))
        warnings, notes = [], []
        if not converged[chosen]:
            slope = float(np.max(np.abs(state["point"]["gradient"][chosen]), initial=0.0))
            warnings.append(
                f"the search stopped after {int(steps[chosen])} iterations with a gradient of {slope:.3g}: "
                "the density may have no maximum "
                "(a scale that goes to zero does this); try more iterations, or jacobian=true, or nuts"
            )
        ends = density[converged]
        if ends.size > 1 and np.ptp(ends) > 1e-3 * max(1.0, abs(density[chosen])):
            notes.append(
                f"the starts ended in different modes, with log densities from {ends.min():.6g} to {ends.max():.6g}"
            )
        included = "included" if self.jacobian else "not included"
        notes.append(
            f"log density {density[chosen]:.6g} at the mode (log Jacobian {included}); "
            f"{int(converged.sum())} of {converged.size} starts converged, "
            f"the best one in {int(steps[chosen])} iterations"
        )
        return np.asarray(state["point"]["position"])[chosen], float(density[chosen]), tuple(warnings), tuple(notes)

    def finish(self, state: State, records: Records) -> Finished:
        position, density, warnings, notes = self.best(state)
        return Finished(position[None, None], {"lp": np.full((1, 1), density)}, warnings=warnings, notes=notes)

    def complete(self, key: PRNGKeyArray, sample: Float[Array, " d"]) -> Execution:
        return self.target.complete(key, constrained(self.target, self.layout)(sample))

    def sample_shape(self) -> Any:
        return jax.ShapeDtypeStruct((self.layout.size,), self.layout.dtype)

    def work(self) -> float:
        position = np.zeros(self.layout.size, self.layout.dtype)
        each = elementary_operations(jax.value_and_grad(self.log_density), position)
        return self.width * min(self.total, _TYPICAL_STEPS) * _EVALUATIONS * each
