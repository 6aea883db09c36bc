"""The suspended form of a compiled model: SMC from any model, unchanged.

The state of a particle are the live random variables of the top level, the carries of the loop that it is in, and the
latents drawn outside of loops (they belong to the trace). Latents drawn in a step leave as its record.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from ppl.compiler.emit import loops
from ppl.compiler.emit.evaluate import Evaluator
from ppl.compiler.emit.frame import Effects, Frame, Given, Recorded
from ppl.compiler.emit.interpretation import FREE_DENSITY, Interpretation
from ppl.compiler.emit.markov import markov_from
from ppl.compiler.emit.paths import as_given, same_draws
from ppl.compiler.emit.prefix import run_known
from ppl.compiler.emit.scans import as_type
from ppl.compiler.emit.stages import Stages, Unit
from ppl.compiler.emit.target import EmittedTarget
from ppl.compiler.emit.traverse import draws_in
from ppl.compiler.ir.nodes import Draw, Scan, Stmt
from ppl.compiler.ir.walk import definitions
from ppl.core.errors import MethodError
from ppl.core.random import split
from ppl.core.sequential import At, ConditionalSequentialTarget, agree
from ppl.core.target import Trace, Unconstrained

_EXTEND = Interpretation("extend", samples=True, weighs=True, records="value", trusts=True)
_REPLAY = Interpretation("replay", weighs=True, records="value")

_SEGMENTS = 3  # units that get a loop each

Record = dict[str, Recorded]  # draw -> what was drawn


class State(NamedTuple):
    """``live``: variable -> value, of the top level and the carries; the results of a loop fill up as it runs.
    ``drawn``: latents drawn outside of loops. What is not yet defined holds zeros."""

    live: dict[str, Any]
    drawn: Record


class How(NamedTuple):
    """Draws from ``key``, but for those in ``given``. ``scored`` (as in ``Evaluator``) says what is weighed."""

    key: PRNGKeyArray | None
    given: dict[str, Given]
    scored: frozenset[int] | None = None
    interpretation: Interpretation | None = None

    @property
    def evaluator(self) -> Evaluator:
        usual = _REPLAY if self.key is None else _EXTEND
        return Evaluator(self.interpretation or usual, self.scored)

    def keys(self) -> tuple[Any, Any]:
        return (None, None) if self.key is None else split(self.key)


class EmittedSequential(ConditionalSequentialTarget):
    """A target cut at its observations. Records are of one structure: zeros stand for draws of other steps."""

    target: EmittedTarget
    length: int = eqx.field(static=True)
    cut: Stages = eqx.field(static=True)
    fixed: Trace = eqx.field(default_factory=dict)

    @property
    def segments(self) -> tuple[int, ...] | None:
        """One for each unit; None where there are many, since each is compiled into a loop of its own."""
        return tuple(u.steps for u in self.cut.units) if len(self.cut.units) <= _SEGMENTS else None

    @property
    def parameters(self) -> tuple[str, ...]:
        before = frozenset(d.site for s in self.cut.before for d in draws_in(s))
        later = frozenset(d.site for u in self.cut.units for s in (*u.statements, *u.glue) for d in draws_in(s))
        return tuple(v.name for v in self.target.latents if v.name in before - later)

    def conditioned(self, trace: Trace) -> EmittedSequential:
        return replace(self, fixed=trace)

    def log_prior(self, unconstrained: Unconstrained) -> Float[Array, ""]:
        names = frozenset(unconstrained)
        scored = frozenset(id(d) for d in draws_in(self.target.plan.code.model.body) if d.site in names)
        effects = self.target._walk(FREE_DENSITY, {}, unconstrained, scored=scored)[1]
        return _weight(effects)

    def start(self, key: PRNGKeyArray) -> tuple[State, Float[Array, ""]]:
        return _start(self, key)

    def advance(self, key: PRNGKeyArray, state: State, step: Int[Array, ""]) -> tuple[State, Record, Float[Array, ""]]:
        return _step(self, state, step, How(key, {}))

    def replay(self, state: State, record: Record, step: Int[Array, ""]) -> tuple[State, Float[Array, ""]]:
        """``advance`` with the draws of ``record``: observations and factors are weighed, the draws are not."""
        new, _, weight = _step(self, state, step, How(None, self._given(record), self._statements(latent=False)))
        return new, weight

    def observe(self, state: State, step: Int[Array, ""]) -> tuple[State, Float[Array, ""]]:
        new, _, weight = _step(self, state, step, How(None, {}))
        return new, weight

    def log_transition(self, state: State, record: Record, step: Int[Array, ""]) -> Float[Array, ""]:
        _, made, weight = _step(self, state, step, How(None, self._given(record), self._statements(latent=True)))
        return self._possible(record, made, weight)

    def merged(self, states: State, step: Int[Array, ""]) -> Bool[Array, ""]:
        read = [agree(v) | (step >= self.cut.until.get(n, self.length)) for n, v in states.live.items()]
        return jnp.all(jnp.stack([jnp.asarray(True), *read]))

    def extend(self, state: State, record: Record, step: Int[Array, ""]) -> tuple[State, Float[Array, ""]]:
        new, made, weight = _step(self, state, step, How(None, self._given(record)))
        return new, self._possible(record, made, weight)

    def _given(self, record: Record) -> dict[str, Given]:
        return as_given(self.target.plan.code.layout, record)

    def _possible(self, record: Record, made: Record, weight: Any) -> Float[Array, ""]:
        """``weight``, or −∞ where the state's path does not draw what ``record`` holds."""
        return jnp.where(same_draws(self.target.plan.code.layout, record, made), weight, -jnp.inf)

    @property
    def markov_from(self) -> int | None:
        return markov_from(self.cut, frozenset(self._latents(self.target.plan.code.model.body)))

    def kept(self, state: State) -> Trace:
        inside = {d.site for u in self.cut.units if u.is_loop for d in draws_in(u.statement)}
        whole = self._joined(dict(state.drawn))
        return {name: value for name, value in whole.items() if name not in inside}

    def trace(self, state: State, records: Record) -> Trace:
        """The latents of one particle, from its final state and its records (leading axis: the steps)."""
        found = dict(state.drawn)
        for unit in self.cut.units:
            if unit.is_loop:
                steps = np.arange(unit.first, unit.first + unit.steps)
                found |= {d: jax.tree.map(itemgetter(steps), records[d]) for d in self._latents(unit.statement)}
        return self._joined(found)

    def _joined(self, found: Record) -> Trace:
        plan = self.target.plan
        joined = {s.name: plan.code.layout.join(s.name, found) for s in plan.code.model.sites}
        return {name: plan.entries(name, whole) for name, whole in joined.items() if whole is not None}

    def observation(self, step: int) -> str:
        unit = next(u for u in reversed(self.cut.units) if u.first <= step)
        sites = sorted({d.site for d in draws_in(unit.statement) if d.site in self.target.data})
        named = " and ".join(f"`{s}`" for s in sites) or "an observed value or constraint"
        if not unit.is_loop:
            return named
        lower = unit.statement.lower.evaluate(self.target.plan.code.sizes)
        return f"{named} at {unit.statement.index.id} = {step - unit.first + lower}"

    def _begin(self, how: How) -> tuple[State, Float[Array, ""]]:
        known, _ = self.target.plan.given({}, self.fixed, {})
        fixed = {d.var.id: known[d.var.id] for s in self.cut.before for d in draws_in(s) if d.var.id in known}
        if fixed:  # the prior density of what is fixed is not part of the weight
            influence = self.target.plan.influence
            own = {id(d) for d in draws_in(self.target.plan.code.model.body) if d.var.id in fixed}
            others = frozenset(influence.draws.keys() | influence.scores.keys()) - own
            how = how._replace(given=how.given | fixed, scored=others)
        state, _, weight = self._run(State({}, {}), self.cut.before, how.key, how, self.cut.units[0])
        drawn = {d: Recorded(g.value) for d, g in fixed.items()}
        return State(state.live, state.drawn | drawn), weight

    def run_step(self, state: State, step: Int[Array, ""], how: How) -> tuple[State, Record, Float[Array, ""]]:
        template = jax.eval_shape(EmittedSequential._everything, self, jax.random.key(0))[1]

        def run(k: int, state: State, step: Any, key: Any, given: dict[str, Given]) -> Any:
            unit, here = self.cut.units[k], how._replace(key=key, given=given)
            body_key, glue_key = here.keys()
            after, made, weight = self._iterate(unit, state, step - unit.first, body_key, here)
            following = self.cut.units[k + 1] if k + 1 < len(self.cut.units) else None
            after, made = _fill(state, after), _fill(template, made)
            if following is None and not unit.glue:
                return after, made, weight

            def behind(state: State, made: Record) -> Any:
                new, more, extra = self._run(state, unit.glue, glue_key, here, following)
                return _fill(state, new), _fill(made, more), weight + extra

            if unit.steps == 1:
                return behind(after, made)
            last = step == unit.first + unit.steps - 1
            return jax.lax.cond(last, behind, lambda state, made: (state, made, weight), after, made)

        if isinstance(step, At):
            return run(step.segment, state, step.step, how.key, how.given)
        if len(self.cut.units) == 1:
            return run(0, state, step, how.key, how.given)
        firsts = jnp.asarray([u.first for u in self.cut.units[1:]])
        branches = [partial(run, k) for k in range(len(self.cut.units))]
        return jax.lax.switch(jnp.sum(step >= firsts), branches, state, step, how.key, how.given)

    def _iterate(self, unit: Unit, state: State, local: Any, key: Any, how: How) -> tuple[State, Record, Any]:
        """One step of a unit, without the glue behind it."""
        if not unit.is_loop:
            return self._run(state, unit.statements, key, how, None)
        loop = unit.statement
        frame, _ = self._frame(state, None, how)
        _, every = loops.inputs(how.evaluator, frame, loop, loop.body)
        given = {d: g for d, g in every.given.items() if d not in how.given}
        at = jax.tree.map(lambda a: jnp.asarray(a)[local], every._replace(given=given))
        at = at._replace(given=at.given | {d: how.given[d] for d in self._latents(loop) if d in how.given}, key=key)
        inner = loops.enter(frame, loop, at)
        how.evaluator.run(loop.body, inner)
        live = dict(state.live)
        for c in getattr(loop, "carries", ()):
            live[c.var.id] = as_type(inner.read(c.next), c.var.type)
            if c.final is not None and c.final.id in self.cut.live:
                live[c.final.id] = live[c.var.id]
        for s in loop.stacked:
            if s.var.id in self.cut.live:
                value = jax.tree.map(jnp.asarray, inner.read(s.value))
                empty = jax.tree.map(lambda v: jnp.zeros((unit.steps, *v.shape), v.dtype), value)
                live[s.var.id] = jax.tree.map(lambda b, v: b.at[local].set(v), live.get(s.var.id, empty), value)
        effects = inner.effects()
        return State(live, state.drawn), self._made(effects), _weight(effects)

    def _run(
        self, state: State, statements: tuple[Stmt, ...], key: Any, how: How, following: Unit | None
    ) -> tuple[State, Record, Any]:
        """Runs statements of the top level; ``following`` is the unit that comes next."""
        frame, known = self._frame(state, key, how)
        for var in (v for s in statements for v in definitions(s) if v.id not in known):
            frame.values.pop(var.id, None)  # zeros stood there so far
        for s in statements:
            how.evaluator.execute(s, frame)
        live = {n: v for n, v in frame.values.items() if n in self.cut.live and n not in known}
        if following is not None and isinstance(following.statement, Scan):
            carries = following.statement.carries
            live |= {c.var.id: as_type(frame.read(c.init), c.var.type) for c in carries}
        effects = frame.effects()
        made = self._made(effects)
        live = jax.tree.map(jnp.asarray, state.live | live)
        return State(live, state.drawn | made), made, _weight(effects)

    def _frame(self, state: State, key: PRNGKeyArray | None, how: How) -> tuple[Frame, frozenset[str]]:
        """A frame with the state, and the names of what needs no random variable."""
        plan = self.target.plan
        data, whole = plan.given(self.target.data, {}, {})
        frame = self.target.frame(data | how.given, whole, key)
        run_known(frame, plan.code.model.body.statements, whole)
        known = frozenset(frame.values)
        frame.values.update(state.live)
        run_known(frame, self.cut.remade, whole)
        return frame, known

    def _made(self, effects: Effects) -> Record:
        names = self._latents(self.target.plan.code.model.body)
        return {d: jax.tree.map(jnp.asarray, r) for d, r in effects.records.items() if d in names}

    def _latents(self, node: Any) -> dict[str, Draw]:
        """The draws of inference's latents (and of summed-out variables) inside a node."""
        names = {v.name for v in self.target.latents} | self.target.plan.summed
        return {d.var.id: d for d in draws_in(node) if d.site in names}

    def _statements(self, latent: bool) -> frozenset[int]:
        """Ids of the draws of latents; or of all else that is weighed."""
        drawn = {id(d) for d in self._latents(self.target.plan.code.model.body).values()}
        influence = self.target.plan.influence
        return frozenset(drawn if latent else (influence.draws.keys() | influence.scores.keys()) - drawn)

    def _everything(self, key: PRNGKeyArray) -> tuple[State, Record]:
        """The state with all that is ever in it, and the draws of all steps: for their shapes only."""
        how, units = How(key, {}), self.cut.units
        state, _ = self._begin(how)
        records: Record = {}
        for k, unit in enumerate(units):
            state, made, _ = self._iterate(unit, state, 0, key, how)
            state, more, _ = self._run(state, unit.glue, key, how, units[k + 1] if k + 1 < len(units) else None)
            records |= made | more
        return state, records


