"""Simulation-based calibration of a whole method: simulate (θ, y), run the method on y, rank θ among its draws."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from ppl.core.target import Target
from ppl.inference.flat import constrained, layout
from ppl.inference.mcmc.hamiltonian import Hamiltonian
from ppl.inference.methods.base import Method
from ppl.inference.program import Program
from ppl.inference.validation.certificate import Check
from ppl.inference.validation.checks.calibration import rank, ranks_uniform
from ppl.inference.validation.models.chains import joint
from ppl.inference.validation.models.effort import Effort

LENGTH = 63  # draws among which the truth is ranked
_COORDINATES = 6
_AT_MOST = {"chains": 1, "warmup": 300, "draws": 5 * LENGTH, "n": 500, "inner": 20}


def check_calibrated(target: Target, method: Method, effort: Effort) -> Check:
    """Ranks of θ, and of log γ(θ, y), are uniform on 0..63. One chain of 315 draws after at most 300 of warm-up, every
    fifth kept; weighted draws are resampled, so that few particles show too. Data sets of the joint law:
    ``effort.n``."""
    small = _small(method)
    if not _runs(small.program(target)):
        why = {"why": f"{method.name} leaves no draws that could be ranked"}
        return Check(_CLAIM, "joint law", "", "undecided", effort.alpha, 0, why, None, method.name, effort.seed)

    def one(key: Any) -> Any:
        begin, run, pick, tie = jax.random.split(key, 4)
        given, trace, _ = joint(target, begin)
        draws = _draws(small.program(given), run, pick)

        def quantities(t: Any) -> Any:
            flat = ravel_pytree({n: jnp.asarray(v, float) for n, v in t.items()})[0]
            return jnp.append(flat[:_COORDINATES], given.log_density(t))

        return rank(quantities(trace), jax.vmap(quantities)(draws), tie)

    compiled = jax.jit(jax.vmap(one))
    seen = [0]

    def batch(seed: int, n: int) -> Any:
        ranks = effort.gather(lambda keys: np.asarray(compiled(keys)), seed, n)
        seen[0] = ranks.shape[1]
        return ranks_uniform(ranks, LENGTH)

    result = effort.staged(batch)
    t = result.test
    names = [f"coordinate {i}" for i in range(seen[0] - 1)] + ["log density"]
    band = float(np.sqrt(np.log(2 * len(names) / effort.alpha) / (2 * t.n)))
    said = {"quantity": names[t.which], "largest gap": t.z, "band": band, "mean rank": t.mean, "should be": t.expected}
    return Check(
        _CLAIM,
        "joint law",
        "ECDF with simultaneous band",
        result.outcome,
        effort.alpha,
        result.total,
        said,
        band,
        small.expression(),
        result.stage_seed,
    )


_CLAIM = "ranks of the true values uniform"


def _small(method: Method) -> Method:
    least = {name: min(getattr(method, name), most) for name, most in _AT_MOST.items() if hasattr(method, name)}
    return dataclasses.replace(method, **least)  # type: ignore[type-var]


def _runs(program: Program) -> bool:
    """Whether the records of the program are draws."""
    state = jax.eval_shape(lambda k: program.carry(program.start(k)), jnp.zeros(2, jnp.uint32))
    rows = jax.eval_shape(program.advance, state, jnp.asarray(0), jnp.asarray(1))[1]
    return isinstance(rows, dict) and bool({"position", "trace"} & rows.keys())


def _draws(program: Program, key: Any, pick: Any) -> Any:
    """``LENGTH`` traces of one run, all of it in one traced program."""
    state = program.carry(program.start(jax.random.key_data(key)))
    calls = -(-program.total // program.chunk)

    def call(state: Any, i: Any) -> Any:
        begin = i * program.chunk
        return program.advance(state, begin, jnp.minimum(begin + program.chunk, program.total))

    records = jax.lax.scan(call, state, jnp.arange(calls))[1]
    rows = jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:])[program.warmup : program.total], records)
    drawn = rows["position"] if "position" in rows else rows["trace"]
    drawn = jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:]), drawn)  # iterations and chains, or particles
    size = jax.tree.leaves(drawn)[0].shape[0]
    if "log_weight" in rows:
        index = jax.random.categorical(pick, rows["log_weight"].reshape(-1), shape=(LENGTH,))
    else:
        index = jnp.linspace(0, size - 1, LENGTH).astype(int)
    kept = jax.tree.map(lambda a: a[index], drawn)
    if isinstance(program, Hamiltonian):
        return jax.vmap(constrained(program.target, layout(program.target)))(kept)
    return kept
