"""The target that a compiled model is: each method is one walk over the IR in one interpretation."""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ppl.compiler.emit.code import bind_parameters
from ppl.compiler.emit.evaluate import Evaluator
from ppl.compiler.emit.frame import Effects, Frame, Given
from ppl.compiler.emit.interpretation import (
    COMPLETE,
    CONSTRAIN,
    DENSITY,
    FREE_DENSITY,
    GENERATE,
    PRIOR,
    SIMULATE,
    TERMS,
    UNCONSTRAIN,
    Interpretation,
)
from ppl.compiler.emit.plan import Plan
from ppl.compiler.ir.nodes import Role, SiteInfo
from ppl.core.sequential import ConditionalSequentialTarget
from ppl.core.target import Execution, Latent, Target, Trace, Unconstrained
from ppl.core.undefined import has_undefined


class OutputInfo(NamedTuple):
    """A derived quantity: ``axes`` names a dimension for each axis, "" where it has none."""

    name: str
    axes: tuple[str, ...]


class EmittedTarget(Target):
    """A model with its arguments and data. Array leaves: arguments, data, arrays inside extern functions, and values
    that depend on those alone; all else is static, so other data of the same shapes need no new compilation."""

    name: str = eqx.field(static=True)
    latents: tuple[Latent, ...] = eqx.field(static=True)
    plan: Plan = eqx.field(static=True)
    output_infos: tuple[OutputInfo, ...] = eqx.field(static=True)
    args: dict[str, Any]
    data: Trace
    externs: dict[str, Any]
    constants: dict[str, Any]
    proposal: EmittedTarget | None = None  # the guide from which the suspended form draws

    @property
    def data_sites(self) -> tuple[SiteInfo, ...]:
        """Every ``data`` variable of the model, given or not."""
        return tuple(s for s in self.plan.code.model.sites if s.role is Role.DATA)

    @property
    def outputs(self) -> tuple[OutputInfo, ...]:
        return self.output_infos

    @property
    def order(self) -> tuple[str, ...]:
        """That of the text."""
        return (*(s.name for s in self.plan.code.model.sites), *(o.name for o in self.output_infos))

    @property
    def completes_at_random(self) -> bool:
        fixed = {v.name for v in self.latents} | set(self.data) - set(self.plan.missing)
        return any(site.name not in fixed for site in self.plan.code.model.sites)

    def simulate(self, key: PRNGKeyArray) -> Execution:
        value, effects = self._walk(SIMULATE, {}, {}, key, data={})
        return self._execution(value, effects, _total(effects))

    def prior(self, key: PRNGKeyArray) -> Execution:
        value, effects = self._walk(PRIOR, {}, {}, key, data={})
        return self._execution(value, effects, _total(effects))

    def generate(self, key: PRNGKeyArray, constraints: Trace) -> Execution:
        value, effects = self._walk(GENERATE, constraints, {}, key)
        return self._execution(value, effects, _total(effects))

    def log_density(self, trace: Trace) -> Float[Array, ""]:
        return _total(self._walk(DENSITY, trace, {})[1])

    def log_density_unconstrained(self, unconstrained: Unconstrained) -> Float[Array, ""]:
        """log γ(z(u)) + log |∂z/∂u|, in one walk."""
        return _total(self._walk(FREE_DENSITY, {}, unconstrained)[1])

    def constrain(self, unconstrained: Unconstrained) -> tuple[Trace, Float[Array, ""]]:
        _, effects = self._walk(CONSTRAIN, {}, unconstrained)
        return self._trace(effects), _total(effects)

    def unconstrain(self, trace: Trace) -> Unconstrained:
        return self._trace(self._walk(UNCONSTRAIN, trace, {})[1])

    def complete(self, key: PRNGKeyArray, trace: Trace) -> Execution:
        value, effects = self._walk(COMPLETE, trace, {}, key)
        return self._execution(value, effects, jnp.zeros(()))

    def suspend(self) -> ConditionalSequentialTarget:
        from ppl.compiler.emit.guided import guided  # these import this module
        from ppl.compiler.emit.suspend import suspend

        sequential = suspend(self)
        return sequential if self.proposal is None else guided(sequential, self.proposal)

    def log_density_terms(self, trace: Trace) -> dict[str, Array]:
        """The terms whose sum is ``log_density(trace)``: for each site, given or latent, the log densities of its
        elements (the shape of the site without its events' axes); for each ``factor``, ``observe`` and ``require``
        its weight."""
        _, effects = self._walk(TERMS, trace, {})
        layout = self.plan.code.layout
        terms = {s.name: layout.join(s.name, effects.records) for s in self.plan.code.model.sites}
        return {n: t for n, t in terms.items() if t is not None} | effects.outputs

    def update(self, trace: Trace, changes: Trace) -> tuple[Trace, Float[Array, ""]]:
        """The trace with ``changes``, and log γ(new) − log γ(old): only what the changed sites reach is computed."""
        new = {**trace, **changes}
        scored = self.plan.influence.touched(frozenset(changes))
        before, after = (_total(self._walk(DENSITY, t, {}, scored=scored)[1]) for t in (trace, new))
        return new, after - before

    def _walk(
        self,
        interpretation: Interpretation,
        trace: Trace,
        free: Unconstrained,
        key: PRNGKeyArray | None = None,
        scored: frozenset[int] | None = None,
        data: Trace | None = None,
    ) -> tuple[Any, Effects]:
        """The model's value, and what it did."""
        given, whole = self.plan.given(self.data if data is None else data, trace, free)
        frame = self.frame(given, whole, key, self.constants if data is None else {})
        results = Evaluator(interpretation, scored).run(self.plan.code.model.body, frame)
        return results[0] if results else None, frame.effects()

    def frame(
        self,
        given: dict[str, Given],
        whole: dict[str, Any],
        key: PRNGKeyArray | None,
        constants: dict[str, Any] | None = None,
    ) -> Frame:
        """The model's own frame: its parameters, and ``constants`` (those of the target, if not given)."""
        code = self.plan.code
        frame = Frame(code.global_frame(self.externs), given=given, whole=whole, key=key)
        frame.deferred = self.plan.deferred
        bind_parameters(frame, code.model.params, self.args)
        frame.values.update(self.constants if constants is None else constants)
        return frame

    def _trace(self, effects: Effects) -> Trace:
        joined = {v.name: self.plan.code.layout.join(v.name, effects.records) for v in self.latents}
        return {n: self.plan.entries(n, a) for n, a in joined.items() if a is not None}

    def _execution(self, value: Any, effects: Effects, log_weight: Float[Array, ""]) -> Execution:
        trace: Trace = {}
        data: Trace = {}
        names = {v.name for v in self.latents}
        for site in self.plan.code.model.sites:
            whole = self.plan.code.layout.join(site.name, effects.records)
            if whole is None:
                continue
            if site.role is Role.DATA:
                data[site.name] = whole
            if site.role is not Role.DATA or site.name in names:
                trace[site.name] = self.plan.entries(site.name, whole)
        outputs = dict(effects.outputs)
        if isinstance(value, (jax.Array, int, float)):
            outputs["return"] = jnp.asarray(value)
        return Execution(trace, data, outputs, None if has_undefined(value) else value, log_weight)


def _total(effects: Effects) -> Float[Array, ""]:
    return jnp.zeros(()) if effects.weight is None else jnp.asarray(effects.weight)
