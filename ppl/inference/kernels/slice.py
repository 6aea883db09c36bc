"""Slice sampling: coordinate-wise with stepping out, and elliptical for Gaussian priors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from ppl.core.random import Source
from ppl.inference.kernels.base import Kernel, KernelInfo, LogDensity
from ppl.inference.representations import TracedValue


@dataclass(frozen=True, eq=False)
class Slice(Kernel):
    """One coordinate, chosen uniformly: a level under the density, an interval stepped out around it in units of
    ``width`` (at most ``steps`` in all), and shrinkage (Neal 2003, figures 3 and 5)."""

    width: float
    steps: int
    name: str = "slice"
    reversible: bool = True

    def step(self, key: Source, state: TracedValue, log_density: LogDensity) -> tuple[TracedValue, KernelInfo]:
        pick, level_key, place, shrink = jax.random.split(key, 4)
        flat, unravel = ravel_pytree(state.trace)
        i = jax.random.randint(pick, (), 0, flat.size)
        x0 = flat[i]
        level = state.log_density - jax.random.exponential(level_key, (), flat.dtype)

        def density(x: Any) -> Any:
            return log_density(unravel(flat.at[i].set(x)))

        u, v = jax.random.uniform(place, (2,), flat.dtype)
        left = x0 - u * self.width
        budget_left = jnp.floor(self.steps * v)

        def step_out(end: Any, budget: Any, direction: float) -> Any:
            def inside(carry: Any) -> Any:
                x, left_over = carry
                return (left_over > 0) & (density(x) > level)

            return jax.lax.while_loop(inside, lambda c: (c[0] + direction * self.width, c[1] - 1), (end, budget))[0]

        lower = step_out(left, budget_left, -1.0)
        upper = step_out(left + self.width, self.steps - 1 - budget_left, 1.0)

        def outside(carry: Any) -> Any:
            return ~carry[-1]

        def draw(carry: Any) -> Any:
            k, lo, hi, _, _, _ = carry
            k, here = jax.random.split(k)
            x = lo + (hi - lo) * jax.random.uniform(here, (), flat.dtype)
            d = density(x)
            # an interval shrunk to nothing can only be left with the point itself, which is always on the slice
            done = (d >= level) | (hi - lo < jnp.finfo(flat.dtype).eps * jnp.maximum(1.0, jnp.abs(x0)))
            new, new_density = jnp.where(d >= level, x, x0), jnp.where(d >= level, d, state.log_density)
            return k, jnp.where(x < x0, x, lo), jnp.where(x < x0, hi, x), new, new_density, done

        first = (shrink, lower, upper, x0, state.log_density, jnp.asarray(False))
        _, _, _, x, d, _ = jax.lax.while_loop(outside, draw, first)
        return TracedValue(unravel(flat.at[i].set(x)), d), KernelInfo(jnp.asarray(True), jnp.asarray(jnp.nan))


def slice_sampler(width: float = 1.0, steps: int = 32) -> Kernel:
    """``width``: the scale of the target along a coordinate, roughly; ``steps``: the greatest number of steppings
    out."""
    return Slice(width, steps)


@dataclass(frozen=True, eq=False)
class EllipticalSlice(Kernel):
    """For γ(z) = N(z; mean, Σ) L(z): moves along the ellipse through z and a prior draw (Murray, Adams and MacKay
    2010).

    ``prior(key)`` draws from N(0, Σ) (of the trace's structure), ``log_prior`` is the log density of N(mean, Σ)."""

    prior: Callable[[Source], Any]
    log_prior: LogDensity
    mean: Any
    name: str = "elliptical_slice"
    reversible: bool = True

    def step(self, key: Source, state: TracedValue, log_density: LogDensity) -> tuple[TracedValue, KernelInfo]:
        draw, level_key, angle_key = jax.random.split(key, 3)
        nu = self.prior(draw)
        centred = jax.tree.map(jnp.subtract, state.trace, self.mean)

        def likelihood(trace: Any) -> Any:
            return log_density(trace) - self.log_prior(trace)

        here = state.log_density - self.log_prior(state.trace)
        level = here - jax.random.exponential(level_key, (), here.dtype)

        def at(angle: Any) -> Any:
            return jax.tree.map(lambda z, n, m: m + z * jnp.cos(angle) + n * jnp.sin(angle), centred, nu, self.mean)

        k, first = jax.random.split(angle_key)
        angle = 2 * jnp.pi * jax.random.uniform(first, (), here.dtype)

        def rejected(carry: Any) -> Any:
            return likelihood(at(carry[1])) <= level

        def shrink(carry: Any) -> Any:
            k, a, lo, hi = carry
            lo, hi = jnp.where(a < 0, a, lo), jnp.where(a < 0, hi, a)
            k, now = jax.random.split(k)
            return k, lo + (hi - lo) * jax.random.uniform(now, (), here.dtype), lo, hi

        # angle 0 is the current point, whose likelihood is above the level, so the loop ends
        _, angle, _, _ = jax.lax.while_loop(rejected, shrink, (k, angle, angle - 2 * jnp.pi, angle))
        trace = at(angle)
        return TracedValue(trace, log_density(trace)), KernelInfo(jnp.asarray(True), jnp.asarray(jnp.nan))


def elliptical_slice(prior: Callable[[Source], Any], log_prior: LogDensity, mean: Any) -> Kernel:
    return EllipticalSlice(prior, log_prior, mean)
