"""The vocabulary of embedded models: sample, observe, factor, require, output, param, plate, scan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ppl.embed import primitives as p
from ppl.embed.distributions import Distribution, flatten
from ppl.embed.model import Embedded


def sample(name: str, dist: Distribution | Embedded) -> Any:
    """A new random variable. A model in place of a distribution is run; its variables are called ``name.…``."""
    if isinstance(dist, Embedded):
        with p.inside(name):
            return dist.run()
    operands, structure = flatten(_distribution(dist))
    return p.sample_p.bind(*_arrays(operands), structure=structure, site=p.full_name(name), role="latent")


def observe(name: str, dist: Distribution, value: Any = None) -> Any:
    """A data variable: conditioned on where ``.given(name=…)`` gives it, drawn where it does not.

    With ``value``, conditions on that value (computed or constant) instead."""
    operands, structure = flatten(_distribution(dist))
    if value is None:
        return p.sample_p.bind(*_arrays(operands), structure=structure, site=p.full_name(name), role="data")
    return p.observe_p.bind(jnp.asarray(value), *_arrays(operands), structure=structure)


def factor(log_weight: Any) -> None:
    """Adds to the log weight of the run."""
    p.factor_p.bind(jnp.sum(jnp.asarray(log_weight, float)))


def require(condition: Any) -> None:
    """A hard constraint: weight zero where it is false."""
    p.require_p.bind(jnp.all(condition))


def output(name: str, value: Any) -> Any:
    """A derived quantity that is kept in the results."""
    return p.output_p.bind(jnp.asarray(value), name=p.full_name(name))


def param(name: str, init: Any, support: str = "real") -> Any:
    """A learnable parameter that starts at ``init``; ``support``: real, pos or prob."""
    return p.param_p.bind(jnp.asarray(init, float), name=p.full_name(name), support=support)


def plate(name: str, *over: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorator: conditionally independent iterations. ``over`` is a length, or arrays to iterate over together.

    The function gets the index, or the arrays' elements; its results come back stacked, under its name::

        @ppl.plate("J", se)
        def theta(se_j):
            z = ppl.sample("theta", ppl.Normal(mu, tau))
            ppl.observe("y", ppl.Normal(z, se_j))
            return z
    """
    length, arrays = _range(name, over)

    def run(body: Callable[..., Any]) -> Any:
        jaxpr, tree = _traced(body, *([] if arrays else [_index()]), *(jax.tree.map(_row, a) for a in arrays))
        flat = jax.tree.leaves(arrays)
        results = p.plate_p.bind(
            *jaxpr.consts, *flat, jaxpr=jaxpr.jaxpr_closed, name=name, length=length, mapped=len(flat)
        )
        return jax.tree.unflatten(tree, results)

    return run


def scan(name: str, body: Callable[[Any, Any], tuple[Any, Any]], init: Any, over: Any) -> tuple[Any, Any]:
    """Ordered iterations, as ``jax.lax.scan``: ``body(carry, x) -> (carry, y)``; final carry and stacked ys.

    ``over`` is a length (x is then the index) or a PyTree of arrays."""
    length, arrays = _range(name, (over,))
    init = jax.tree.map(jnp.asarray, init)
    first = jax.tree.map(_row, arrays[0]) if arrays else _index()
    jaxpr, tree = _traced(body, init, first)
    flat, carry = jax.tree.leaves(arrays), jax.tree.leaves(init)
    results = p.scan_p.bind(
        *jaxpr.consts,
        *carry,
        *flat,
        jaxpr=jaxpr.jaxpr_closed,
        name=name,
        length=length,
        mapped=len(flat),
        carried=len(carry),
    )
    if len(jax.tree.leaves(jax.tree.unflatten(tree, results)[0])) != len(carry):
        raise TypeError("the body of ppl.scan must return (carry, y) with the carry of the form it got")
    return jax.tree.unflatten(tree, results)


def _distribution(value: Any) -> Distribution:
    if not isinstance(value, Distribution):
        raise TypeError(f"a distribution is needed, such as ppl.Normal(0, 1), not {value!r}")
    return value


def _arrays(operands: list[Any]) -> list[Any]:
    return [jnp.asarray(a) for a in operands]


def _index() -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct((), jnp.result_type(int))


def _row(array: Any) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(np.shape(array)[1:], jnp.result_type(array))


def _range(name: str, over: tuple[Any, ...]) -> tuple[int, tuple[Any, ...]]:
    if len(over) == 1 and isinstance(over[0], int):
        return over[0], ()
    lengths = {np.shape(a)[0] for a in jax.tree.leaves(over) if np.ndim(a)}
    if len(lengths) != 1 or any(np.ndim(a) == 0 for a in jax.tree.leaves(over)):
        raise TypeError(f"`{name}` needs a length, or arrays of one length; it got lengths {sorted(lengths)}")
    return lengths.pop(), jax.tree.map(jnp.asarray, over)


class _Traced:
    """A closed jaxpr whose constants (values of the enclosing function) are taken out as leading arguments."""

    def __init__(self, closed: Any):
        self.consts = closed.consts
        core = closed.jaxpr
        opened = core.replace(constvars=(), invars=[*core.constvars, *core.invars])
        self.jaxpr_closed = jax.extend.core.ClosedJaxpr(opened, ())


def _traced(body: Callable[..., Any], *args: Any) -> tuple[_Traced, Any]:
    shapes: list[Any] = []

    def flat(*a: Any) -> list[Any]:
        leaves, tree = jax.tree.flatten(body(*a))
        shapes.append(tree)
        return [jnp.asarray(v) for v in leaves]

    closed = jax.make_jaxpr(flat)(*args)
    return _Traced(closed), shapes[-1]
