"""Adaptive Hamiltonian sampling: many chains side by side, warm-up and sampling by one compiled step."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, UInt32

from ppl.core.target import Execution, Target
from ppl.inference.flat import Layout, constrained, differentiated_once, evaluate, layout
from ppl.inference.mcmc.diagnose import warnings_of
from ppl.inference.mcmc.initial import random_points, require_start
from ppl.inference.mcmc.schedule import Stage, stages
from ppl.inference.program import Finished, Program, Records, State, canonical, elementary_operations, joined, typed_key

if TYPE_CHECKING:
    from ppl.inference.adapters.blackjax import Adaptation, LogDensity, Transition

_CHUNK = 256  # iterations in one call of the compiled program, at most
_CHUNK_BYTES = 2**28  # taken by their records, at most
_TYPICAL_STEPS = 16  # leapfrog steps of an iteration, for the estimate of work


class Hamiltonian(Program):
    """``method`` gives chains, warmup, draws, target_accept, metric, step_size, init_radius; ``kernel`` makes the
    transition of one chain from a log density on vectors.

    State: ``{"key", "point": {position, log_density, gradient}, "adaptation"}``, every leaf but the key with a
    leading chain axis. Iteration i of chain c uses fold_in(fold_in(key, c), i), so draws depend neither on chunks nor
    on other chains."""

    elastic = True

    def __init__(
        self, target: Target, method: Any, kernel: Callable[[LogDensity], Transition], max_depth: int | None = None
    ):
        self.target, self.method, self.kernel, self.max_depth = target, method, kernel, max_depth
        self.width, self.warmup = method.chains, method.warmup
        self.total = method.warmup + method.draws
        row = 8 * self.width * (sum(math.prod(v.shape) for v in target.latents) + 8)
        self.chunk = max(1, min(_CHUNK, self.total, _CHUNK_BYTES // row))

    # Made when first needed: a run whose programs come from the cache of compiled programs needs none of them.

    @cached_property
    def layout(self) -> Layout:
        return layout(self.target)

    @cached_property
    def _shared(self) -> Callable[[Float[Array, " d"], Any], Float[Array, ""]]:
        where = self.layout
        return differentiated_once(lambda u, arrays: self.rebuilt(arrays).log_density_unconstrained(where.unravel(u)))

    @property
    def log_density(self) -> LogDensity:
        """The log density on vectors, log Jacobian included."""
        fixed = self.arrays if self.fixed is None else self.fixed
        return lambda u: self._shared(u, fixed)

    @cached_property
    def adaptation(self) -> Adaptation:
        from ppl.inference.adapters.blackjax import Adaptation

        return Adaptation(self.method.target_accept, dense=self.method.metric == "dense")

    def start(self, key: UInt32[Array, " 2"]) -> State:
        key_start, key_run = jax.random.split(typed_key(key))
        found = random_points(
            key_start,
            lambda u: evaluate(self.log_density, u),
            self.width,
            self.layout.size,
            self.method.init_radius,
            self.layout.dtype,
        )
        adaptation = jax.vmap(lambda _: self.adaptation.init(self.layout.size, self.method.step_size))(
            jnp.arange(self.width)
        )
        return canonical({"key": jax.random.key_data(key_run), "start": found, "adaptation": adaptation})

    def inspect(self, first: State) -> None:
        require_start(self.target, self.layout, first["start"], self.method.init_radius)

    def carry(self, first: State) -> State:
        return {"key": first["key"], "point": first["start"]["point"], "adaptation": first["adaptation"]}

    def advance(self, state: State, begin: Int[Array, ""], end: Int[Array, ""]) -> tuple[State, Records]:
        chain_keys = jax.vmap(lambda c: jax.random.fold_in(typed_key(state["key"]), c))(jnp.arange(self.width))
        schedule = jnp.asarray(stages(self.warmup, self.total - self.warmup))
        moving = {"point": state["point"], "adaptation": state["adaptation"]}
        transition = self.kernel(self.log_density)
        iteration = jax.jit(
            partial(self._iteration, transition)
        )  # traced once, for the shapes of its records and for the loop

        def iterate(i: Array, carry: tuple[State, Records]) -> tuple[State, Records]:
            moved, record = iteration(i, schedule[i], chain_keys, carry[0])
            return moved, jax.tree.map(lambda rows, row: rows.at[i - begin].set(row), carry[1], record)

        shapes = jax.eval_shape(iteration, begin, schedule[0], chain_keys, moving)[1]
        rows = jax.tree.map(lambda s: jnp.zeros((self.chunk, *s.shape), s.dtype), shapes)
        moving, rows = jax.lax.fori_loop(begin, end, iterate, (moving, rows))
        return {"key": state["key"], **moving}, rows

    def _iteration(
        self, transition: Transition, i: Array, stage: Array, chain_keys: PRNGKeyArray, state: State
    ) -> tuple[State, Records]:
        keys = jax.vmap(lambda k: jax.random.fold_in(k, i))(chain_keys)
        adaptation = state["adaptation"]
        point, info = jax.vmap(transition)(keys, state["point"], adaptation["step_size"], adaptation["inverse_mass"])
        adapted = jax.lax.cond(
            stage == Stage.SAMPLE,
            lambda a: a,
            lambda a: canonical(
                jax.vmap(self._adapt, in_axes=(None, 0, 0, 0))(stage, a, point["position"], info["acceptance_rate"])
            ),
            adaptation,
        )
        stats = {**info, "lp": point["log_density"], "step_size": adaptation["step_size"]}
        return {"point": point, "adaptation": adapted}, {"position": point["position"], "stats": stats}

    def _adapt(
        self, stage: Array, state: dict[str, Any], position: Float[Array, " d"], accept: Float[Array, ""]
    ) -> dict[str, Any]:
        """One chain's adaptation. Stages are told apart by selection, not by branches: the work is small, and a
        branch would be compiled once per stage."""

        def where(condition: Array, then: Any, otherwise: Any) -> Any:
            return jax.tree.map(lambda a, b: jnp.where(condition, a, b), then, otherwise)

        state = self.adaptation.update_step_size(state, accept)
        slow = (stage == Stage.SLOW) | (stage == Stage.WINDOW)
        state = where(slow, self.adaptation.accumulate(state, position), state)
        state = where(stage == Stage.WINDOW, self.adaptation.end_window(state), state)
        return where(stage == Stage.LAST, self.adaptation.final_step_size(state), state)

    def finish(self, state: State, records: Records) -> Finished:
        kept = joined(records)
        stats = kept["stats"]
        return Finished(kept["position"], stats, warnings=warnings_of(stats, self.max_depth, self.method.target_accept))

    def complete(self, key: PRNGKeyArray, sample: Float[Array, " d"]) -> Execution:
        return self.target.complete(key, constrained(self.target, self.layout)(sample))

    def sample_shape(self) -> Any:
        return jax.ShapeDtypeStruct((self.layout.size,), self.layout.dtype)

    def work(self) -> float:
        steps = self.total * self.width * getattr(self.method, "steps", _TYPICAL_STEPS)
        return steps * elementary_operations(
            jax.value_and_grad(self.log_density), np.zeros(self.layout.size, self.layout.dtype)
        )
