"""Invertible elementwise functions: image, inverse and log |f'|, from the function alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend import core as jex
from jax.scipy.special import erfinv, logit
from jaxtyping import Array

_UNARY: dict[str, Callable[[Array], Array]] = {
    "exp": jnp.log, "exp2": jnp.log2, "log": jnp.exp, "log1p": jnp.expm1, "expm1": jnp.log1p, "neg": jnp.negative,
    "logistic": logit, "tanh": jnp.arctanh, "atanh": jnp.tanh, "sinh": jnp.arcsinh, "asinh": jnp.sinh, "erf": erfinv,
    "sqrt": jnp.square, "rsqrt": lambda y: 1 / jnp.square(y), "cbrt": lambda y: y**3, "erf_inv": lax.erf,
    "atan": jnp.tan,
    "copy": lambda y: y, "copy_p": lambda y: y, "convert_element_type": lambda y: y,
}  # fmt: skip


class NotInvertible(ValueError):
    """The function given to ``transformed`` cannot be inverted."""


def inverse(f: Callable[[Array], Array], y: Array, example: Array, positive: bool) -> Array:
    """x with f(x) = y, for an f that applies invertible operations one after the other.

    ``example`` has the shape and dtype of x (a scalar, or an event on which f works element by element); ``positive``:
    x ≥ 0, so that even powers are invertible. Where y is outside of the image the result is not a solution.

    Raises NotInvertible, naming the operation that stands in the way."""
    closed = jax.make_jaxpr(f)(example)
    return _invert(closed.jaxpr, closed.consts, y, positive)


def _invert(jaxpr: Any, consts: Any, y: Array, positive: bool) -> Array:
    known: dict[Any, Any] = dict(zip(jaxpr.constvars, consts, strict=True))
    moving = {jaxpr.invars[0]: positive}  # the variables that depend on x, and whether they are known to be ≥ 0
    chain = []

    def read(v: Any) -> Any:
        return v.val if isinstance(v, jex.Literal) else known[v]

    for eqn in jaxpr.eqns:
        depends = [i for i, v in enumerate(eqn.invars) if not isinstance(v, jex.Literal) and v in moving]
        if not depends:
            values = eqn.primitive.bind(*map(read, eqn.invars), **eqn.params)
            known.update(zip(eqn.outvars, values if eqn.primitive.multiple_results else [values], strict=True))
            continue
        if len(depends) > 1:
            raise NotInvertible("the argument is used more than once, so that the inverse has no formula")
        at = depends[0]
        others = [None if i == at else read(v) for i, v in enumerate(eqn.invars)]
        chain.append((eqn, at, others, moving[eqn.invars[at]]))
        moving[eqn.outvars[0]] = eqn.primitive.name in ("exp", "logistic", "sqrt", "exp2")
    if jaxpr.outvars[0] not in moving:
        raise NotInvertible("the function is constant")
    wanted = jaxpr.outvars[0]
    for eqn, at, others, base_positive in reversed(chain):
        if eqn.outvars[0] is not wanted:
            raise NotInvertible("the argument is used more than once, so that the inverse has no formula")
        y = _invert_equation(eqn, at, others, y, base_positive)
        wanted = eqn.invars[at]
    return y


def _invert_equation(eqn: Any, at: int, others: list[Any], y: Array, positive: bool) -> Array:
    name = eqn.primitive.name
    if name in _UNARY:
        return _UNARY[name](y)
    inner = eqn.params.get("jaxpr", eqn.params.get("call_jaxpr"))
    if inner is not None and len(eqn.invars) == 1:
        return _invert(inner.jaxpr, inner.consts, y, positive)
    if inner is not None:
        return _invert_call(inner, at, others, y, positive)
    c: Any = next((o for o in others if o is not None), None)
    match name:
        case "add" | "add_any":
            return y - c
        case "sub":
            return y + c if at == 0 else c - y
        case "mul":
            return y / c
        case "div":
            return y * c if at == 0 else c / y
        case "integer_pow" | "square":
            return _root(y, eqn.params.get("y", 2), positive)
        case "pow" if at == 0 and positive:
            return y ** (1 / c)
        case "pow" if at == 1:
            return jnp.log(y) / jnp.log(c)
    raise NotInvertible(f"the operation '{name}' is not invertible" + ("" if positive else " on the whole real line"))


def _invert_call(inner: Any, at: int, others: list[Any], y: Array, positive: bool) -> Array:
    def of_moving(x: Array) -> Any:
        arguments = [x if i == at else o for i, o in enumerate(others)]
        return jex.jaxpr_as_fun(inner)(*arguments)[0]

    closed = jax.make_jaxpr(of_moving)(jnp.zeros(inner.in_avals[at].shape, inner.in_avals[at].dtype))
    return _invert(closed.jaxpr, closed.consts, y, positive)


def _root(y: Array, power: int, positive: bool) -> Array:
    if power % 2 == 0 and not positive:
        raise NotInvertible(f"an even power (x^{power}) is not invertible on the whole real line")
    if power == 0:
        raise NotInvertible("x^0 is constant")
    size = jnp.abs(y) ** (1 / abs(power))
    root = size if power % 2 == 0 else jnp.sign(y) * size
    return root if power > 0 else 1 / root


def is_nonnegative(lower: Any) -> bool:
    """Whether a lower bound is known to be at least zero."""
    return (
        not isinstance(lower, jax.core.Tracer)
        and jnp.ndim(lower) == 0
        and not math.isnan(float(lower))
        and float(lower) >= 0
    )
