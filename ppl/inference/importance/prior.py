"""Importance sampling with the prior as proposal."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, UInt32

from ppl.core.errors import NumericalError
from ppl.core.target import Target
from ppl.inference.program import Finished, Program, Records, State, batch, joined, log_mean_exp, typed_key
from ppl.inference.run import Evidence


class PriorImportance(Program):
    """n independent pairs (z, w) from ``target.generate``: E[e^w f(z)] = ∫ γ f.

    Ẑ = (1/n) Σ e^{wᵢ} is unbiased for Z; the standard error of log Ẑ is that of the delta method, sd(w)/(√n · mean(w)).
    An iteration is one draw; a chunk of them is one ``vmap``."""

    def __init__(self, target: Target, n: int):
        self.target, self.total = target, n
        self.chunk = batch(target, min(n, 4096))

    def start(self, key: UInt32[Array, " 2"]) -> State:
        return {"key": jnp.asarray(key)}

    def advance(self, state: State, begin: Int[Array, ""], end: Int[Array, ""]) -> tuple[State, Records]:
        def one(i: Array) -> tuple[Any, Array]:
            execution = self.target.generate(jax.random.fold_in(typed_key(state["key"]), i), {})
            return execution.trace, execution.log_weight

        trace, log_weight = jax.vmap(one)(begin + jnp.arange(self.chunk, dtype=jnp.int32))
        latents = {v.name: trace[v.name] for v in self.target.latents}
        return state, jax.tree.map(lambda a: a[:, None], {"trace": latents, "log_weight": log_weight})

    def finish(self, state: State, records: Records) -> Finished:
        kept = joined(records)
        return weighted(kept["trace"], kept["log_weight"])


def weighted(samples: Any, log_weight: np.ndarray) -> Finished:
    """A weighted posterior from samples and log weights [1, n], with log Ẑ, its error and the effective sample size."""
    flat = log_weight.ravel().astype(float)
    n = flat.size
    if np.isnan(flat).any():
        raise NumericalError(
            f"{int(np.isnan(flat).sum())} of {n} log weights are NaN "
            f"(the first is draw {int(np.argmax(np.isnan(flat)))})",
            helps=("look for 0/0, log of a negative number or ∞ − ∞ in the model",),
        )
    log_evidence = log_mean_exp(flat)
    if log_evidence == -math.inf:
        raise NumericalError(
            f"all {n} weights are zero: no draw of the prior can have produced the data",
            helps=("widen the priors, draw more, or use a method that looks for the data: --method 'nuts'",),
        )
    relative = np.exp(flat - log_evidence)
    size = float(relative.sum() ** 2 / np.square(relative).sum())
    error = float(relative.std(ddof=1) / math.sqrt(n)) if n > 1 else None
    warnings: tuple[str, ...] = ()
    if size < 0.5 * n and size < max(100.0, 0.01 * n):
        warnings = (
            f"the effective sample size is {size:.1f} of {n} draws: few draws carry the weight; "
            "draw more, or use nuts or smc",
        )
    return Finished(
        samples,
        {"log_weight": log_weight},
        log_weights=(log_weight - log_evidence - math.log(n)),
        evidence=Evidence(log_evidence, error),
        warnings=warnings,
        notes=(f"effective sample size {size:.1f} of {n}",),
    )
