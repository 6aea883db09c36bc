"""A stack machine for recursive functions: ``lax.while_loop`` over a program counter, registers and a stack of frames.

One step runs one segment, which returns, jumps, or applies a function. The stack has a static capacity: a program
that needs more, or more steps than ``STEPS``, has the fault that ``run`` reports, and no value (NaN). Under ``vmap``
every lane has its own counter and stack. Derivatives: ``core.forward``."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.custom_batching
import jax.numpy as jnp

from ppl.compiler.emit.frame import Frame, total
from ppl.compiler.emit.matching import cases_of, is_concrete
from ppl.compiler.emit.recursion.segments import (
    Bind,
    Branch,
    Code,
    Cut,
    End,
    Invoke,
    Jump,
    Return,
    Segment,
    Switch,
)
from ppl.compiler.emit.recursion.slots import Slot, View, fitted
from ppl.compiler.ir import nodes as ir
from ppl.core.undefined import UNDEFINED

DEPTH = 1000  # frames, as in Python
STEPS = 10_000_000


@jax.custom_batching.custom_vmap
def in_any_lane(running: Any) -> Any:
    """Whether the loop goes on. Not batched under ``vmap``: else each step would copy the stacks of all lanes, to keep
    those of the lanes that have ended; here a step leaves what it must of such a lane."""
    return running


@in_any_lane.def_vmap
def _(_size: int, batched: list[bool], running: Any) -> tuple[Any, bool]:
    return in_any_lane(jnp.any(running, axis=0) if batched[0] else running), False


class Action(NamedTuple):
    """What a segment wants done. A machine's frame keeps ``saved`` and where to ``resume``."""

    pushes: Any
    pops: Any
    pc: Any
    resume: Any
    registers: dict[str, Any]
    saved: dict[str, Any]
    values: dict[int, Any]  # the value that was returned last, of each kind
    fault: Any


class State(NamedTuple):
    pc: Any
    depth: Any
    steps: Any
    fault: Any
    registers: dict[str, Any]
    values: dict[int, Any]
    resumes: Any
    frames: dict[str, Any]


