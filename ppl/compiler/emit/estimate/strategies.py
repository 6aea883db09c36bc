"""Gradient strategies: what is done where a variable is drawn.

A strategy of one's own is a subclass of ``Sampled`` (in a few lines, in plain JAX, for one distribution and key):
``sample`` draws a value, differentiable as the strategy wishes; with ``scored = True`` the score function's term of
the draw is added.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, PRNGKeyArray

from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.estimate.axes import Axis, Choice, Labelled, lift, merged, named, positional
from ppl.compiler.emit.estimate.choices import Enumerated, Followed, Made, Scored
from ppl.compiler.emit.estimate.finite import finite_values
from ppl.compiler.ir.nodes import Draw
from ppl.core.distributions import support_values
from ppl.core.distributions.mixture import Mixture
from ppl.core.distributions.tails import core


class Longer(Exception):
    """In the first tracing: a shared axis, by its number, has to have at least this length."""

    def __init__(self, number: int, length: int):
        super().__init__(number, length)
        self.number, self.length = number, length


class SharedAxes:
    """The axes of alternatives, one for each expectation and nest of plates. How long each has to be is known when the
    program has been traced once: ``lengths``, in the order in which they are made."""

    def __init__(self, lengths: tuple[int, ...] = ()):
        self._lengths = lengths
        self._found: dict[tuple[int, tuple[Axis, ...]], tuple[int, Axis]] = {}
        self.demand: list[int] = []

    def extend(self, made: list[Made], draw: Draw, plates: tuple[Axis, ...], more: int) -> tuple[Axis, int]:
        """The axis, and where ``more`` new alternatives start. In the first tracing, which counts, they may overlap;
        Longer where they find no room."""
        key = (id(made), plates)
        if key not in self._found:
            number = len(self.demand)
            length = max(self._lengths[number] if number < len(self._lengths) else 0, 1 + more)
            self._found[key] = number, Axis(length, plates, Choice(draw.site, plates, draw.span))
            self.demand.append(1)
        number, axis = self._found[key]
        if more >= axis.size:
            raise Longer(number, 1 + more)
        start = self.demand[number]
        self.demand[number] += more
        return axis, max(1, min(start, axis.size - more))


@dataclass(frozen=True, eq=False)
class Drawing:
    """A draw about to be made: the statement, its distribution, the plates around it, a key for each of their
    iterations, the distribution's name with the values of its arguments (``fixed``: which are constants of the text),
    and the baseline that was asked for."""

    draw: Draw
    dist: Labelled
    plates: tuple[Axis, ...]
    key: Labelled
    made: list[Made]
    sizes: Mapping[str, int]
    shared: SharedAxes
    chain: Any = None
    family: str = ""
    arguments: Mapping[str, Labelled] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()
    baseline: Labelled | None = None
    replicates: Axis | None = None
    learn: bool = False


@dataclass(frozen=True, eq=False)
class Result:
    """``log_density``: a scalar for each iteration of the plates (and of the distribution's batch)."""

    value: Labelled
    log_density: Labelled


class Strategy:
    """Abstract. ``claim`` says what holds of the gradient."""

    name: ClassVar[str]
    claim: ClassVar[str] = "unbiased"

    def make(self, drawing: Drawing) -> Result:
        raise NotImplementedError


class Sampled(Strategy):
    """Abstract: one value is drawn."""

    scored: ClassVar[bool] = False

    def sample(self, dist: Any, key: PRNGKeyArray) -> Array:
        raise NotImplementedError

    def make(self, drawing: Drawing) -> Result:
        batch = batch_axes(drawing)

        def one(d: Any, key: Any) -> Any:
            x = self.sample(d, key)
            x = jax.lax.stop_gradient(x) if self.scored else x
            return x, jnp.asarray(d.log_prob(x))

        both = lift(one, drawing.dist, drawing.key, span=drawing.draw.span)
        value, log_density = (Labelled(v, both.axes, both.deps) for v in both.value)
        if not self.scored:
            drawing.made.append(Followed())
            return Result(value, lift(jnp.sum, log_density))
        choice = Choice(drawing.draw.site, drawing.plates + batch, drawing.draw.span)
        for axis in batch:
            log_density = named(log_density, axis)
        deps = merged((both.deps, {choice: frozenset()}))
        drawing.made.append(Scored(choice, log_density, drawing.baseline, drawing.replicates, drawing.learn))
        return Result(
            Labelled(value.value, value.axes, deps, batch),
            Labelled(log_density.value, log_density.axes, deps, (), choice),
        )


class Reparam(Sampled):
    """The derivative along the sample path; for mixtures of scalars the implicit one, dx = −∂F(x; θ) / p(x)."""

    name = "reparam"

    def sample(self, dist: Any, key: PRNGKeyArray) -> Array:
        x = dist.sample(key)
        if not isinstance(core(dist), Mixture):
            return x
        if dist.event_shape:
            raise EmissionError("a mixture of vectors has no sample path", helps=("use `via reinforce`",))
        x = jax.lax.stop_gradient(x)
        below, density = dist.cdf(x), jnp.exp(dist.log_prob(x))
        return x - (below - jax.lax.stop_gradient(below)) / jax.lax.stop_gradient(density)


class Reinforce(Sampled):
    """The score function: log-derivative of the density times the cost downstream."""

    name = "reinforce"
    scored = True

    def sample(self, dist: Any, key: PRNGKeyArray) -> Array:
        return dist.sample(key)


class StraightThrough(Sampled):
    """A draw of a variable of finitely many values, with the derivative of its mean: biased."""

    name = "straight_through"
    claim = "biased"

    def sample(self, dist: Any, key: PRNGKeyArray) -> Array:
        values, p = _table(dist)
        mean = jnp.tensordot(values, p, 1)
        return jax.lax.stop_gradient(dist.sample(key) - mean) + mean


class GumbelSoftmax(Sampled):
    """A mean of the values, weighted by a softmax of perturbed log probabilities (Jang, Gu, Poole, ICLR 2017; Maddison,
    Mnih, Teh, ICLR 2017): not one of the values, and biased."""

    name = "gumbel_softmax"
    claim = "biased"

    def __init__(self, temperature: float = 0.5):
        self.temperature = temperature

    def sample(self, dist: Any, key: PRNGKeyArray) -> Array:
        values, p = _table(dist)
        noisy = jnp.log(p) + jax.random.gumbel(key, p.shape)
        return jnp.tensordot(values, jax.nn.softmax(noisy / self.temperature, axis=0), 1)


def _table(dist: Any) -> tuple[Array, Array]:
    """The values of a distribution, and their probabilities: an axis in front of the batch."""
    values = support_values(dist)
    if values is None:
        raise EmissionError("a relaxed draw needs finitely many values", helps=("use another strategy",))
    return values.astype(float), jnp.exp(jax.vmap(dist.log_prob)(values))


class Plain(Sampled):
    """A draw through which no gradient passes."""

    name = "plain"
    claim = "no gradient"

    def sample(self, dist: Any, key: PRNGKeyArray) -> Array:
        return jax.lax.stop_gradient(dist.sample(key))


class Enumerate(Strategy):
    """All values at once, weighted by their probabilities."""

    name = "enum"
    claim = "exact"

    def make(self, drawing: Drawing) -> Result:
        draw, dist = drawing.draw, drawing.dist
        if dist.value.event_shape:
            raise EmissionError(
                f"`{draw.site}` is one draw of a vector: its values cannot be listed one element at a time",
                draw.span,
                helps=("draw its elements in a plate", "or use `via reinforce`"),
            )
        if drawing.chain is not None and drawing.chain.now.draw.site == draw.site:
            return self._link(drawing)
        batch = batch_axes(drawing)
        values = finite_values(draw, drawing.sizes)
        if values is None:
            raise EmissionError(
                f"the values that `{draw.site}` can take are not known while compiling",
                draw.span,
                helps=("use `via reinforce`",),
            )
        axis = Axis(len(values), drawing.plates + batch, Choice(draw.site, drawing.plates + batch, draw.span))
        log_q = lift(lambda d: jax.vmap(d.log_prob)(jnp.asarray(values)), dist, span=draw.span)
        log_q = named(log_q, axis)
        for b in batch:
            log_q = named(log_q, b)
        drawing.made.append(Enumerated(axis, log_q))
        value = Labelled(jnp.asarray(values), (axis,))
        for b in reversed(batch):
            value = positional(value, b)
        return Result(value, log_q)

    def _link(self, drawing: Drawing) -> Result:
        """An element of a chain: its values lie along the chain's own axis."""
        from ppl.compiler.emit.estimate.chains import Chained  # it takes part in an expectation as this module's do

        chain = drawing.chain
        log_q = lift(lambda d, v: jnp.asarray(d.log_prob(v)), drawing.dist, chain.values, span=drawing.draw.span)
        drawing.made.append(Chained(chain, log_q))
        return Result(chain.values, log_q)


def batch_axes(drawing: Drawing) -> tuple[Axis, ...]:
    """A plate for each batch axis of the distribution: its elements are independent."""
    return tuple(Axis(n) for n in drawing.dist.value.batch_shape)


STRATEGIES: dict[str, Strategy] = {
    s.name: s for s in (Reparam(), Reinforce(), Enumerate(), StraightThrough(), GumbelSoftmax(), Plain())
}
