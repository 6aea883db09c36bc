"""Every combination of the values of finite latents, numbered as in a mixed-radix number."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, PRNGKeyArray, UInt32

from ppl.core.errors import NumericalError
from ppl.core.target import Execution, Target, Trace
from ppl.inference.program import Finished, Program, Records, State, batch
from ppl.inference.run import Evidence

_COMPLETIONS = 4000  # draws in all, where states are completed at random


class Enumeration(Program):
    """State number i has weight γ(zᵢ): ⟦r⟧ f = Σᵢ γ(zᵢ) f(zᵢ) exactly, and Z = Σᵢ γ(zᵢ).

    The values of a latent are ``support_values`` where it has them and 0, 1, …, support_size − 1 otherwise; values
    that an element cannot take have density zero. States of zero weight are dropped from the result."""

    partial = False

    def __init__(self, target: Target, count: int):
        self.target, self.total = target, count
        self.chunk = batch(target, min(count, 4096))

    def trace(self, index: Int[Array, ""]) -> Trace:
        """The state numbered ``index``; the last element of the last latent moves fastest."""
        found: Trace = {}
        for latent in reversed(self.target.latents):
            radix, elements = int(latent.support_size or 1), math.prod(latent.shape)
            digits = []
            for _ in range(elements):
                digits.append(index % radix)
                index = index // radix
            whole = jnp.stack(digits[::-1]).reshape(latent.shape) if elements else jnp.zeros(latent.shape, index.dtype)
            values = getattr(latent, "support_values", None)
            whole = whole if values is None else jnp.asarray(values)[whole]
            found[latent.name] = whole.astype(jax.dtypes.canonicalize_dtype(latent.dtype))
        return {v.name: found[v.name] for v in self.target.latents}

    def start(self, key: UInt32[Array, " 2"]) -> State:
        return {"key": jnp.asarray(key)}

    def advance(self, state: State, begin: Int[Array, ""], end: Int[Array, ""]) -> tuple[State, Records]:
        index = begin + jnp.arange(self.chunk, dtype=jnp.int32)
        log_weight = jax.vmap(lambda i: self.target.log_density(self.trace(i)))(index)
        return state, {"index": index[:, None], "log_weight": log_weight[:, None]}

    def finish(self, state: State, records: Records) -> Finished:
        log_weight, index = np.asarray(records["log_weight"])[:, 0].astype(float), np.asarray(records["index"])[:, 0]
        if np.isnan(log_weight).any():
            raise NumericalError(
                f"the log density is NaN in {int(np.isnan(log_weight).sum())} of {log_weight.size} states",
                helps=("look for 0/0, log of a negative number or ∞ − ∞ in the model",),
            )
        top = log_weight.max()
        if top == -math.inf:
            raise NumericalError(
                f"every one of the {log_weight.size} states has probability zero: the data contradict the model",
                helps=("look for an observation outside the support, or a `require` that never holds",),
            )
        log_evidence = float(top + np.log(np.exp(log_weight - top).sum()))
        live = log_weight > -math.inf
        # What is drawn after inference is drawn anew in each copy of a state; what is determined by it is the same in
        # all.
        copies = -(-_COMPLETIONS // int(live.sum())) if self.target.completes_at_random else 1
        states, lp = np.repeat(index[live], copies), np.repeat(log_weight[live], copies)
        return Finished(
            states[None],
            {"lp": lp[None], "state": states[None]},
            log_weights=(lp - log_evidence - math.log(copies))[None],
            evidence=Evidence(log_evidence, 0.0),
            notes=(f"{log_weight.size:,} states visited, {int(live.sum()):,} of positive probability",),
        )

    def complete(self, key: PRNGKeyArray, sample: Int[Array, ""]) -> Execution:
        return self.target.complete(key, self.trace(sample))

    def sample_shape(self) -> Any:
        return jax.ShapeDtypeStruct((), jnp.int32)