@jax.jit
def _start(sequential: EmittedSequential, key: PRNGKeyArray) -> tuple[State, Float[Array, ""]]:
    return begin(sequential, How(key, {}))


def begin(sequential: EmittedSequential, how: How) -> tuple[State, Float[Array, ""]]:
    """``start`` with some draws given. What ``sequential`` holds fixed is given too, and not weighed."""
    whole, _ = jax.eval_shape(EmittedSequential._everything, replace(sequential, fixed={}), jax.random.key(0))
    state, weight = sequential._begin(how)
    return _fill(whole, state), weight


@partial(jax.jit, static_argnames="scored")
def _compiled_step(
    sequential: EmittedSequential, state: State, step: Any, key: Any, given: Any, scored: frozenset[int] | None
) -> tuple[State, Record, Float[Array, ""]]:
    return sequential.run_step(state, step, How(key, given, scored))


def _step(sequential: EmittedSequential, state: State, step: Any, how: How) -> tuple[State, Record, Float[Array, ""]]:
    """Compiled, so that nothing but shapes decides on the structure of states and records."""
    return _compiled_step(sequential, state, step, how.key, how.given, how.scored)


def suspend(target: EmittedTarget) -> EmittedSequential:
    """``target`` cut at its observations, in the order of the text. MethodError where it has none."""
    cut = Stages(target.plan, frozenset(target.data))
    if not cut.units:
        raise MethodError(
            f"model `{target.name}` observes nothing, so that there is nothing to run step by step",
            helps=("give data for a `data` variable, or use a method that needs no observations",),
        )
    return EmittedSequential(target=target, length=cut.length, cut=cut)


def _weight(effects: Effects) -> Float[Array, ""]:
    return jnp.zeros(()) if effects.weight is None else jnp.asarray(effects.weight)


def _fill(template: Any, part: Any) -> Any:
    """``part`` (dicts, in tuples) with what it lacks taken from ``template``, or zeros where that gives shapes only; in
    the types of the template."""
    if isinstance(template, dict):
        return {n: _fill(t, part[n]) if n in part else jax.tree.map(_zero, t) for n, t in template.items()}
    if isinstance(template, State):
        return State(*(_fill(t, p) for t, p in zip(template, part, strict=True)))
    return jax.tree.map(lambda t, p: jnp.asarray(p, t.dtype), template, part)


def _zero(t: Any) -> Any:
    return jnp.zeros(t.shape, t.dtype) if isinstance(t, jax.ShapeDtypeStruct) else t
