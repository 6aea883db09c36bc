"""Involutive and reversible-jump Metropolis–Hastings (Green 1995; Cusumano-Towner, Lew and Mansinghka 2020)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from ppl.core.random import Source, split
from ppl.inference.kernels.base import Kernel, KernelInfo, LogDensity
from ppl.inference.kernels.metropolis import decide
from ppl.inference.representations import TracedValue


@dataclass(frozen=True, eq=False)
class Involutive(Kernel):
    """Draw auxiliary variables u ~ q(· | z), apply a map h with h(h(z, u)) = (z, u), accept with

        min(1, γ(z') q(u' | z') / (γ(z) q(u | z)) · |det ∂h/∂(z, u)|),    (z', u') = h(z, u).

    The Metropolis–Hastings–Green theorem: if h is an involution, continuously differentiable where the densities are
    positive, and both densities are with respect to the same base measure, the kernel is in detailed balance with γ.

    The Jacobian is that of the real-valued leaves of (z, u), by automatic differentiation; integers (which model, which
    index) are carried along and contribute none. Variables that only one of two models has are kept in traces of
    one shape, with a density of their own in the other (a pseudo-prior) or none (a fixed value that h swaps out)."""

    auxiliary: Callable[[Source, Any], Any]
    log_auxiliary: Callable[[Any, Any], Float[Array, ""]]
    involution: Callable[[Any, Any], tuple[Any, Any]]
    log_jacobian: Callable[[Any, Any], Float[Array, ""]] | None = None
    name: str = "involutive"
    reversible: bool = True

    def step(self, key: Source, state: TracedValue, log_density: LogDensity) -> tuple[TracedValue, KernelInfo]:
        draw, choose = split(key)
        z = state.trace
        u = self.auxiliary(draw, z)
        z_new, u_new = self.involution(z, u)
        jacobian = (self.log_jacobian or self.automatic_log_jacobian)(z, u)
        correction = self.log_auxiliary(z_new, u_new) - self.log_auxiliary(z, u) + jacobian
        return decide(choose, state, TracedValue(z_new, log_density(z_new)), correction)

    def automatic_log_jacobian(self, z: Any, u: Any) -> Float[Array, ""]:
        """log |det ∂h| over the inexact leaves."""
        leaves, tree = jax.tree.flatten((z, u))
        real = [jnp.issubdtype(jnp.result_type(leaf), jnp.inexact) for leaf in leaves]
        flat, unravel = ravel_pytree([leaf for leaf, r in zip(leaves, real, strict=True) if r])

        def moved(x: Any) -> Any:
            reals = iter(unravel(x))
            here = [next(reals) if r else leaf for leaf, r in zip(leaves, real, strict=True)]
            out = jax.tree.leaves(self.involution(*jax.tree.unflatten(tree, here)))
            return ravel_pytree([leaf for leaf, r in zip(out, real, strict=True) if r])[0]

        return jnp.linalg.slogdet(jax.jacfwd(moved)(flat))[1]


def involutive(
    auxiliary: Callable[[Source, Any], Any],
    log_auxiliary: Callable[[Any, Any], Float[Array, ""]],
    involution: Callable[[Any, Any], tuple[Any, Any]],
    log_jacobian: Callable[[Any, Any], Float[Array, ""]] | None = None,
    name: str = "involutive",
) -> Kernel:
    """``auxiliary(key, z) -> u``, ``log_auxiliary(z, u)`` its log density, ``involution(z, u) -> (z', u')``.

    Without ``log_jacobian`` it is found by automatic differentiation. ``ppl.validate`` checks h ∘ h = id."""
    return Involutive(auxiliary, log_auxiliary, involution, log_jacobian, name)
