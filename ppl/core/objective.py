"""The contract of variational inference: guides and objectives as programs of their parameters.

An objective is *maximised*: a lower bound on the log evidence, or minus a divergence. Parameters are PyTrees of
unconstrained arrays, so that any optimiser works on them.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, NamedTuple

import equinox as eqx
from jaxtyping import Array, Float, PRNGKeyArray

from ppl.core.target import Trace

Params = Any  # a PyTree of unconstrained arrays


class DrawStrategy(NamedTuple):
    """How the gradient passes through one draw.

    ``site`` names the random variable, ``strategy`` is reparam, reinforce, enum, mvd or a user's own; ``reason`` says
    why (as asked, or as chosen); ``claim`` what holds of the gradient: exact, unbiased, or biased."""

    site: str
    strategy: str
    reason: str
    claim: str


class GuideProgram(eqx.Module):
    """Abstract: a family of distributions on traces. A Python guide (automatic, flow, amortised) implements it."""

    @abstractmethod
    def initial(self, key: PRNGKeyArray) -> Params:
        """Unconstrained parameters to start from."""

    @abstractmethod
    def sim(self, params: Params, key: PRNGKeyArray) -> tuple[Trace, Float[Array, ""]]:
        """A trace in the variables' own spaces, and its log density; both differentiable by ``params`` along the
        draw (reparameterised)."""

    @abstractmethod
    def log_density(self, params: Params, trace: Trace) -> Float[Array, ""]:
        """log q(trace)."""


class ObjectiveProgram(eqx.Module):
    """Abstract: an objective of a guide and a target, ready for an optimiser."""

    strategies: eqx.AbstractVar[tuple[DrawStrategy, ...]]

    @abstractmethod
    def initial(self, key: PRNGKeyArray) -> Params:
        """Unconstrained parameters of the guide and of the model (``param``)."""

    @abstractmethod
    def surrogate(self, params: Params, key: PRNGKeyArray) -> Float[Array, ""]:
        """Its value estimates the objective, its gradient by ``params`` is an estimate of the objective's gradient:
        both unbiased where every strategy is."""

    @abstractmethod
    def constrain(self, params: Params) -> dict[str, Array]:
        """The named parameters in their own spaces."""

    @abstractmethod
    def sample(self, params: Params, key: PRNGKeyArray) -> Trace:
        """One draw of the guide."""
