"""Transformations: what each must keep depends on the shape that it acts on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from ppl.core.errors import UsageError
from ppl.core.random import Source, categorical
from ppl.inference.claims import Claim
from ppl.inference.kernels.base import LogDensity
from ppl.inference.representations import (
    Particles,
    Population,
    Sampled,
    Traced,
    TracedValue,
    Weighted,
    WeightedValue,
    suspend,
)
from ppl.inference.representations.shape import POPULATION, TRACED, Shape
from ppl.inference.transformations import Transformation, finish, hoist, spawn
from ppl.inference.validation.blocks import in_blocks
from ppl.inference.validation.certificate import Check
from ppl.inference.validation.checks.kernel import check_kernel
from ppl.inference.validation.checks.verdict import of_means
from ppl.inference.validation.checks.weighted import KnownMeasure, check_weighted
from ppl.inference.validation.fixed_n import MeanTest, test_means
from ppl.inference.validation.reference_models import hmm2, last_state, standard_normal, weighted_values
from ppl.inference.validation.sequential import staged
from ppl.inference.validation.signatures import refuse, required, shape_of, shown


@dataclass(frozen=True, eq=False)
class FunctionTransformation(Transformation):
    """A function (key, particles) → particles, or → (particles, report), that claims to keep the measure of a
    population."""

    function: Callable[..., Any]
    name: str = "user transformation"
    source: Shape = POPULATION
    target: Shape = POPULATION
    claim: Claim = Claim.PROPERLY_WEIGHTED

    def act(self, key: Source, realised: Any, program: Any) -> tuple[Any, Any]:
        result = self.function(*(key, realised, program)[: max(2, required(self.function))])
        return result if isinstance(result, tuple) and not hasattr(result, "_fields") else (result, {})


def check_transformation(
    transformation: Transformation, seed: int = 0, alpha: float = 1e-9, n: int = 20_000, budget: float | None = None
) -> tuple[Check, ...]:
    """E ⟦τ r⟧ f = ⟦r⟧ f on a small program of the shape that ``transformation`` takes; for those that act on particles
    one by one, also that the particles stay independent of each other. A transformation that claims less is
    undecided."""
    source = transformation.source
    if isinstance(transformation, FunctionTransformation):
        _require(transformation)
    common: dict[str, Any] = {"seed": seed, "alpha": alpha, "n": n}
    if source == TRACED:
        return _traced(transformation, budget=budget, **common)
    if transformation.claim < Claim.PROPERLY_WEIGHTED:
        claim = transformation.claim.title
        return (
            Check(
                claim,
                "none",
                "",
                "undecided",
                alpha,
                0,
                {"why": "it does not claim to be unbiased"},
                None,
                transformation.name,
            ),
        )
    if source.name == "Population" and source.inner == TRACED:
        return _moves(transformation, **common)
    if source.name == "Population":
        return _populations(transformation, **common)
    if source.name == "Sequential" or source.is_variable:
        return _suspended(transformation, **common)
    if source.name in ("Weighted", "Sampled"):
        return _spawned(transformation, **common)
    raise UsageError(f"`{transformation.name}` acts on {source}, for which there is no reference program")


def _require(transformation: FunctionTransformation) -> None:
    """It returns particles."""
    values, log_weights, log_normaliser, _ = weighted_values()
    particles = Particles(values, log_weights, jnp.asarray(log_normaliser))
    what, helps = "a transformation", "it is a function (key, particles) that returns Particles, or (Particles, report)"
    given = jax.eval_shape(lambda: (jax.random.key(0), particles))
    found = shape_of(transformation.name, what, helps, lambda k, p: transformation.act(k, p, None)[0], *given)
    if not isinstance(found, Particles):
        raise refuse(transformation.name, what, f"it returned {shown(found)}", helps)


def _populations(transformation: Transformation, seed: int, alpha: float, n: int) -> tuple[Check, ...]:
    values, log_weights, log_normaliser, measure = weighted_values()
    name = transformation.name
    start = Population(lambda key: Particles(values, log_weights, jnp.asarray(log_normaliser)))
    one = check_weighted(transformation(start), measure, seed, alpha, n, case=f"{name}, four weighted values")

    def drawn(key: Any) -> Particles:
        """Particles that differ from run to run, so that a shared key or a stale copy shows."""
        first, second = jax.random.split(key)
        kept = categorical(first, log_weights, (4,))
        tilt = jax.random.exponential(second, (4,))
        return Particles(values[kept], jnp.log(tilt), jnp.asarray(measure.log_evidence))

    two = check_weighted(transformation(Population(drawn)), measure, seed + 1, alpha, n, case=f"{name}, random weights")
    return one, two


def _suspended(transformation: Transformation, seed: int, alpha: float, n: int) -> tuple[Check, ...]:
    model = hmm2(3)
    inner = transformation.source.inner
    program: Any = suspend(model)
    if inner is not None and inner.name == "Population":
        program = hoist(spawn(3))(program)
    result = transformation(program)
    while result.shape.name == "Sequential":
        result = finish(result)
    return (
        check_weighted(result, last_state(model), seed, alpha, n, case=f"{transformation.name}, two states, T = 3"),
    )


def _spawned(transformation: Transformation, seed: int, alpha: float, n: int) -> tuple[Check, ...]:
    """On a standard normal, with the weight e^{x/2} where there are weights: E e^{x/2} = e^{1/8}, the tilted law is
    N(1/2, 1)."""
    weighted = transformation.source.name == "Weighted"
    shift = 0.5 if weighted else 0.0

    def weigh(key: Any) -> WeightedValue:
        x = jax.random.normal(key)
        return WeightedValue(x, shift * x)

    program = Weighted(weigh) if weighted else Sampled(lambda key: jax.random.normal(key))
    points = jnp.array([-0.5, 0.5, 1.5])
    below = np.asarray(jax.scipy.stats.norm.cdf(points, shift))
    measure = KnownMeasure("N(0, 1)", shift**2 / 2, lambda x: (x <= points).astype(float), below)
    result = transformation(program)
    checks: tuple[Check, ...] = (check_weighted(result, measure, seed, alpha, n, case=transformation.name),)
    if result.shape.name == "Population":

        def pairs(key: Any) -> Any:
            particles = result.run(key)[0]
            terms = jnp.exp(particles.log_weights - shift**2 / 2)[:, None] * (particles.values[:, None] <= points)
            size = particles.size
            return (jnp.sum(terms, 0) ** 2 - jnp.sum(terms**2, 0)) / max(size * (size - 1), 1)

        if jax.eval_shape(lambda k: result.run(k)[0], jax.random.key(0)).log_weights.shape[0] > 1:
            checks += (_independent(pairs, below**2, seed, alpha, n, transformation.name),)
    return checks


def _moves(transformation: Transformation, seed: int, alpha: float, n: int) -> tuple[Check, ...]:
    """Four independent draws of N(0, 1), with the weights 1, 2, 3, 4: moved particle by particle they stay what they
    are."""
    target = standard_normal()
    density = cast(LogDensity, target.log_density)
    log_weights = jnp.log(jnp.arange(1.0, 5.0))

    def draw(key: Any) -> Particles:
        x = jax.random.normal(key, (4,))
        return Particles(TracedValue(x, jax.vmap(density)(x)), log_weights, jnp.zeros(()))

    start = Population(draw, TRACED)
    program = Traced(density, start=target.sample)

    def run(key: Any) -> Particles:
        first, second = jax.random.split(key)
        return transformation.act(second, start.run(first)[0], program)[0]

    points = jnp.array([-1.0, 0.0, 1.0])
    below = np.asarray(jax.scipy.stats.norm.cdf(points))
    measure = KnownMeasure("N(0, 1)", float(np.log(2.5)), lambda v: (v.trace <= points).astype(float), below)

    def pairs(key: Any) -> Any:
        indicators = (run(key).values.trace[:, None] <= points).astype(float)
        return (jnp.sum(indicators, 0) ** 2 - jnp.sum(indicators, 0)) / 12

    return (
        check_weighted(run, measure, seed, alpha, n, case=f"{transformation.name}, weighted draws of N(0, 1)"),
        _independent(pairs, below**2, seed, alpha, n, transformation.name),
    )


def _independent(
    pairs: Callable[[Any], Any], expected: np.ndarray, seed: int, alpha: float, n: int, name: str
) -> Check:
    """Mean over pairs of f(aᵢ) f(aⱼ): a key that all particles share leaves Ẑ unbiased, and shows here."""
    compiled = jax.jit(jax.vmap(pairs))

    def batch(s: int, m: int) -> MeanTest:
        return test_means(in_blocks(compiled, s, m, n), expected)

    result = staged(batch, seed, n, alpha)
    t = result.test
    worst = {"function": t.which, "mean": t.mean, "should be": t.expected, "z": t.z}
    family = "products of pairs"
    return of_means(result, "particles independent", "closed form", family, worst, name, n, alpha, len(expected))


def _traced(transformation: Transformation, seed: int, alpha: float, n: int, budget: float | None) -> tuple[Check, ...]:
    target = standard_normal()
    program = Traced(cast(LogDensity, target.log_density), start=target.sample)
    move = lambda key, state, density: transformation.act(key, state, program)[0]  # noqa: E731
    return check_kernel(move, target, seed, alpha, n, budget=budget)