class Machine:
    """``outer[u]``: the frame around the body of unit u (captured values, fixed parameters). ``slots`` and
    ``results`` say how variables and values lie in registers."""

    def __init__(
        self,
        cut: Cut,
        outer: dict[int, Frame],
        slots: dict[str, Slot | View],
        results: dict[int, Any],
        depth: int = DEPTH,
    ):
        self.cut, self.outer, self.slots, self.depth = cut, outer, slots, depth
        # A tail call returns the value of another unit in place of one's own: they share a register.
        self.place = {u: next(v for v in results if _alike(results[v], results[u])) for u in results}
        self.results = {u: results[u] for u in self.place.values()}
        self.halt = len(cut.segments)
        resumes = [s for s in cut.segments if s.result is not None]
        self.saved = sorted({name for s in resumes for name in self.names(s)})

    def names(self, segment: Segment) -> list[str]:
        """The registers that a segment reads."""
        return sorted(n for v in segment.live if (n := register(segment.unit, v)) in self.slots)

    def run(self, args: dict[str, Any], active: Any = None) -> tuple[Any, Any]:
        """The value of the first unit for the parameters ``args``, and whether there was a fault. Nothing is done
        where ``active`` is false: arguments of a branch that is not taken may be any."""
        registers = {name: slot.zero for name, slot in self.slots.items()}
        for name, value in args.items():
            if (r := register(0, name)) in self.slots:
                registers[r] = self.slots[r].store(value)
        stack = {n: _stack(self.slots[n].zero, self.depth) for n in self.saved}
        start = jnp.int32(self.cut.entries[0])
        state = State(
            pc=start if active is None else jnp.where(active, start, jnp.int32(self.halt)),
            depth=jnp.int32(0),
            steps=jnp.int32(0),
            fault=jnp.asarray(False),
            registers=registers,
            values=self.results,
            resumes=jnp.zeros(self.depth, jnp.int32),
            frames=stack,
        )
        end = jax.lax.while_loop(lambda s: in_any_lane(s.pc != self.halt), self.step, state)
        return end.values[self.place[0]], end.fault

    def step(self, state: State) -> State:
        segments = [partial(self.execute, k) for k in range(len(self.cut.segments))]
        if len(segments) == 1:
            action = segments[0](state.pc, state.registers, state.values)
        else:
            action = jax.lax.switch(state.pc, segments, state.pc, state.registers, state.values)
        # The slot above the top is free: what is written there counts only if the depth grows.
        at = state.depth
        resumes = state.resumes.at[at].set(action.resume, mode="drop")
        frames = jax.tree.map(lambda s, x: s.at[at].set(x, mode="drop"), state.frames, action.saved)
        top = jnp.maximum(at - 1, 0)
        registers = dict(action.registers)
        for name in self.saved:
            kept = jax.tree.map(lambda s: s[top], frames[name])
            registers[name] = jax.tree.map(partial(jnp.where, action.pops), kept, registers[name])
        pc = jnp.where(action.pops, jnp.where(at == 0, self.halt, resumes[top]), action.pc)
        depth = at + action.pushes.astype(jnp.int32) - action.pops.astype(jnp.int32)
        steps = state.steps + 1
        fault = state.fault | action.fault | (action.pushes & (at >= self.depth)) | (steps >= STEPS)
        pc = jnp.where(fault, self.halt, pc).astype(jnp.int32)
        runs = state.pc != self.halt

        def running(new: Any, old: Any) -> Any:
            return jax.tree.map(lambda a, b: a if a is b else jnp.where(runs, a, b), new, old)

        return State(
            running(pc, state.pc),
            running(depth, state.depth),
            steps,
            running(fault, state.fault),
            running(registers, state.registers),
            running(action.values, state.values),
            resumes,  # a lane that has ended needs its stack no more
            frames,
        )

    def execute(self, k: int, pc: Any, registers: dict[str, Any], values: dict[int, Any]) -> Action:
        segment = self.cut.segments[k]
        frame = Frame(self.outer[segment.unit])
        frame.under(pc == k)  # under vmap every segment is computed
        for v in segment.live:
            name = register(segment.unit, v)
            if name in self.slots:
                frame.values[v] = self.slots[name].load(registers[name])
        if segment.result is not None:
            frame.define(segment.result, values[self.place[segment.callee]])
        return _Execution(self, segment.unit, registers, values).code(segment.code, frame)


