"""A target made of plain JAX functions: for tests, and for who has a density and no model file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ppl.core.errors import MethodError
from ppl.core.numerics import softplus
from ppl.core.target import Execution, Latent, Target, Trace, Unconstrained


class Site(NamedTuple):
    """A latent of a functional target. ``to_support`` maps R^shape onto the support elementwise and is increasing or
    decreasing with ``log_slope`` = log |d to_support / du|, elementwise; ``from_support`` is its inverse. None for
    discrete sites."""

    shape: tuple[int, ...] = ()
    to_support: Callable[[Array], Array] | None = None
    from_support: Callable[[Array], Array] | None = None
    log_slope: Callable[[Array], Array] | None = None
    support_values: Any = None
    discrete: bool = False


def real(*shape: int) -> Site:
    """The real line."""
    return Site(shape, lambda u: u, lambda x: x, jnp.zeros_like)


def positive(*shape: int) -> Site:
    """(0, ∞), by exp."""
    return Site(shape, jnp.exp, jnp.log, lambda u: u)


def interval(low: float, high: float, *shape: int) -> Site:
    """(low, high), by a scaled logistic function."""
    width = high - low
    return Site(
        shape,
        lambda u: low + width * jax.nn.sigmoid(u),
        lambda x: jnp.log(x - low) - jnp.log(high - x),
        lambda u: math.log(width) - softplus(-u) - softplus(u),
    )


def finite(values: int | tuple[float, ...], *shape: int) -> Site:
    """Finitely many values: 0 … values − 1, or those listed."""
    return Site(shape, support_values=tuple(range(values)) if isinstance(values, int) else tuple(values), discrete=True)


def counts(*shape: int) -> Site:
    """0, 1, 2, … without end."""
    return Site(shape, discrete=True)


class FunctionalTarget(Target):
    """``log_density(trace)`` is log γ. ``prior(key)`` draws a trace and ``log_likelihood(trace)`` is its weight: both
    are needed by methods that start from the prior, and then log γ = log prior + log likelihood. ``outputs(trace)``
    derives quantities."""

    name: str = eqx.field(static=True)
    latents: tuple[Latent, ...] = eqx.field(static=True)
    sites: tuple[tuple[str, Site], ...] = eqx.field(static=True)
    density: Callable[[Trace], Float[Array, ""]]
    draw: Callable[[PRNGKeyArray], Trace] | None
    log_likelihood: Callable[[Trace], Float[Array, ""]] | None
    outputs: Callable[[Trace], dict[str, Any]] | None
    terms: Callable[[Trace], dict[str, Array]] | None

    def __init__(
        self,
        sites: Mapping[str, Site],
        log_density: Callable[[Trace], Float[Array, ""]],
        *,
        name: str = "target",
        prior: Callable[[PRNGKeyArray], Trace] | None = None,
        log_likelihood: Callable[[Trace], Float[Array, ""]] | None = None,
        outputs: Callable[[Trace], dict[str, Any]] | None = None,
        terms: Callable[[Trace], dict[str, Array]] | None = None,
    ):
        self.name, self.sites = name, tuple(sites.items())
        self.density, self.draw, self.log_likelihood, self.outputs, self.terms = (
            log_density,
            prior,
            log_likelihood,
            outputs,
            terms,
        )
        self.latents = tuple(_latent(n, s) for n, s in sites.items())

    def simulate(self, key: PRNGKeyArray) -> Execution:
        trace = self._from_prior(key)
        return self._execution(trace, jnp.zeros(()))

    def generate(self, key: PRNGKeyArray, constraints: Trace) -> Execution:
        if all(v.name in constraints for v in self.latents):
            trace = {v.name: constraints[v.name] for v in self.latents}
            return self._execution(trace, self.log_density(trace))
        if constraints:
            raise MethodError(
                f"target `{self.name}` is made of functions and cannot draw some latents given others",
                helps=("give all latents or none, or write the model as a .ppl file",),
            )
        trace = self._from_prior(key)
        if self.log_likelihood is None:
            raise MethodError(
                f"target `{self.name}` has no log_likelihood", helps=("FunctionalTarget(…, log_likelihood=…)",)
            )
        return self._execution(trace, self.log_likelihood(trace))

    def log_density(self, trace: Trace) -> Float[Array, ""]:
        return self.density(trace)

    def log_density_terms(self, trace: Trace) -> dict[str, Array]:
        """The terms of log γ by name, where they were given; else the whole."""
        return self.terms(trace) if self.terms is not None else {"log density": self.density(trace)}

    def constrain(self, unconstrained: Unconstrained) -> tuple[Trace, Float[Array, ""]]:
        trace, log_det = {}, jnp.zeros(())
        for name, site in self.sites:
            if site.to_support is not None and site.log_slope is not None:
                trace[name] = site.to_support(unconstrained[name])
                log_det = log_det + jnp.sum(site.log_slope(unconstrained[name]))
        return trace, log_det

    def unconstrain(self, trace: Trace) -> Unconstrained:
        return {n: s.from_support(trace[n]) for n, s in self.sites if s.from_support is not None}

    def complete(self, key: PRNGKeyArray, trace: Trace) -> Execution:
        return self._execution(trace, jnp.zeros(()))

    def _from_prior(self, key: PRNGKeyArray) -> Trace:
        if self.draw is None:
            raise MethodError(
                f"target `{self.name}` has no prior to draw from", helps=("FunctionalTarget(…, prior=…)",)
            )
        return self.draw(key)

    def _execution(self, trace: Trace, log_weight: Float[Array, ""]) -> Execution:
        return Execution(trace, {}, self.outputs(trace) if self.outputs else {}, None, log_weight)


def _latent(name: str, site: Site) -> Latent:
    if site.discrete and site.support_values is not None:
        whole = all(float(v).is_integer() for v in site.support_values)
        return Latent(
            name,
            site.shape,
            int if whole else float,
            True,
            len(site.support_values),
            support_values=site.support_values,
        )
    return Latent(name, site.shape, int if site.discrete else float, site.discrete)
