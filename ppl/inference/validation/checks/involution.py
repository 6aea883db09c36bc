"""Involutions: h(h(z, u)) = (z, u), and the declared log Jacobian against automatic differentiation."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ppl.inference.kernels.involutive import Involutive
from ppl.inference.validation.certificate import Check
from ppl.inference.validation.chains import ExactTarget
from ppl.inference.validation.families import flat


def check_involution(kernel: Involutive, target: ExactTarget, seed: int = 0, n: int = 1_000) -> tuple[Check, ...]:
    """At ``n`` exact draws of z with auxiliary draws u: exact comparisons, 1e-10 and 1e-8 (relative to the size of
    the values)."""

    def one(key: Any) -> Any:
        first, second = jax.random.split(key)
        z = target.sample(first)
        u = kernel.auxiliary(second, z)
        back = kernel.involution(*kernel.involution(z, u))
        automatic = kernel.automatic_log_jacobian(z, u)
        declared = automatic if kernel.log_jacobian is None else kernel.log_jacobian(z, u)
        return (z, u), back, jnp.asarray(automatic), jnp.asarray(declared)

    before, after, automatic, declared = jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(seed), n))
    a, b = flat(before), flat(after)
    off = float(np.max(np.abs(a - b) / (1 + np.abs(a))))
    jacobian = float(np.max(np.abs(np.asarray(automatic) - np.asarray(declared))))
    tolerance = 1e-10 if np.asarray(automatic).dtype == np.float64 else 1e-4

    def row(claim: str, value: float, limit: float) -> Check:
        return Check(
            claim,
            "exact comparison",
            f"{n} points",
            "passed" if value <= limit else "refuted",
            0.0,
            n,
            {"largest error": value, "limit": limit},
            None,
            kernel.name,
            seed,
        )

    return row("involution: h(h(z, u)) = (z, u)", off, tolerance), row("log Jacobian", jacobian, 100 * tolerance)
