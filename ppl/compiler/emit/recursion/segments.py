"""The bodies of a group of functions, cut at their recursive applications.

A segment runs from the start of a body, or from where an application has given its value, to the next application or
the end. It is a tree: branches without a common rest stay inside. Liveness says what a frame of the stack keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.recursion.flatten import flattened
from ppl.compiler.emit.recursion.units import Unit, Units
from ppl.compiler.emit.traverse import used_variables
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.rewrite import Names
from ppl.compiler.ir.walk import binders, defined_inside, definitions, walk


@dataclass(frozen=True, eq=False)
class Code:
    """Statements without recursive applications, and what comes then."""

    statements: tuple[ir.Stmt, ...]
    end: End


@dataclass(frozen=True, eq=False)
class Return:
    atom: ir.Atom


@dataclass(frozen=True, eq=False)
class Invoke:
    """Applies ``unit``. ``resume`` is the segment that gets the value; None where the value is the caller's own (a
    tail call: no frame is kept)."""

    unit: int
    args: tuple[ir.Atom, ...]
    resume: int | None


@dataclass(frozen=True, eq=False)
class Jump:
    label: int


@dataclass(frozen=True, eq=False)
class Bind:
    variables: tuple[ir.Var, ...]
    atoms: tuple[ir.Atom, ...]
    then: End


@dataclass(frozen=True, eq=False)
class Branch:
    condition: ir.Atom
    then: Code
    otherwise: Code


@dataclass(frozen=True, eq=False)
class Switch:
    subject: ir.Atom
    cases: tuple[tuple[ir.Case, Code], ...]


End = Return | Invoke | Jump | Bind | Branch | Switch


@dataclass(frozen=True, eq=False)
class Segment:
    """``live``: the variables that it takes from registers. ``result``: the variable that receives the value of the
    application of unit ``callee`` behind which it stands."""

    unit: int
    code: Code
    live: frozenset[str]
    result: ir.Var | None = None
    callee: int = 0


@dataclass(eq=False)
class Cut:
    """A group of functions as segments; ``entries[u]`` is the first of unit u. ``variables[u]``: those of its body."""

    units: list[Unit]
    segments: list[Segment] = field(default_factory=list)
    entries: dict[int, int] = field(default_factory=dict)
    variables: dict[int, dict[str, ir.Var]] = field(default_factory=dict)

    def params(self, unit: int) -> tuple[ir.Var, ...]:
        return tuple(p.var for p in self.units[unit].params)


@dataclass(frozen=True)
class _Finish:
    """What is done with the results of a block. ``tail(results)``: whether it is to return the one result as it is."""

    end: Callable[[tuple[ir.Atom, ...]], End]
    tail: Callable[[tuple[ir.Atom, ...]], bool]


_RETURN = _Finish(lambda atoms: Return(atoms[0]), lambda atoms: True)


def cut(units: Units, first: Unit) -> Cut:
    """The segments of ``first`` and of all units that it applies."""
    done = Cut([first])
    position = 0
    while position < len(done.units):
        _Cutter(units, done, position).run()
        position += 1
    return done


class _Cutter:
    def __init__(self, units: Units, done: Cut, number: int):
        self.units, self.done, self.number = units, done, number
        self.unit = done.units[number]
        names = Names.of(self.unit.body)
        self.body = flattened(self.unit.body, self.unit.sizes, self.unit.recursive, names)
        self.lets = {s.var.id: s for s in walk(self.body) if isinstance(s, ir.Let)}
        self.variables = {v.id: v for v in self._defined()}
        done.variables[number] = self.variables

    def _defined(self):
        yield from (p.var for p in self.unit.params)
        for n in walk(self.body):
            yield from binders(n)
            if isinstance(n, ir.Stmt):
                yield from definitions(n)

    def run(self) -> None:
        code = self.block(self.body.statements, self.body.results, _RETURN)
        self.done.entries[self.number] = self.label(code)

    def block(self, statements: tuple[ir.Stmt, ...], results: tuple[ir.Atom, ...], finish: _Finish) -> Code:
        for k, s in enumerate(statements):
            if not self.unit.recursive(s):
                continue
            before, rest = statements[:k], statements[k + 1 :]
            match s:
                case ir.Let(var=var, op=ir.Call() as call):
                    callee = self.callee(call)
                    if not rest and results == (var,) and finish.tail(results):
                        return Code(before, Invoke(callee, call.args, None))
                    resume = self.label(self.block(rest, results, finish), var, callee)
                    return Code(before, Invoke(callee, call.args, resume))
                case ir.If():
                    inner = self.joined(s.results, rest, results, finish)
                    arms = [self.block(b.statements, b.results, inner) for b in (s.then, s.otherwise)]
                    return Code(before, Branch(s.condition, arms[0], arms[1]))
                case ir.Match():
                    inner = self.joined(s.results, rest, results, finish)
                    cases = tuple((c, self.block(c.body.statements, c.body.results, inner)) for c in s.cases)
                    return Code(before, Switch(s.subject, cases))
            raise EmissionError(f"`{self.unit.name}` is used as a value inside of its own body", s.span)
        return Code(statements, finish.end(results))

    def joined(
        self, variables: tuple[ir.Var, ...], rest: tuple[ir.Stmt, ...], results: tuple[ir.Atom, ...], finish: _Finish
    ) -> _Finish:
        """What the branches of a statement do with their results, before the ``rest`` that is common to them."""
        if not rest:
            return _Finish(
                lambda atoms: Bind(variables, atoms, finish.end(results)),
                lambda atoms: len(atoms) == 1 and results == variables and finish.tail(results),
            )
        label = self.label(self.block(rest, results, finish))
        return _Finish(lambda atoms: Bind(variables, atoms, Jump(label)), lambda atoms: False)

    def callee(self, call: ir.Call) -> int:
        found = self.units.callee(self.unit, call)
        if found not in self.done.units:
            self.done.units.append(found)
        return self.done.units.index(found)

    def label(self, code: Code, result: ir.Var | None = None, callee: int = 0) -> int:
        """A new segment. Functions and distributions are made again from what they capture: a frame holds numbers."""
        live = self.live(code) - ({result.id} if result is not None else set())
        while values := sorted(n for n in live if _is_made_again(self.variables[n].type) and n in self.lets):
            code = Code((self.lets[values[0]], *code.statements), code.end)
            live = self.live(code) - ({result.id} if result is not None else set())
        self.done.segments.append(Segment(self.number, code, live, result, callee))
        return len(self.done.segments) - 1

    def live(self, code: Code) -> frozenset[str]:
        used = frozenset().union(*(used_variables(s) for s in code.statements)) & self.variables.keys()
        inside = frozenset().union(*(defined_inside(s) for s in code.statements))
        return (used | self.live_end(code.end)) - inside

    def live_end(self, end: End) -> frozenset[str]:
        match end:
            case Return(atom=atom):
                return self.atoms(atom)
            case Invoke(args=args, resume=resume):
                return self.atoms(*args) | (frozenset() if resume is None else self.done.segments[resume].live)
            case Jump(label=label):
                return self.done.segments[label].live
            case Bind(variables=variables, atoms=atoms, then=then):
                return self.atoms(*atoms) | (self.live_end(then) - {v.id for v in variables})
            case Branch(condition=condition, then=a, otherwise=b):
                return self.atoms(condition) | self.live(a) | self.live(b)
            case Switch(subject=subject, cases=cases):
                arms = (self.live(code) - {b.id for b in case.binders} for case, code in cases)
                return self.atoms(subject).union(*arms)

    def atoms(self, *atoms: ir.Atom) -> frozenset[str]:
        return frozenset(a.id for a in atoms if isinstance(a, ir.Var) and a.id in self.variables)


def _is_made_again(t: ty.Type) -> bool:
    return isinstance(ty.element(t), (ty.Function, ty.Dist))
