"""Draws by running a model forward: from the prior, and from the posterior predictive."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ppl.api.applied import Applied
from ppl.api.compile import forward_target
from ppl.core.target import Execution, Target
from ppl.inference.program import typed_key
from ppl.inference.run import Posterior
from ppl.runtime.seeds import key_data

BLOCK = 1000
"""Draws in one call of the compiled program."""


def simulate(applied: Applied, draws: int, seed: int) -> Posterior:
    """``draws`` executions of the model without its data."""
    target = forward_target(applied)
    runs = _blocks(lambda key, _: target.prior(key), draws, seed, {})
    return _posterior(target, "prior", seed, runs, (1, draws))


def predict(applied: Applied, latents: dict[str, np.ndarray], seed: int) -> tuple[Posterior, tuple[str, ...]]:
    """The data sites and outputs for each posterior draw ``latents`` [chain, draw, …]. Also the names of latents whose
    shape differs under the new data: those are drawn anew from their priors given the others."""
    target = forward_target(applied)
    kept = {
        v.name: latents[v.name] for v in target.latents if v.name in latents and latents[v.name].shape[2:] == v.shape
    }
    anew = tuple(v.name for v in target.latents if v.name not in kept)
    leading = next(iter(latents.values())).shape[:2]
    flat = {n: a.reshape(leading[0] * leading[1], *a.shape[2:]) for n, a in kept.items()}
    runs = _blocks(target.generate, leading[0] * leading[1], seed, flat)
    drawn = runs._replace(trace={n: a for n, a in runs.trace.items() if n not in kept})
    return _posterior(target, "predict", seed, drawn, leading), anew


def log_likelihood(applied: Applied, latents: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The log density of each data entry for each draw [chain, draw, …], as ArviZ needs it for cross-validation."""
    target = forward_target(applied, data=True)
    known = {v.name: latents[v.name] for v in target.latents}
    leading = next(iter(known.values())).shape[:2]
    flat = {n: a.reshape(leading[0] * leading[1], *a.shape[2:]) for n, a in known.items()}
    observed = tuple(applied.bound.data)

    def terms(_: Any, trace: Any) -> dict[str, Any]:
        found = target.log_density_terms(trace)
        return {n: found[n] for n in observed if n in found}

    found = _blocks(terms, leading[0] * leading[1], 0, flat)
    return {n: a.reshape(*leading, *a.shape[1:]) for n, a in found.items()}


def _blocks(run: Any, count: int, seed: int, given: dict[str, np.ndarray]) -> Any:
    """``run(key, given[i])`` for i < count, in blocks of one size so that there is one compilation."""
    block = min(BLOCK, count)
    root = typed_key(jnp.asarray(key_data(seed)))
    compiled = jax.jit(jax.vmap(run))
    parts = []
    for start in range(0, count, block):
        rows = np.minimum(np.arange(start, start + block), count - 1)
        keys = jax.vmap(lambda i: jax.random.fold_in(root, i))(rows)
        part = compiled(keys, {n: a[rows] for n, a in given.items()})
        parts.append(jax.tree.map(lambda a: np.asarray(a)[: count - start], part))  # noqa: B023
    return jax.tree.map(lambda *a: np.concatenate(a), *parts)


def _posterior(target: Target, method: str, seed: int, runs: Execution, leading: tuple[int, int]) -> Posterior:
    def shaped(tree: Any) -> Any:
        return jax.tree.map(lambda a: a.reshape(*leading, *a.shape[1:]), tree)

    weights = np.asarray(runs.log_weight)
    warnings: tuple[str, ...] = ()
    lost = int(np.isnan(weights).sum())
    if lost:
        warnings = (f"{lost} of {weights.size} draws hold values that could not be computed: their log weight is NaN",)
    elif method == "prior" and np.any(weights != 0):
        warnings = (
            "the model has factors or observations of computed values; they do not weigh the draws of the prior",
        )
    return Posterior(
        method=method,
        expression=method,
        seed=seed,
        draws=target.in_order(shaped(runs.trace)),
        data=shaped(runs.data),
        outputs=target.in_order(shaped(runs.outputs)),
        value=shaped(runs.value),
        stats={},
        log_weights=None,
        log_evidence=None,
        warnings=warnings,
    )
