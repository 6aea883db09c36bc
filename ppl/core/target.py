"""A target: a model with its arguments and data bound, as inference sees it.

Write p(z, y) for the density of latents z and data y, γ(z) = p(z, y) · ∏ factors for the unnormalised target at the
given data, and Z = ∫ γ(z) dz for the evidence. All densities and weights are natural logarithms, of p and never of 1/p.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, NamedTuple

import equinox as eqx
from jaxtyping import Array, Float, PRNGKeyArray

from ppl.core.errors import MethodError
from ppl.core.sequential import ConditionalSequentialTarget

Trace = dict[str, Array]  # site name -> whole array of the random variable, in the order of the program
Unconstrained = dict[str, Array]  # site name -> its image in R^k


def is_auxiliary(name: str) -> bool:
    """Whether a random variable is one that the compiler has added (a seed of nested inference, the number of a
    particle): those have a space in their names, which no name of the language has. Results do not show them."""
    return " " in name


class Latent(NamedTuple):
    """A latent random variable of a target.

    ``axes`` names a dimension for each axis of ``shape`` ("" where it has none). ``support_size``: the number of values
    one element can take where that is finite and known, else None; ``support_values`` lists them where they are not 0,
    1, …, size − 1 (where elements differ, the union: a value that an element cannot take has density zero).
    ``discrete`` latents have no unconstrained form."""

    name: str
    shape: tuple[int, ...]
    dtype: Any
    discrete: bool = False
    support_size: int | None = None
    axes: tuple[str, ...] = ()
    support_values: tuple[float, ...] | None = None


class Execution(NamedTuple):
    """One run of a model.

    ``trace`` the latents, ``data`` the values of the data sites (given or drawn), ``outputs`` the derived quantities,
    ``value`` the returned value (a PyTree, None if nothing is returned), ``log_weight`` as the method that made it
    says."""

    trace: Trace
    data: Trace
    outputs: dict[str, Any]
    value: Any
    log_weight: Float[Array, ""]


class Target(eqx.Module):
    """Abstract. Every method is pure, may be traced by JAX, and handles one trace: batches are made by ``jax.vmap``.

    Laws (tested for every implementation):

    * ``generate(key, {})`` has weight w with E[e^w f(z)] = ∫ γ(z) f(z) dz: latents from the prior, weight the
      likelihood and the factors;
    * ``generate(key, z)`` with every latent given has weight ``log_density(z)``;
    * ``constrain(unconstrain(z))[0] = z``, and the second result of ``constrain`` is log |∂z/∂u|.
    """

    name: eqx.AbstractVar[str]
    latents: eqx.AbstractVar[tuple[Latent, ...]]

    @property
    def order(self) -> tuple[str, ...]:
        """The names of the random variables and outputs in the order in which people read them."""
        return tuple(v.name for v in self.latents)

    def in_order(self, arrays: dict[str, Any]) -> dict[str, Any]:
        """PyTrees sort their names; this sorts as ``order`` does, with what it does not name behind."""
        place = {name: k for k, name in enumerate(self.order)}
        return dict(sorted(arrays.items(), key=lambda item: place.get(item[0], len(place))))

    @property
    def completes_at_random(self) -> bool:
        """Whether ``complete`` draws anything: variables put off until after inference, absent or missing data."""
        return False

    @abstractmethod
    def simulate(self, key: PRNGKeyArray) -> Execution:
        """Draws latents *and data* from the joint prior; the weight is the sum of the factors alone (and of
        ``observe``)."""

    def prior(self, key: PRNGKeyArray) -> Execution:
        """``simulate`` for people: what the path taken does not draw is NaN (in ``complete`` too; elsewhere it is
        noise)."""
        return self.simulate(key)

    @abstractmethod
    def generate(self, key: PRNGKeyArray, constraints: Trace) -> Execution:
        """Fixes the latents in ``constraints`` (whole arrays) and draws the others from their conditional priors;
        weight: the log density of all that is fixed (constraints, data, factors) given what was drawn before it."""

    @abstractmethod
    def log_density(self, trace: Trace) -> Float[Array, ""]:
        """log γ(z); −∞ outside the support, and where a ``require`` fails."""

    @abstractmethod
    def log_density_terms(self, trace: Trace) -> dict[str, Array]:
        """The terms of log γ by name, in arrays that sum to it: the latents', the data sites', the factors'."""

    @abstractmethod
    def constrain(self, unconstrained: Unconstrained) -> tuple[Trace, Float[Array, ""]]:
        """Continuous latents from R^k, with log |∂z/∂u|. The bijections may depend on earlier latents."""

    @abstractmethod
    def unconstrain(self, trace: Trace) -> Unconstrained:
        """The inverse of ``constrain``."""

    @abstractmethod
    def complete(self, key: PRNGKeyArray, trace: Trace) -> Execution:
        """Given the latents that inference works on: everything else. Eliminated discrete variables and draws that
        feed no data are drawn from their exact conditionals, outputs computed, missing and absent data drawn.
        The weight is zero."""

    def log_density_unconstrained(self, unconstrained: Unconstrained) -> Float[Array, ""]:
        """log γ(z(u)) + log |∂z/∂u|: the density that gradient-based kernels work on."""
        trace, log_det = self.constrain(unconstrained)
        return self.log_density(trace) + log_det

    def suspend(self) -> ConditionalSequentialTarget:
        """The suspended form, cut at the observations. MethodError (exit code 3) for a target that has none."""
        raise MethodError(
            f"target `{self.name}` has no suspended form",
            helps=("use a method that needs only its density: --method 'nuts'",),
        )
