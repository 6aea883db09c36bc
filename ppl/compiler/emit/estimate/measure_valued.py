"""Measure-valued derivatives: ∂_θ E f(x) = c_θ (E f(x⁺) − E f(x⁻)), with the two alternatives made from shared noise.

The table is that of Mohamed, Rosca, Figurnov, Mnih (*Monte Carlo gradient estimation in machine learning*, JMLR 2020),
section 6, and what follows from it by the chain rule. An entry draws x with pairs of alternatives, each pair with a
weight: an expression of zero value whose derivative is c_θ.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray

from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.estimate.axes import Labelled, lift, spread, union
from ppl.compiler.emit.estimate.choices import Perturbed
from ppl.compiler.emit.estimate.strategies import STRATEGIES, Drawing, Result, Strategy
from ppl.compiler.ir.nodes import Draw
from ppl.core.lanes import plain

Pairs = tuple[Array, list[tuple[Array, Array, Array]]]  # the draw; (weight, plus, minus) for each parameter
Table = Callable[[PRNGKeyArray, dict[str, Any], tuple[int, ...]], Pairs]


def _change(theta: Any) -> Array:
    """θ − stop(θ): zero, with derivative one."""
    theta = jnp.asarray(theta, float)
    return theta - jax.lax.stop_gradient(theta)


def _normal(key: PRNGKeyArray, a: dict[str, Any], shape: tuple[int, ...]) -> Pairs:
    noise, weibull, maxwell, side = jax.random.split(key, 4)
    loc, scale = a["loc"], a["scale"]
    x = loc + scale * jax.random.normal(noise, shape)
    w = scale * jnp.sqrt(-2 * jnp.log1p(-jax.random.uniform(weibull, shape)))
    m = scale * jnp.linalg.norm(jax.random.normal(maxwell, (*shape, 3)), axis=-1)
    signed = jnp.where(jax.random.bernoulli(side, 0.5, shape), m, -m)
    # a Maxwell variable times a uniform one is the absolute value of a normal one
    uniform = jax.random.uniform(jax.random.fold_in(side, 1), shape)
    return x, [
        (_change(a["loc*"]) / (scale * math.sqrt(2 * math.pi)), loc + w, loc - w),
        (_change(a["scale*"]) / scale, loc + signed, loc + signed * uniform),
    ]


def _bernoulli_of(p: Array, p_star: Array, key: PRNGKeyArray, shape: tuple[int, ...]) -> Pairs:
    x = jax.random.bernoulli(key, p, shape)
    return x, [(_change(p_star), jnp.ones(shape, bool), jnp.zeros(shape, bool))]


def _bernoulli(key: PRNGKeyArray, a: dict[str, Any], shape: tuple[int, ...]) -> Pairs:
    return _bernoulli_of(a["p"], a["p*"], key, shape)


def _bernoulli_logit(key: PRNGKeyArray, a: dict[str, Any], shape: tuple[int, ...]) -> Pairs:
    return _bernoulli_of(jax.nn.sigmoid(a["logit"]), jax.nn.sigmoid(a["logit*"]), key, shape)


def _poisson(key: PRNGKeyArray, a: dict[str, Any], shape: tuple[int, ...]) -> Pairs:
    x = jax.random.poisson(plain(key), a["rate"], shape)
    return x, [(_change(a["rate*"]), x + 1, x)]


def _exponential(key: PRNGKeyArray, a: dict[str, Any], shape: tuple[int, ...]) -> Pairs:
    one, two = jax.random.split(key)
    x = jax.random.exponential(one, shape) / a["rate"]
    return x, [(_change(a["rate*"]) / a["rate"], x, x + jax.random.exponential(two, shape) / a["rate"])]


def _gamma(key: PRNGKeyArray, a: dict[str, Any], shape: tuple[int, ...]) -> Pairs:
    one, two = jax.random.split(key)
    x = jax.random.gamma(one, a["shape"], shape) / a["rate"]
    more = x + jax.random.exponential(two, shape) / a["rate"]
    return x, [(_change(a["rate*"]) * a["shape"] / a["rate"], x, more)]


def _weibull(key: PRNGKeyArray, a: dict[str, Any], shape: tuple[int, ...]) -> Pairs:
    one, two = jax.random.split(key)
    first, second = jax.random.exponential(one, shape), jax.random.exponential(two, shape)
    power = 1 / a["shape"]
    x = a["scale"] * first**power
    return x, [(_change(a["scale*"]) * a["shape"] / a["scale"], a["scale"] * (first + second) ** power, x)]


def _geometric_draw(key: PRNGKeyArray, p: Array, shape: tuple[int, ...]) -> Array:
    u = 1 - jax.random.uniform(key, shape)
    return jnp.floor(jnp.log(u) / jnp.log1p(-jnp.minimum(p, 1 - 1e-7))).astype(int)


def _geometric(key: PRNGKeyArray, a: dict[str, Any], shape: tuple[int, ...]) -> Pairs:
    one, two = jax.random.split(key)
    x = _geometric_draw(one, a["p"], shape)
    return x, [(_change(a["p*"]) / a["p"], x, x + 1 + _geometric_draw(two, a["p"], shape))]


def _binomial(key: PRNGKeyArray, a: dict[str, Any], shape: tuple[int, ...]) -> Pairs:
    from ppl.core.distributions import make

    one, two = jax.random.split(key)
    n = jnp.broadcast_to(jnp.asarray(a["n"]), shape)
    fewer = make("Binomial", {"n": jnp.maximum(n - 1, 0), "p": a["p"]}).sample(one)
    fewer = jnp.broadcast_to(fewer, shape)
    x = fewer + jnp.where(n > 0, jax.random.bernoulli(two, a["p"], shape), 0)
    return x, [(_change(a["p*"]) * n, jnp.minimum(fewer + 1, n), fewer)]


def _uniform(key: PRNGKeyArray, a: dict[str, Any], shape: tuple[int, ...]) -> Pairs:
    low, high = (jnp.broadcast_to(jnp.asarray(a[n], float), shape) for n in ("low", "high"))
    x = low + (high - low) * jax.random.uniform(key, shape)
    return x, [(_change(a["high*"]) / (high - low), high, x), (_change(a["low*"]) / (high - low), x, low)]


#: The table, and for each distribution the parameters whose derivative it gives.
TABLE: dict[str, tuple[Table, tuple[str, ...]]] = {
    "Normal": (_normal, ("loc", "scale")),
    "Bernoulli": (_bernoulli, ("p",)),
    "BernoulliLogit": (_bernoulli_logit, ("logit",)),
    "Poisson": (_poisson, ("rate",)),
    "Exponential": (_exponential, ("rate",)),
    "Gamma": (_gamma, ("rate",)),
    "Weibull": (_weibull, ("scale",)),
    "Geometric": (_geometric, ("p",)),
    "Binomial": (_binomial, ("p",)),
    "Uniform": (_uniform, ("high", "low")),
}


class MeasureValued(Strategy):
    """One draw and, for each parameter of its distribution that is not a constant, two alternatives."""

    name: ClassVar[str] = "mvd"

    def make(self, drawing: Drawing) -> Result:
        draw = drawing.draw
        table = entry(draw, drawing.family, tuple(drawing.arguments), drawing.fixed)
        if drawing.dist.value.batch_shape:
            raise EmissionError(
                f"`{draw.site}` is drawn as a whole array, and a measure-valued derivative is of one element",
                draw.span,
                helps=("draw its elements in a plate",),
            )
        names = list(drawing.arguments)

        def one(key: Any, *values: Any) -> Any:
            x, weights = table.draw(key, dict(zip(names, values, strict=True)))
            return x, jnp.concatenate([weights, jnp.zeros(1)])

        arguments = [drawing.arguments[n] for n in names]
        found = lift(one, drawing.key, *arguments, span=draw.span)
        values, weights = (Labelled(v, found.axes, found.deps) for v in found.value)
        value = _placed(drawing, values, weights, 2 * len(table.moving))
        log_density = lift(lambda d, x: jnp.asarray(d.log_prob(x)), drawing.dist, value, span=draw.span)
        return Result(value, log_density)


@dataclass(frozen=True)
class Alternatives:
    """The entry of a distribution, and which of its parameters are no constants."""

    table: Table
    moving: tuple[int, ...]

    def draw(self, key: PRNGKeyArray, arguments: dict[str, Any]) -> tuple[Array, Array]:
        """The draw and its m pairs of alternatives, (1 + 2 m,), and their weights, (2 m,)."""
        stopped = {n: jax.lax.stop_gradient(jnp.asarray(v)) for n, v in arguments.items()}
        x, pairs = self.table(key, stopped | {f"{n}*": v for n, v in arguments.items()}, ())
        used = [pairs[k] for k in self.moving]
        others = [jnp.asarray(v, jnp.result_type(x)) for _, plus, minus in used for v in (plus, minus)]
        weights = [w for c, _, _ in used for w in (c, -c)]
        return jax.lax.stop_gradient(jnp.stack([x, *others])), jnp.stack(weights) if weights else jnp.zeros(0)


def entry(draw: Draw, name: str, arguments: tuple[str, ...], fixed: frozenset[str]) -> Alternatives:
    """EmissionError where the distribution has none, or for parameters that it does not cover."""
    table, known = TABLE.get(name, (None, ()))
    left = [n for n in arguments if n not in known and n not in fixed and n != "n"]
    if table is None or left:
        what = f"`{name}`" if table is None else f"the parameter `{left[0]}` of `{name}`"
        raise EmissionError(
            f"there is no measure-valued derivative for {what}", draw.span, helps=("use `via reinforce`",)
        )
    return Alternatives(table, tuple(k for k, n in enumerate(known) if n not in fixed))


def _placed(drawing: Drawing, values: Labelled, weights: Labelled, more: int) -> Labelled:
    """The draw along the shared axis: as its parents' alternatives make it, and in its own block its alternatives at
    the parents' draws."""
    axis, start = drawing.shared.extend(drawing.made, drawing.draw, drawing.plates, more)
    axes = union((values.axes, (axis,)))
    place = axes.index(axis) - len(axes)
    full = jnp.moveaxis(spread(values, axes), place, 1)
    along = full[0].at[start : start + more].set(full[1:, 0]) if more else full[0]
    if more:
        at_the_draw = tuple(a for a in axes if a is not axis)
        w = jnp.moveaxis(spread(weights, axes), place, 0)[0][:more]
        drawing.made.append(Perturbed(axis, start, start + more, Labelled(w, at_the_draw, weights.deps)))
    return Labelled(jnp.moveaxis(along, 0, place), axes, values.deps)


STRATEGIES[MeasureValued.name] = MeasureValued()
