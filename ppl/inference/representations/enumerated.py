"""Enumerated[A]: finite support with exact weights."""

from __future__ import annotations

from typing import Any

from jax.scipy.special import logsumexp
from jaxtyping import Array, Float

from ppl.core.random import Source
from ppl.inference.representations.base import Representation
from ppl.inference.representations.shape import ENUMERATED, Shape


class Enumerated(Representation):
    """⟦r⟧ f = Σᵢ e^{log wᵢ} f(aᵢ). Nothing is random: ``run`` spends no randomness."""

    values: Any
    log_weights: Float[Array, " k"]

    @property
    def shape(self) -> Shape:
        return ENUMERATED

    def run(self, key: Source) -> tuple[tuple[Any, Float[Array, " k"]], Any]:
        return (self.values, self.log_weights), {}

    @property
    def log_evidence(self) -> Float[Array, ""]:
        return logsumexp(self.log_weights)
