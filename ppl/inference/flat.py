"""The unconstrained latents of a target as one vector, which is what gradient-based kernels work on."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ppl.core.target import Target, Trace, Unconstrained


class Layout(NamedTuple):
    """Where each latent lies in the vector: names, shapes of their unconstrained forms, dtypes, in the order of the
    program."""

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    dtype: Any

    @property
    def size(self) -> int:
        return sum(math.prod(s) for s in self.shapes)

    def unravel(self, vector: Float[Array, " d"]) -> Unconstrained:
        parts, at = {}, 0
        for name, shape in zip(self.names, self.shapes, strict=True):
            n = math.prod(shape)
            parts[name] = vector[at : at + n].reshape(shape)
            at += n
        return parts

    def ravel(self, unconstrained: Unconstrained) -> Float[Array, " d"]:
        return jnp.concatenate(
            [jnp.ravel(unconstrained[n]).astype(self.dtype) for n in self.names] or [jnp.zeros((0,), self.dtype)]
        )


def layout(target: Target) -> Layout:
    """The layout of ``target``, found from the shapes alone."""
    trace = {v.name: jax.ShapeDtypeStruct(v.shape, jax.dtypes.canonicalize_dtype(v.dtype)) for v in target.latents}
    shapes = jax.eval_shape(target.unconstrain, trace)
    names = tuple(v.name for v in target.latents if v.name in shapes)
    dtype = jnp.result_type(float, *(shapes[n].dtype for n in names))
    return Layout(names, tuple(shapes[n].shape for n in names), dtype)


def constrained(target: Target, where: Layout) -> Callable[[Float[Array, " d"]], Trace]:
    """Vector → trace."""
    return lambda vector: target.constrain(where.unravel(vector))[0]


LogDensity = Callable[[Float[Array, " d"], Any], Float[Array, ""]]


def differentiated_once(log_density: LogDensity) -> LogDensity:
    """The same function of a vector and of arrays that are held fixed (a target's data), traced and differentiated
    once however often its value or gradient is asked for: a sampler mentions it in its start and in its integrator.
    Reverse mode, first derivatives, and with respect to the vector only."""
    both = jax.jit(jax.value_and_grad(log_density))

    @jax.custom_vjp
    def shared(vector: Float[Array, " d"], fixed: Any) -> Float[Array, ""]:
        return both(vector, fixed)[0]

    def forward(vector: Float[Array, " d"], fixed: Any) -> tuple[Array, Array]:
        return both(vector, fixed)

    def backward(gradient: Array, cotangent: Array) -> tuple[Array, None]:
        return cotangent * gradient, None

    shared.defvjp(forward, backward)
    return shared


def evaluate(
    log_density: Callable[[Float[Array, " d"]], Float[Array, ""]], position: Float[Array, " d"]
) -> dict[str, Array]:
    """``{"position": [d], "log_density": [], "gradient": [d]}``."""
    value, gradient = jax.value_and_grad(log_density)(position)
    return {"position": position, "log_density": value, "gradient": gradient}