class _Execution:
    """One segment, run."""

    def __init__(self, machine: Machine, unit: int, registers: dict[str, Any], values: dict[int, Any]):
        self.machine, self.unit, self.registers, self.values = machine, unit, registers, values

    def code(self, code: Code, frame: Frame) -> Action:
        from ppl.compiler.emit.evaluate import PURE

        PURE.run(ir.Block(code.statements), frame)
        action = self.end(code.end, frame)
        weight = total(frame.weights)
        return action if weight is None else action._replace(fault=action.fault | jnp.isnan(weight))

    def end(self, end: End, frame: Frame) -> Action:
        match end:
            case Bind(variables=variables, atoms=atoms, then=then):
                for var, value in zip(variables, [frame.read(a) for a in atoms], strict=True):
                    frame.define(var, value)
                return self.end(then, frame)
            case Branch(condition=condition, then=then, otherwise=otherwise):
                holds = frame.read(condition)
                if isinstance(holds, (bool, int)):
                    return self.code(then if holds else otherwise, Frame(frame))
                arms = Frame(frame), Frame(frame)
                arms[0].under(holds)
                arms[1].under(jnp.logical_not(holds))
                return _select(holds, self.code(then, arms[0]), self.code(otherwise, arms[1]))
            case Switch():
                return self.switch(end, frame)
            case Return(atom=atom):
                values = dict(self.values)
                place = self.machine.place[self.unit]
                values[place] = fitted(values[place], frame.read(atom))
                return self.action(pops=True, values=values)
            case Jump(label=label):
                return self.action(pc=label, registers=self.moved(frame, label))
            case Invoke(unit=unit, args=args, resume=resume):
                registers = self.registers | self.arguments(unit, [frame.read(a) for a in args])
                entry = self.machine.cut.entries[unit]
                if resume is None:
                    return self.action(pc=entry, registers=registers)
                return self.action(
                    pushes=True, pc=entry, resume=resume, registers=registers, saved=self.moved(frame, resume)
                )

    def switch(self, end: Switch, frame: Frame) -> Action:
        
        chosen = cases_of(frame, frame.read(end.subject), [case for case, _ in end.cases])
        codes = {id(case): code for case, code in end.cases}
        action: Action | None = None
        for case, binders, here in reversed(chosen):
            inner = Frame(frame)
            inner.values.update({b.id: v for b, v in binders})
            if is_concrete(here):
                if not bool(here):
                    continue
                action = self.code(codes[id(case)], inner)
                continue
            inner.under(here)
            arm = self.code(codes[id(case)], inner)
            action = arm if action is None else _select(here, arm, action)
        assert action is not None
        return action

    def moved(self, frame: Frame, label: int) -> dict[str, Any]:
        """The registers with what a segment will read of the frame's variables."""
        machine, segment = self.machine, self.machine.cut.segments[label]
        found = dict(self.registers)
        for v in segment.live:
            name = register(segment.unit, v)
            if name in machine.slots:
                found[name] = machine.slots[name].store(frame.lookup(v))
        return found

    def arguments(self, unit: int, args: list[Any]) -> dict[str, Any]:
        machine = self.machine
        values = with_defaults(machine.outer[unit], machine.cut.units[unit].params, args)
        names = ((register(unit, name), value) for name, value in values.items())
        return {name: machine.slots[name].store(value) for name, value in names if name in machine.slots}

    def action(
        self,
        *,
        pushes: bool = False,
        pops: bool = False,
        pc: int = 0,
        resume: int = 0,
        registers: dict[str, Any] | None = None,
        saved: dict[str, Any] | None = None,
        values: dict[int, Any] | None = None,
    ) -> Action:
        saved = self.registers if saved is None else saved
        return Action(
            jnp.asarray(pushes),
            jnp.asarray(pops),
            jnp.int32(pc),
            jnp.int32(resume),
            self.registers if registers is None else registers,
            {name: saved[name] for name in self.machine.saved},
            self.values if values is None else values,
            jnp.asarray(False),
        )


def with_defaults(outer: Frame, params: tuple[ir.Parameter, ...], args: list[Any]) -> dict[str, Any]:
    """The parameters' values by id: those given, and the defaults of the others."""
    from ppl.compiler.emit.evaluate import PURE

    frame = Frame(outer)
    for k, p in enumerate(params):
        if k < len(args):
            frame.define(p.var, args[k])
        elif p.default is not None:
            frame.define(p.var, PURE.run(p.default, Frame(frame))[0])
    return {p.var.id: frame.values.get(p.var.id, UNDEFINED) for p in params}


def register(unit: int, name: str) -> str:
    return f"{unit}.{name}"


def _alike(a: Any, b: Any) -> bool:
    """Whether values lie in arrays of the same kind."""
    kinds = [[(jax.tree.structure(x), [(y.shape, y.dtype) for y in jax.tree.leaves(x)])] for x in (a, b)]
    return bool(kinds[0] == kinds[1])


def _select(condition: Any, then: Action, otherwise: Action) -> Action:
    return jax.tree.map(lambda a, b: a if a is b else jnp.where(condition, a, b), then, otherwise)


def _stack(zero: Any, depth: int) -> Any:
    return jax.tree.map(lambda z: jnp.zeros((depth, *z.shape), z.dtype), zero)
