"""The fit of an objective by stochastic gradients, in chunks of steps that are one compiled loop each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, UInt32

from ppl.core.errors import NumericalError
from ppl.core.objective import ObjectiveProgram
from ppl.core.target import Target
from ppl.inference.adapters.optax import Ascent
from ppl.inference.program import (
    Finished,
    Program,
    Records,
    State,
    canonical,
    elementary_operations,
    typed_key,
)
from ppl.inference.run import Bound, Fit
from ppl.inference.variational import pareto, progress

_CHUNK = 500  # steps in one call of the compiled program, at most
_EVALUATIONS = 1000  # estimates of the objective at the end
_SHOWN = 12  # fitted numbers in the notes
_BLOCK = 100  # of them at once


class _Place:
    """Stands for an array: a leaf of a PyTree."""

    def __init__(self, index: int):
        self.index = index


class VariationalFit(Program):
    """Maximises ``objective`` by ``optimiser``: at each step the gradient of the mean of ``particles`` surrogates, so
    that the draws share one reverse pass. ``method`` gives steps, particles, window, halvings, tolerance and draws;
    ``lower_bound``: whether the objective is one on log Z, and ``label`` what it is called. ``particles``: where the
    objective averages by itself. ``weight``: an objective whose values are log γ(z)/q(z) of one draw of the guide, for
    the diagnosis. ``settle(target, params)``: the target at fitted parameters of the model, for completing draws.

    A step whose objective or gradient is not finite ends the fit with an error. The result is the average of the
    parameters over the last window. Step i uses the key fold_in(key, i), so results do not depend on chunks."""

    elastic = True

    def __init__(
        self,
        target: Target,
        objective: ObjectiveProgram,
        optimiser: Any,
        method: Any,
        label: str,
        lower_bound: bool,
        notes: tuple[str, ...] = (),
        particles: int | None = None,
        weight: ObjectiveProgram | None = None,
        settle: Callable[[Target, Any], Target] | None = None,
    ):
        self.target, self.objective, self.method = target, objective, method
        self.optimiser, self.label, self.lower_bound, self.notes = Ascent(optimiser), label, lower_bound, notes
        self.particles = method.particles if particles is None else particles
        self.weight, self.settle = weight, settle
        self.total, self.chunk = method.steps, min(_CHUNK, method.steps)

    @property
    def kept(self) -> int:
        return self.method.draws

    def held(self) -> Any:
        """The objective holds the target too; its arrays are arguments of the compiled programs like the target's."""
        return self.target, self.objective, self.weight

    def at(self, arrays: tuple[Array, ...]) -> Self:
        other = super().at(arrays)
        other.target, other.objective, other.weight = self._parts[1](arrays)
        return other

    def rebuilt(self, arrays: tuple[Array, ...]) -> Target:
        return self._parts[1](arrays)[0]

    # Parameters and the optimiser's memory may be any PyTrees; states are tuples of arrays.

    def _first(self, key: PRNGKeyArray) -> tuple[Any, Any]:
        params = self.objective.initial(key)
        return params, self.optimiser.init(params)

    def _structure(self) -> Any:
        return jax.tree.structure(jax.eval_shape(self._first, jax.random.key(0)))

    def _value(self, params: Any, key: PRNGKeyArray) -> Float[Array, ""]:
        keys = jax.random.split(key, self.particles)
        return jnp.mean(jax.vmap(lambda k: self.objective.surrogate(params, k))(keys))

    def start(self, key: UInt32[Array, " 2"]) -> State:
        params, memory = self._first(jax.random.fold_in(typed_key(key), 0))
        leaves = tuple(jax.tree.leaves(params))
        dtype = jnp.result_type(float, *leaves)
        return canonical(
            {
                "key": jnp.asarray(key),
                "leaves": tuple(jax.tree.leaves((params, memory))),
                "progress": progress.begin(leaves, dtype),
                "failed": jnp.int32(-1),
                "value": jnp.zeros((), dtype),
            }
        )

    def advance(self, state: State, begin: Int[Array, ""], end: Int[Array, ""]) -> tuple[State, Records]:
        structure = self._structure()
        history = jnp.full((self.chunk,), jnp.nan, state["value"].dtype)

        def step(i: Array, carry: tuple[State, Array]) -> tuple[State, Array]:
            now, history = carry
            new, value = self._step(now, i, structure)
            still = ~now["progress"]["converged"] & (now["failed"] < 0)
            kept = jax.tree.map(lambda a, b: jnp.where(still, b.astype(a.dtype), a), now, new)
            return kept, history.at[i - begin].set(jnp.where(still, value, jnp.nan))

        state, history = jax.lax.fori_loop(begin, end, step, (canonical(state), history))
        return state, {"objective": history}

    def _step(self, state: State, i: Int[Array, ""], structure: Any) -> tuple[State, Float[Array, ""]]:
        params, memory = jax.tree.unflatten(structure, state["leaves"])
        key = jax.random.fold_in(jax.random.fold_in(typed_key(state["key"]), 1), i)
        value, gradient = jax.value_and_grad(self._value)(params, key)
        moved, memory = self.optimiser.step(params, gradient, memory, progress.scale(state["progress"]))
        fine = _finite(value, gradient)
        gains = progress.record(
            state["progress"],
            value,
            tuple(jax.tree.leaves(moved)),
            i,
            self.method.window,
            self.method.halvings,
            self.method.tolerance,
        )
        taken = {
            "key": state["key"],
            "leaves": tuple(jax.tree.leaves((moved, memory))),
            "progress": gains,
            "failed": state["failed"],
            "value": value,
        }
        stopped = {**state, "failed": i.astype(jnp.int32), "value": value}
        return jax.tree.map(lambda a, b: jnp.where(fine, a.astype(b.dtype), b), taken, stopped), value

    def done(self, state: State) -> bool:
        return bool(state["progress"]["converged"]) or int(state["failed"]) >= 0

    def finish(self, state: State, records: Records) -> Finished:
        if int(state["failed"]) >= 0:
            raise self._not_finite(state)
        params = self._final(state)
        found = jax.jit(lambda arrays, p, k: self.at(arrays)._found(p, k))(
            self.arrays, params, typed_key(jnp.asarray(state["key"]))
        )
        if self.settle is not None:
            self._settled(self.settle(self.target, params))
        named, trace, log_ratio, estimates = jax.tree.map(np.asarray, found)
        bound = Bound(
            self.label,
            float(estimates.mean()),
            float(estimates.std(ddof=1) / np.sqrt(estimates.size)),
            self.lower_bound,
        )
        shape = None if log_ratio is None else pareto.khat(log_ratio)
        warnings, notes = self._judged(state, records, shape)
        return Finished(
            {v.name: trace[v.name][None] for v in self.target.latents},
            {"log_ratio": log_ratio[None]} if hasattr(self.objective, "log_weight") else {},
            warnings=warnings,
            notes=(*self.notes, *_shown(named), *notes),
            fit=Fit(named, *self._history(records), bound, shape),
        )

    def _settled(self, target: Target) -> None:
        """Puts ``target`` in the place of this fit's own. Its arrays keep their places and types among the arguments of
        the compiled programs, also those that the objective holds too: draws are completed by the target alone."""
        arrays, rebuilt = self._parts
        places = jax.tree.leaves(rebuilt(tuple(_Place(k) for k in range(len(arrays))))[0])
        new = list(arrays)
        for place, leaf in zip(places, jax.tree.leaves(target), strict=True):
            if isinstance(place, _Place):
                new[place.index] = jnp.asarray(leaf, arrays[place.index].dtype)
        self.target, self._parts = target, (tuple(new), rebuilt)

    def _final(self, state: State) -> Any:
        """The parameters averaged over the last window, or the last ones where no window was closed."""
        params = jax.tree.unflatten(self._structure(), [jnp.asarray(a) for a in state["leaves"]])[0]
        if int(state["progress"]["windows"]) == 0:
            return params
        return jax.tree.unflatten(jax.tree.structure(params), [jnp.asarray(a) for a in state["progress"]["final"]])

    def _found(self, params: Any, key: PRNGKeyArray) -> tuple[dict[str, Array], Any, Array | None, Array]:
        """Named parameters; draws of the guide, and log γ(z)/q(z): of these draws where the objective gives both, else
        of others; estimates of the objective."""
        objective, weight = self.objective, self.weight
        key = jax.random.fold_in(key, 2)

        def draw(k: PRNGKeyArray) -> tuple[Any, Array | None]:
            if hasattr(objective, "log_weight"):
                return objective.log_weight(params, k)
            log_ratio = None if weight is None else weight.surrogate(params, jax.random.fold_in(k, 1))
            return objective.sample(params, k), log_ratio

        trace, log_ratio = _in_blocks(draw, jax.random.fold_in(key, 0), self.method.draws)
        estimates = _in_blocks(lambda k: objective.surrogate(params, k), jax.random.fold_in(key, 1), _EVALUATIONS)
        return objective.constrain(params), trace, log_ratio, estimates

    def _history(self, records: Records) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of each window: the number of steps at its end, the mean of the objective and its standard error."""
        values = np.asarray(records["objective"], float) if records else np.zeros(0)
        values = values[~np.isnan(values)]
        size = min(self.method.window, max(1, values.size))
        parts = values[: values.size // size * size].reshape(-1, size)
        error = parts.std(axis=1, ddof=1) / np.sqrt(size) if size > 1 else np.full(len(parts), np.nan)
        return size * np.arange(1, len(parts) + 1), parts.mean(axis=1), error

    def _judged(self, state: State, records: Records, shape: float | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
        warnings, notes = [], []
        taken = int(np.count_nonzero(~np.isnan(records["objective"]))) if records else 0
        gains = state["progress"]
        if bool(gains["converged"]):
            notes.append(f"converged in {taken} steps: no gain in {progress.PATIENCE} windows of {self.method.window}")
        elif self.method.halvings > 0 and int(gains["halvings"]) == 0:
            warnings.append(
                f"the objective still grew when the fit ended after {taken} steps; run longer: steps={10 * taken}"
            )
        else:
            notes.append(f"all {taken} steps were taken")
        chosen = _strategies(self.objective)
        if chosen:
            notes.append(chosen)
        if shape is not None and not np.isnan(shape):
            notes.append(f"Pareto k̂ of the importance weights: {shape:.2f} (good below {pareto.LIMIT})")
            if shape > pareto.LIMIT:
                warnings.append(
                    f"the guide is far from the posterior: Pareto k̂ of its importance weights is {shape:.2f} "
                    f"(should be at most {pareto.LIMIT}); "
                    "take a richer guide, such as guide=full_rank or guide=flow, or use nuts"
                )
        return tuple(warnings), tuple(notes)

    def _not_finite(self, state: State) -> NumericalError:
        value = float(state["value"])
        what = (
            f"the objective is {value:g}" if not np.isfinite(value) else "the gradient of the objective is not finite"
        )
        return NumericalError(
            f"{what} in step {int(state['failed'])} of the fit",
            notes=(f"{self.label}, {self.method.particles} particles, {self.method.expression()}",),
            helps=(
                "take shorter steps: optimiser=adam(0.001)",
                "start at the mode: start=laplace",
                "or look in the model for a division by zero, a scale that underflows, or a support the guide leaves",
            ),
        )

    def work(self) -> float:
        key = jax.random.key(0)
        params = jax.eval_shape(lambda: self._first(key)[0])
        return self.total * elementary_operations(jax.value_and_grad(self._value), params, key)


def _in_blocks(function: Callable[[PRNGKeyArray], Any], key: PRNGKeyArray, n: int) -> Any:
    return jax.lax.map(function, jax.random.split(key, n), batch_size=_BLOCK)


def _finite(value: Array, gradient: Any) -> Array:
    return jnp.isfinite(value) & jnp.all(
        jnp.stack([jnp.all(jnp.isfinite(g)) for g in jax.tree.leaves(gradient)] or [True])
    )


def _shown(params: dict[str, np.ndarray]) -> tuple[str, ...]:
    """Fitted parameters that are numbers and have names of the user's: those of automatic guides have a dot."""
    numbers = [f"{n} = {float(a):.4g}" for n, a in params.items() if "." not in n and np.ndim(a) == 0]
    more = f", … ({len(numbers) - _SHOWN} more)" if len(numbers) > _SHOWN else ""
    return (f"fitted: {', '.join(numbers[:_SHOWN])}{more}",) if numbers else ()


def _strategies(objective: ObjectiveProgram) -> str:
    """``gradients: z by enum (finitely many values), x by reparam``."""
    by_kind: dict[tuple[str, str], list[str]] = {}
    for s in objective.strategies:
        reason = f"{s.reason}; biased" if s.claim == "biased" else s.reason
        by_kind.setdefault((s.strategy, reason), []).append(s.site)
    parts = [
        f"{', '.join(f'`{n}`' for n in names)} by {kind}" + (f" ({why})" if why else "")
        for (kind, why), names in by_kind.items()
    ]
    return "gradients: " + "; ".join(parts) if parts else ""
