"""Guided SMC with a proposal written in Python (Doucet, Godsill and Andrieu 2000). One that is written as a ``guide``
is compiled: ``ppl.suspend(target, proposal="name")``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jaxtyping import Array, Float, Int

from ppl.core.random import Source
from ppl.core.sequential import ConditionalSequentialTarget, SequentialTarget

# propose(key, state, step) -> (record, log density of the proposal at the record)
Propose = Callable[[Source, Any, Int[Array, ""]], tuple[Any, Float[Array, ""]]]


class Guided(SequentialTarget):
    """``inner`` whose steps draw from ``propose``: the weight is g(yₜ | xₜ) f(xₜ | xₜ₋₁) / q(xₜ | xₜ₋₁, yₜ). The
    measure is that of ``inner``, provided that q > 0 where f g > 0."""

    inner: ConditionalSequentialTarget
    propose: Propose
    length: int

    def start(self, key: Source) -> tuple[Any, Float[Array, ""]]:
        return self.inner.start(key)

    def advance(self, key: Source, state: Any, step: Int[Array, ""]) -> tuple[Any, Any, Float[Array, ""]]:
        record, log_proposal = self.propose(key, state, step)
        new, log_weight = self.inner.replay(state, record, step)
        return new, record, log_weight + self.inner.log_transition(state, record, step) - log_proposal


def guided(target: ConditionalSequentialTarget, propose: Propose) -> SequentialTarget:
    return Guided(inner=target, propose=propose, length=target.length)
