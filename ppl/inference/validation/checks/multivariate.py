"""Distributions of vectors and matrices: the density against the sampler, by importance sampling or atom by atom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln

from ppl.core.bijections import bijector
from ppl.core.errors import UsageError
from ppl.inference.validation.blocks import in_blocks
from ppl.inference.validation.certificate import Check
from ppl.inference.validation.families import Family
from ppl.inference.validation.fixed_n import detectable, test_means
from ppl.inference.validation.sequential import staged

_PILOT = 4_000
_ATOMS = 30
_DF = 2.0  # of the proposal: heavier tails than those of any density with a variance
_LEAST_EFFECTIVE = 200


class _Space(NamedTuple):
    """``to(x)``: the vector in R^d of a value; ``back(u)``: the value, and log |dx/du|."""

    to: Callable[[Any], Any]
    back: Callable[[Any], tuple[Any, Any]]


def check_multivariate(distribution: Any, seed: int, alpha: float, n: int, title: str) -> tuple[Check, ...]:
    """Draws of shape ``event_shape``. Continuous: with W = p/q for a Student-t q fitted to a pilot sample (in R^d, by
    the bijection of the support), E W = 1 and E W f = E f(draw) for the published family f. Integers: the frequencies
    of the most frequent values against the density. No draw has the density zero."""
    sampled = jax.jit(jax.vmap(lambda key: distribution.sample(key, ())))
    log_prob = jax.jit(jax.vmap(distribution.log_prob))
    pilot = in_blocks(sampled, seed ^ 0x5EED, _PILOT, n)
    density = np.asarray(log_prob(pilot), float)
    support = _inside(density, title, seed)
    if support.outcome == "refuted":
        return (support,)
    discrete = pilot.dtype.kind in "iub"
    compare = _atoms if discrete else _weighted
    return support, *compare(distribution, sampled, pilot, seed, alpha, n, title)


def _inside(density: np.ndarray, title: str, seed: int) -> Check:
    bad = int(np.sum(~(density > -np.inf)))
    said = {"draws of density 0": bad, "of": len(density)}
    return Check(
        "draws lie in the support",
        "exact comparison",
        "log density",
        "refuted" if bad else "passed",
        0.0,
        len(density),
        said,
        None,
        title,
        seed,
    )


def _atoms(
    distribution: Any, sampled: Any, pilot: np.ndarray, seed: int, alpha: float, n: int, title: str
) -> tuple[Check, ...]:
    values, counts = np.unique(pilot.reshape(len(pilot), -1), axis=0, return_counts=True)
    atoms = values[np.argsort(-counts)[:_ATOMS]]
    shaped = jnp.asarray(atoms.reshape(-1, *pilot.shape[1:]), pilot.dtype)
    expected = np.exp(np.asarray(jax.vmap(distribution.log_prob)(shaped), float))

    def equal(keys: Any) -> Any:
        draws = np.asarray(sampled(keys)).reshape(len(keys), -1)
        return np.all(draws[:, None] == atoms[None], axis=2).astype(float)

    result = staged(lambda s, m: test_means(in_blocks(equal, s, m, n), expected), seed, n, alpha)
    t = result.test
    said = {"value": str(shaped[t.which].tolist()), "frequency": t.mean, "density": t.expected, "z": t.z}
    family = f"{len(atoms)} values"
    delta = detectable(n, alpha, len(atoms))
    return (
        Check("sampler has the density", "density", family, result.outcome, alpha, result.total, said, delta, title,
              result.stage_seed),
    )  # fmt: skip


def _weighted(
    distribution: Any, sampled: Any, pilot: np.ndarray, seed: int, alpha: float, n: int, title: str
) -> tuple[Check, ...]:
    space = _space(distribution, pilot)
    to = jax.jit(jax.vmap(space.to))
    u = np.asarray(to(jnp.asarray(pilot)), float)
    d = u.shape[1]
    centre, factor = u.mean(0), np.linalg.cholesky(np.cov(u.T).reshape(d, d) + 1e-12 * np.eye(d))
    constant = (
        gammaln((_DF + d) / 2) - gammaln(_DF / 2) - d / 2 * jnp.log(_DF * jnp.pi) - jnp.sum(jnp.log(jnp.diag(factor)))
    )

    def propose(key: Any) -> tuple[Any, Any]:
        normal, chi = jax.random.split(key)
        z = jax.random.normal(normal, (d,)) / jnp.sqrt(jax.random.gamma(chi, _DF / 2) * 2 / _DF)
        x, log_det = space.back(centre + factor @ z)
        log_q = constant - (_DF + d) / 2 * jnp.log1p(jnp.sum(z**2) / _DF)
        weight = jnp.exp(distribution.log_prob(x) + log_det - log_q)
        return centre + factor @ z, jnp.where(jnp.isfinite(weight), weight, 0.0)

    proposed = jax.jit(jax.vmap(propose))
    family = Family(u)

    def statistics(keys: Any) -> np.ndarray:
        points, weights = (np.asarray(a, float) for a in proposed(keys))
        draws = np.asarray(to(sampled(jax.vmap(lambda k: jax.random.fold_in(k, 1))(keys))), float)
        return np.concatenate([weights[:, None] - 1, weights[:, None] * family(points) - family(draws)], axis=1)

    weights = np.asarray(proposed(jax.random.split(jax.random.key(seed ^ 0x77), min(n, _PILOT)))[1], float)
    effective = float(weights.sum() ** 2 / max(np.sum(weights**2), 1e-300))
    names = ["total mass", *family.names]
    if effective < _LEAST_EFFECTIVE:
        why = {"why": f"the proposal fits the density badly: {len(weights)} weights are worth {effective:.0f}"}
        return (Check("density = sampler", "importance sampling", "", "undecided", alpha, n, why, None, title, seed),)
    result = staged(lambda s, m: test_means(in_blocks(statistics, s, m, n), np.zeros(len(names))), seed, n, alpha)
    t = result.test
    said = {"function": names[t.which], "density - sampler": t.mean, "should be": 0.0, "z": t.z}
    delta = detectable(n, alpha, len(names))
    return (
        Check("sampler has the density", "importance weights", f"mass, {len(names) - 1} functions", result.outcome,
              alpha, result.total, said, delta, title, result.stage_seed),
    )  # fmt: skip


def _space(distribution: Any, pilot: np.ndarray) -> _Space:
    """By the bijection to the support, where the distribution says what that is; else all of R^d."""
    shape, support = pilot.shape[1:], getattr(distribution, "support", None)
    if support is None:
        return _Space(jnp.ravel, lambda u: (u.reshape(shape), jnp.zeros(())))
    try:
        bijection = bijector(support)
    except NotImplementedError as error:
        raise UsageError(
            f"the support of {type(distribution).__name__} has no bijection to a space of vectors",
            notes=(str(error),),
            helps=("leave `support` out where it is all of R^d",),
        ) from error
    free = bijection.unconstrained_shape(shape)
    return _Space(lambda x: jnp.ravel(bijection.inverse(x)), lambda u: bijection.forward(u.reshape(free)))
