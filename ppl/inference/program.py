"""A method bound to a target, cut into pieces that the runtime compiles and drives.

    state = carry(start(key));  repeat state, records = advance(state, i, j);  finish(state, records)

Laws: draws depend on the iteration's number and the key alone, so ``advance(s, i, k)`` and ``advance(s, i, j)``
followed by ``advance(s', j, k)`` give the same states and records, bit for bit; a run can therefore be cut, saved and
continued anywhere."""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray, UInt32

from ppl.core.target import Execution, Target
from ppl.inference.run import Evidence, Fit

State = Any  # a PyTree of dicts and tuples of arrays: it is written into checkpoints and compiled programs
Records = dict[str, Any]  # every leaf has a leading axis of iterations


class Finished(NamedTuple):
    """What a method leaves: ``samples``, a PyTree with leading axes [chain, draw] whose elements ``Program.complete``
    takes; ``stats`` name → [chain, draw]; ``log_weights`` [chain, draw] or None; what is to be said of the run;
    ``fit``, where parameters were fitted."""

    samples: Any
    stats: dict[str, np.ndarray]
    log_weights: np.ndarray | None = None
    evidence: Evidence | None = None
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    fit: Fit | None = None


class Program(ABC):
    """Abstract. ``total`` iterations, of which the first ``warmup`` leave no records; at most ``chunk`` in one call
    of ``advance``; ``width``: draws kept per iteration (chains). ``elastic``: a call costs in proportion to its
    iterations, so that calls may be as short as progress asks for. ``partial``: the records of a part of the
    iterations are a result."""

    target: Target
    fixed: tuple[Array, ...] | None = None  # the arrays of a program made by ``at``
    total: int
    warmup: int = 0
    chunk: int
    width: int = 1
    elastic: bool = False
    partial: bool = True

    def held(self) -> Any:
        """What holds arrays: the target, or a PyTree with more than it."""
        return self.target

    @cached_property
    def _parts(self) -> tuple[tuple[Array, ...], Callable[[tuple[Any, ...]], Any]]:
        arrays, rest = eqx.partition(self.held(), eqx.is_array)
        leaves, structure = jax.tree.flatten(arrays)
        distinct = list({id(a): a for a in leaves}.values())  # held in several places, passed once
        where = {id(a): k for k, a in enumerate(distinct)}
        places = [where[id(a)] for a in leaves]

        def rebuilt(given: tuple[Any, ...]) -> Any:
            return eqx.combine(jax.tree.unflatten(structure, [given[k] for k in places]), rest)

        return tuple(distinct), rebuilt

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The arrays that the target holds, its data above all. They are arguments of the compiled programs: as
        constants they would be copied into every program and folded by XLA, which for large data takes minutes."""
        return self._parts[0]

    def rebuilt(self, arrays: tuple[Array, ...]) -> Target:
        """The target with other arrays in the place of its own."""
        return self._parts[1](arrays)

    def at(self, arrays: tuple[Array, ...]) -> Self:
        """This program for the target ``rebuilt(arrays)``."""
        other = copy.copy(self)
        other.target = self.rebuilt(arrays)
        other.fixed = arrays
        return other

    @property
    def kept(self) -> int:
        """How many draws the result will have."""
        return (self.total - self.warmup) * self.width

    @abstractmethod
    def start(self, key: UInt32[Array, " 2"]) -> State:
        """The first state, from the raw data of a key. Pure, compiled."""

    def inspect(self, first: State) -> None:  # noqa: B027 - most methods can go on from any start
        """Looks at what ``start`` gave, on the host: raises NumericalError (exit code 5) where there is no way to go
        on."""

    def carry(self, first: State) -> State:
        """The part of what ``start`` gave that ``advance`` works on."""
        return first

    @abstractmethod
    def advance(self, state: State, begin: Int[Array, ""], end: Int[Array, ""]) -> tuple[State, Records]:
        """Iterations begin … end − 1. Pure, compiled. Records have ``chunk`` rows, of which the first end − begin
        count."""

    def done(self, state: State) -> bool:
        """Whether the run may stop before ``total``."""
        return False

    @abstractmethod
    def finish(self, state: State, records: Records) -> Finished:
        """What was found, from the records kept (numpy arrays, all chunks joined); empty where no iteration was
        kept."""

    def complete(self, key: PRNGKeyArray, sample: Any) -> Execution:
        """One sample made whole. Pure, compiled under ``vmap``."""
        return self.target.complete(key, sample)

    def sample_shape(self) -> Any:
        """A sample as ``jax.ShapeDtypeStruct``s."""
        return {
            v.name: jax.ShapeDtypeStruct(v.shape, jax.dtypes.canonicalize_dtype(v.dtype)) for v in self.target.latents
        }

    def work(self) -> float:
        """Elementary operations of the whole run, in order of magnitude; infinite where unknown."""
        return float("inf")


def batch(target: Target, most: int, budget: int = 2**28) -> int:
    """How many traces to handle at once, ``most`` at most, so that their arrays (latents, and the data that each may
    be compared with or draw anew) take about ``budget`` bytes."""
    held = sum(a.size for a in jax.tree.leaves(eqx.filter(target, eqx.is_array)))
    each = 8 * (held + sum(math.prod(v.shape) for v in target.latents)) + 64
    return max(1, min(most, budget // each))


def typed_key(key: UInt32[Array, " 2"]) -> PRNGKeyArray:
    """A JAX key from its raw data, which unlike a typed key can be written to a file."""
    return jax.random.wrap_key_data(key, impl="threefry2x32")


def joined(records: Records) -> Records:
    """[iteration, chain, …] → [chain, draw, …]."""
    return jax.tree.map(lambda a: np.moveaxis(np.asarray(a), 0, 1), records)


def elementary_operations(function: Callable[..., Any], *args: Any) -> float:
    """Elements that ``function`` writes; see ``written``."""
    return written(jax.make_jaxpr(function)(*args).jaxpr)


def written(jaxpr: Any) -> float:
    """Elements written by a jaxpr, matrix products counted by their multiplications, loops once per trip where the
    number of trips is known and once where it is not."""
    total = 0.0
    for equation in jaxpr.eqns:
        params = [p for q in equation.params.values() for p in (q if isinstance(q, tuple) else (q,))]
        inner = [getattr(p, "jaxpr", p) for p in params if hasattr(getattr(p, "jaxpr", p), "eqns")]
        if inner:
            trips = equation.params["length"] if equation.primitive.name == "scan" else 1
            total += trips * sum(map(written, inner))
        elif equation.primitive.name == "dot_general":
            (contracted, _), _ = equation.params["dimension_numbers"]
            left = equation.invars[0].aval.shape
            total += equation.outvars[0].aval.size * math.prod(left[d] for d in contracted)
        else:
            total += sum(v.aval.size for v in equation.outvars if hasattr(v.aval, "size"))
    return total


def log_mean_exp(log_weights: Float[np.ndarray, " n"]) -> float:
    """log (1/n) Σ exp(log wᵢ), −∞ where every weight is zero."""
    top = float(np.max(log_weights))
    if not np.isfinite(top):
        return top
    return top + float(np.log(np.mean(np.exp(log_weights - top))))


def canonical(state: State) -> State:
    """The state with strong types, so that a loop's carry keeps its type."""
    return jax.tree.map(lambda a: jax.lax.convert_element_type(a, jnp.asarray(a).dtype), state)
