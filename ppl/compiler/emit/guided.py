"""Guided SMC: a model whose latents are proposed by a guide, step by step (Doucet, Godsill and Andrieu 2000).

The guide runs along with the model, suspended at the same places. What it draws in a step is given to the model's
step, and the weight is p/q times that of the observations: the measure is the model's, wherever q > 0 where p > 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from ppl.compiler.emit.frame import Given
from ppl.compiler.emit.guide_stages import GuideStages
from ppl.compiler.emit.interpretation import Drawn, Interpretation, log_density
from ppl.compiler.emit.suspend import EmittedSequential, How, Record, State, begin
from ppl.compiler.emit.target import EmittedTarget
from ppl.core.sequential import ConditionalSequentialTarget
from ppl.core.target import Trace, Unconstrained
from ppl.core.undefined import is_undefined


@dataclass(frozen=True)
class _Propose(Interpretation):
    """Draws what is not given, and weighs every draw by its log density."""

    def draw(self, draw: Any, dist: Any, given: Given, key: Any) -> Drawn:
        drawn = super().draw(draw, dist, given, key)
        if not self.weighs or drawn.weight is not None or is_undefined(drawn.value):
            return drawn
        return drawn._replace(weight=jnp.sum(log_density(draw.site, dist, drawn.value)))


_PROPOSE = _Propose("propose", samples=True, weighs=True, records="value")
_SCORE = _Propose("score", weighs=True, records="value")
_ACCEPT = Interpretation("accept", samples=True, weighs=True, records="value")  # trusts no proposal


class Both(NamedTuple):
    model: State
    guide: State


class GuidedSequential(ConditionalSequentialTarget):
    """``model`` with ``guide`` for its proposal. Records are the model's."""

    model: EmittedSequential
    guide: EmittedSequential
    pairs: tuple[tuple[str, str], ...] = eqx.field(static=True)  # draw of the guide, of the model
    length: int = eqx.field(static=True)

    @property
    def segments(self) -> tuple[int, ...] | None:
        return self.model.segments  # the guide is cut in the same places

    @property
    def parameters(self) -> tuple[str, ...]:
        return self.model.parameters

    def conditioned(self, trace: Trace) -> GuidedSequential:
        return replace(self, model=self.model.conditioned(trace), guide=self.guide.conditioned(trace))

    def log_prior(self, unconstrained: Unconstrained) -> Float[Array, ""]:
        return self.model.log_prior(unconstrained)

    def start(self, key: PRNGKeyArray) -> tuple[Both, Float[Array, ""]]:
        return _start(self, key)

    def advance(self, key: PRNGKeyArray, state: Both, step: Int[Array, ""]) -> tuple[Both, Record, Float[Array, ""]]:
        return _advance(self, state, step, key)

    def replay(self, state: Both, record: Record, step: Int[Array, ""]) -> tuple[Both, Float[Array, ""]]:
        model, log_weight = self.model.replay(state.model, record, step)
        guide, log_q = self._follow(state, record, step)
        return Both(model, guide), log_weight + self.model.log_transition(state.model, record, step) - log_q

    def _follow(self, state: Both, record: Record, step: Any) -> tuple[State, Float[Array, ""]]:
        """The guide with the draws of ``record``, and their log density under it."""
        given = {g: Given(record[m].value) for g, m in self.pairs if m in record}
        return _score(self.guide, state.guide, given, step)

    def log_transition(self, state: Both, record: Record, step: Int[Array, ""]) -> Float[Array, ""]:
        return self.model.log_transition(state.model, record, step)

    def extend(self, state: Both, record: Record, step: Int[Array, ""]) -> tuple[Both, Float[Array, ""]]:
        """The density is the model's, whoever proposed."""
        model, log_weight = self.model.extend(state.model, record, step)
        return Both(model, self._follow(state, record, step)[0]), log_weight

    def merged(self, states: Both, step: Int[Array, ""]) -> Bool[Array, ""]:
        return self.model.merged(states.model, step) & self.guide.merged(states.guide, step)

    def trace(self, state: Both, records: Record) -> Trace:
        return self.model.trace(state.model, records)

    def kept(self, state: Both) -> Trace:
        return self.model.kept(state.model)

    @property
    def markov_from(self) -> int | None:
        return self.model.markov_from

    def observation(self, step: int) -> str:
        return self.model.observation(step)

    def given(self, record: Record) -> dict[str, Given]:
        """What the guide has drawn, for the model."""
        return {m: Given(record[g].value) for g, m in self.pairs if g in record}


@jax.jit
def _start(guided: GuidedSequential, key: PRNGKeyArray) -> tuple[Both, Float[Array, ""]]:
    propose, accept = jax.random.split(key)
    guide, log_q = begin(guided.guide, How(propose, {}, interpretation=_PROPOSE))
    how = How(accept, guided.given(guide.drawn), interpretation=_ACCEPT)
    model, log_p = begin(guided.model, how)
    return Both(model, guide), log_p - log_q


@jax.jit
def _advance(guided: GuidedSequential, state: Both, step: Any, key: Any) -> tuple[Both, Record, Float[Array, ""]]:
    propose, accept = jax.random.split(key)
    guide, made, log_q = guided.guide.run_step(state.guide, step, How(propose, {}, interpretation=_PROPOSE))
    how = How(accept, guided.given(made), interpretation=_ACCEPT)
    model, record, log_p = guided.model.run_step(state.model, step, how)
    return Both(model, guide), record, log_p - log_q


@jax.jit
def _score(
    guide: EmittedSequential, state: State, given: dict[str, Given], step: Any
) -> tuple[State, Float[Array, ""]]:
    new, _, log_q = guide.run_step(state, step, How(None, given, interpretation=_SCORE))
    return new, log_q


def guided(model: EmittedSequential, guide: EmittedTarget) -> GuidedSequential:
    """EmissionError where the two do not draw in the same steps."""
    cut = GuideStages(guide.plan, model.target.plan, model.cut)
    proposal = EmittedSequential(target=guide, length=model.length, cut=cut)
    return GuidedSequential(model=model, guide=proposal, pairs=tuple(cut.pairs.items()), length=model.length)
