"""Distributions declared in the program (``dist``), as NumPyro distributions like all others."""

from __future__ import annotations

from math import inf
from typing import Any

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from jax import lax
from jaxtyping import Array, PRNGKeyArray
from numpyro.distributions import constraints

from ppl.compiler.emit.code import Code, bind_parameters
from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.frame import Frame
from ppl.compiler.ir.nodes import UserDist
from ppl.compiler.ir.supports import Booleans, Integers, Interval, Structured, Support
from ppl.compiler.ir.types import shape as type_shape
from ppl.core.distributions.copies import Copies
from ppl.core.distributions.guarded import guard


class UserDistribution(dist.Distribution):
    """``params`` are the arguments, ``captured`` the constants and extern functions that the declaration uses.
    Arguments that are scalars by declaration may be arrays: then the distribution is a batch."""

    pytree_data_fields = ("params", "captured")
    pytree_aux_fields = ("code", "declared", "sizes")

    def __init__(
        self, code: Code, declared: UserDist, params: dict[str, Any], captured: dict[str, Any], sizes: dict[str, int]
    ):
        self.code, self.declared = code, declared
        self.params, self.captured = params, captured
        self.sizes = tuple(sorted(sizes.items()))
        self._axes = {p.name: len(type_shape(p.var.type)) for p in declared.params}
        batches = [jnp.shape(v)[: jnp.ndim(v) - self._axes[n]] for n, v in params.items() if _is_array(v)]
        event = tuple(n.evaluate(sizes) for n in type_shape(declared.event))
        super().__init__(lax.broadcast_shapes((), *batches), event, validate_args=False)

    @property
    def support(self) -> constraints.Constraint:
        return constraint(self.declared.support)

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        if self.declared.logpdf is None:
            raise EmissionError(
                f"{self.declared.name} has no logpdf block, and its density is needed",
                self.declared.span,
                helps=("add logpdf(x) { return … } to the declaration",),
            )

        def one(params: dict[str, Any], x: Any) -> Array:
            return self._run(self.declared.logpdf, params, x)

        x = jnp.asarray(value)
        axes = {n: self._axes[n] for n in self.params}
        return _elementwise(one, (self.params, x), (axes, len(self.event_shape)))

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        if self.declared.sample is None:
            raise EmissionError(
                f"{self.declared.name} has no sample block, and a draw from it is needed",
                self.declared.span,
                helps=(
                    "add sample { … } to the declaration, or use a method that needs no prior draws (nuts, hmc, map)",
                ),
            )

        def one(params: dict[str, Any], key: Any) -> Array:
            return self._run(self.declared.sample, params, key=key)

        keys = jax.random.split(key, sample_shape + self.batch_shape)
        axes = {n: self._axes[n] for n in self.params}
        return _elementwise(one, (self.params, keys), (axes, 0))

    def _run(self, block: Any, params: dict[str, Any], value: Any = None, key: Any = None) -> Array:
        from ppl.compiler.emit.evaluate import PURE, SAMPLER

        outer = Frame(None, code=self.code, sizes=dict(self.sizes))
        outer.values.update(self.captured)
        frame = Frame(outer, key=key)
        bind_parameters(frame, self.declared.params, params)
        if self.declared.value is not None and key is None:
            frame.define(self.declared.value, value)
        return jnp.asarray((PURE if key is None else SAMPLER).run(block, frame)[0])


def user_distribution(
    frame: Frame, declared: UserDist, args: dict[str, Any], batch: tuple[int, ...], sizes: dict[str, int]
) -> dist.Distribution:
    """Guarded: −∞ outside of the declared support and for arguments outside of theirs."""
    code = frame.code
    captured = {g: frame.globals.values[g] for g in code.globals_used(declared)}
    params, valid = {}, True
    for p in declared.params:
        if p.name not in args:
            continue
        params[p.name], ok = _safe(args[p.name], p.var.support)
        valid = ok if valid is True else valid if ok is True else valid & ok
    base = UserDistribution(code, declared, params, captured, sizes)
    support = base.support
    d = guard(base, valid, None if support is constraints.real else support)
    return Copies(d, batch) if batch else d


def _safe(value: Any, support: Support) -> tuple[Any, Any]:
    """An argument, replaced by a harmless one where it is outside of an interval that was declared for it."""
    if not isinstance(support, Interval) or (support.lower, support.upper) == (-inf, inf):
        return value, True
    x = jnp.asarray(value)
    above = x > support.lower if support.lower_open else x >= support.lower
    below = x < support.upper if support.upper_open else x <= support.upper
    ok = above & below
    inner = 0.5 * (support.lower + support.upper) if support.upper < inf and support.lower > -inf else None
    safe = inner if inner is not None else support.lower + 1 if support.lower > -inf else support.upper - 1
    return jnp.where(ok, x, safe), ok


def _is_array(value: Any) -> bool:
    return isinstance(value, (int, float)) or hasattr(value, "shape")


def _elementwise(function: Any, args: Any, axes: Any) -> Array:
    """``function`` over the batch axes of its arguments, which broadcast; ``axes`` says how many trailing axes of
    each argument are one element's."""
    leaves, tree = jax.tree.flatten(args)
    counts = jax.tree.leaves(axes)
    if len(leaves) != len(counts):  # an argument that is a function or a structure: no batch
        return function(*args)
    leaves = [x if hasattr(x, "shape") else jnp.asarray(x) for x in leaves]
    batches = [x.shape[: x.ndim - n] for x, n in zip(leaves, counts, strict=True)]
    batch = lax.broadcast_shapes(*batches)
    if not batch:
        return function(*jax.tree.unflatten(tree, leaves))
    size = 1
    for n in batch:
        size *= n
    flat = [
        jnp.broadcast_to(x, batch + x.shape[x.ndim - n :]).reshape((size,) + x.shape[x.ndim - n :]) if b else x
        for x, n, b in zip(leaves, counts, batches, strict=True)
    ]
    mapped = [0 if b else None for b in batches]
    out = jax.vmap(lambda *xs: function(*jax.tree.unflatten(tree, xs)), in_axes=mapped)(*flat)
    return out.reshape(batch + out.shape[1:])


def constraint(support: Support) -> constraints.Constraint:
    """The constraint of a declared support."""
    match support:
        case Interval(lower=lower, upper=upper):
            if (lower, upper) == (-inf, inf):
                return constraints.real
            if upper == inf:
                return constraints.positive if lower == 0 else constraints.greater_than(lower)
            if lower == -inf:
                return constraints.less_than(upper)
            return constraints.unit_interval if (lower, upper) == (0, 1) else constraints.interval(lower, upper)
        case Integers(lower=int(lower), upper=int(upper)):
            return constraints.integer_interval(lower, upper)
        case Integers(lower=int(lower), upper=None):
            return constraints.nonnegative_integer if lower == 0 else constraints.integer_greater_than(lower)
        case Booleans():
            return constraints.boolean
        case Structured(name=name):
            return {
                "simplex": constraints.simplex,
                "ordered": constraints.ordered_vector,
                "positive_ordered": constraints.positive_ordered_vector,
                "cov": constraints.positive_definite,
                "corr": constraints.corr_matrix,
                "chol_cov": constraints.lower_cholesky,
                "chol_corr": constraints.corr_cholesky,
                "circle": constraints.circular,
            }[name]
    return constraints.real
