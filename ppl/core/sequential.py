"""The suspended form of a target: a path of measures γ₁, …, γ_T = γ, cut at the observations.

A particle's state holds what the rest of the program still reads (the live variables) and nothing else.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from ppl.core.errors import MethodError


class At(eqx.Module):
    """A step that is known to lie in one of the ``segments`` of a target."""

    step: Int[Array, ""]
    segment: int = eqx.field(static=True)


class SequentialTarget(eqx.Module):
    """Abstract. ``length`` is T, the number of observations (or groups of them) at which the program is suspended.

    ``segments``: lengths of successive runs of steps that the same code makes, if the target has such; it takes an
    ``At`` in place of a step then, and what code runs is decided when compiling, not in each step.

    Law: with (s, w₀) = ``start`` and (sₜ, wₜ) = ``advance``, E[exp(w₀ + Σₜ wₜ) f] = ∫ γ f, f a function of the
    records."""

    length: eqx.AbstractVar[int]

    @property
    def segments(self) -> tuple[int, ...] | None:
        return None

    @abstractmethod
    def start(self, key: PRNGKeyArray) -> tuple[Any, Float[Array, ""]]:
        """The state before the first observation and the log weight up to there (factors before it)."""

    @abstractmethod
    def advance(self, key: PRNGKeyArray, state: Any, step: Int[Array, ""]) -> tuple[Any, Any, Float[Array, ""]]:
        """Runs to just behind observation ``step`` (counted from 0): new state, record (the values drawn in this step,
        for trajectories), and the incremental log weight log γₜ₊₁/(γₜ · proposal)."""


class TracedSequentialTarget(SequentialTarget):
    """Abstract. States are traces with known densities along the path, so that kernels can move them between steps."""

    @abstractmethod
    def log_density_at(self, trace: Any, step: Int[Array, ""]) -> Float[Array, ""]:
        """log γ after ``step`` observations at the trace; parts of a trace that are not drawn yet do not count."""


class ConditionalSequentialTarget(SequentialTarget):
    """Abstract. Steps can be replayed with given draws: what conditional SMC and backward simulation need."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the latents that are drawn before the first observation and stay: what PMMH and SMC² sample."""
        return ()

    def conditioned(self, trace: dict[str, Array]) -> ConditionalSequentialTarget:
        """This target with ``parameters`` fixed; their prior density is not part of its weights."""
        raise MethodError("this target has no parameters that could be fixed")

    def log_prior(self, unconstrained: dict[str, Array]) -> Float[Array, ""]:
        """Log prior density of ``parameters`` at their unconstrained values, log |∂z/∂u| included."""
        raise MethodError("this target has no parameters")

    def trace(self, state: Any, records: Any) -> dict[str, Array]:
        """The latents of one particle, from its final state and its records (leading axis: the steps)."""
        return {"state": state, "records": records}

    def kept(self, state: Any) -> dict[str, Array]:
        """The latents that a state holds whole: what is left of a trace where records are not kept."""
        return {}

    @property
    def markov_from(self) -> int | None:
        """The first step such that there and later the state behind a step is a function of the step's record alone:
        then ``extend`` is all that ties a step to the particle before, and trajectories can be recombined. None if
        none."""
        return None

    def observation(self, step: int) -> str:
        """What is observed in ``step``, in words: named when every particle dies there."""
        return f"observation {step}"

    @abstractmethod
    def replay(self, state: Any, record: Any, step: Int[Array, ""]) -> tuple[Any, Float[Array, ""]]:
        """``advance`` with the draws of ``record``: the new state and the incremental log weight."""

    def observe(self, state: Any, step: Int[Array, ""]) -> tuple[Any, Float[Array, ""]]:
        """``replay`` of a step without latents of its own: the new state and the log density of what is observed,
        summed over the discrete variables that the compiler sums out."""
        raise MethodError("the steps of this target are not known to be free of latents")

    @abstractmethod
    def log_transition(self, state: Any, record: Any, step: Int[Array, ""]) -> Float[Array, ""]:
        """The log density of drawing ``record`` in ``step`` from ``state``."""

    def extend(self, state: Any, record: Any, step: Int[Array, ""]) -> tuple[Any, Float[Array, ""]]:
        """The new state, and log γₜ₊₁/γₜ of the path that ``record`` extends: draws, observations and factors."""
        new, log_weight = self.replay(state, record, step)
        return new, log_weight + self.log_transition(state, record, step)

    def merged(self, states: Any, step: Int[Array, ""]) -> Bool[Array, ""]:
        """Whether ``states`` (leading axis: particles) agree in all that ``step`` and what follows it can read."""
        return agree(states)


def agree(states: Any) -> Bool[Array, ""]:
    """Whether all rows are equal, in every leaf."""
    leaves = [jnp.asarray(leaf) for leaf in jax.tree.leaves(states)]
    return jnp.all(jnp.stack([jnp.asarray(True), *(jnp.all(leaf == leaf[:1]) for leaf in leaves)]))
