"""Random well-typed programs with finitely many executions.

At most six draws of at most four values each, factors, observations, branches (also such that draw different
variables), bounded loops with lags and state variables, plates, outputs. What a program may mention is tracked, so that
every program is valid.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ppl.programs.tree import Block, Line, Node, Program

Pick = Callable[[Sequence[Any]], Any]
"""One of several, by chance; who picks may also be a property tester that shrinks its choices."""

_WEIGHTS = (-1.5, -0.4, 0.0, 0.3, 0.7, 1.2)
_SIMPLEXES = {2: ("[0.3, 0.7]", "[0.5, 0.5]", "[0.9, 0.1]"), 3: ("[0.2, 0.3, 0.5]", "[0.6, 0.3, 0.1]")}


@dataclass
class _Scope:
    """Names in scope by type; ``budget`` draws may still be made."""

    pick: Pick
    reals: list[str] = field(default_factory=list)
    bools: list[str] = field(default_factory=list)
    ints: dict[str, int] = field(default_factory=dict)  # name → how many values, from 0
    count: list[int] = field(default_factory=lambda: [0])
    budget: list[int] = field(default_factory=lambda: [5])

    def inner(self) -> _Scope:
        return _Scope(self.pick, list(self.reals), list(self.bools), dict(self.ints), self.count, self.budget)

    def fresh(self, stem: str) -> str:
        self.count[0] += 1
        return f"{stem}{self.count[0]}"

    def learn(self, name: str, kind: str, values: int) -> None:
        if kind == "bool":
            self.bools.append(name)
        else:
            self.ints[name] = values


def generate(pick: Pick) -> Program:
    """A program, every choice made by ``pick``."""
    scope = _Scope(pick)
    body = _block(scope, pick(range(1, 7)), 2)
    return Program(body, _real(scope))


def random_program(seed: int) -> Program:
    return generate(random.Random(seed).choice)


def _real(scope: _Scope, depth: int = 2) -> str:
    pick = scope.pick
    kinds = ["literal"] + ["name"] * bool(scope.reals) + ["int"] * bool(scope.ints)
    if depth:
        kinds += ["sum", "product", "if"]
    match pick(kinds):
        case "literal":
            return str(pick(_WEIGHTS))
        case "name":
            return pick(scope.reals)
        case "int":
            return pick(sorted(scope.ints))
        case "sum":
            return f"({_real(scope, depth - 1)} + {_real(scope, depth - 1)})"
        case "product":
            return f"{_real(scope, 0)} * {_real(scope, 0)}"
        case _:
            return f"(if {_bool(scope, depth - 1)} then {_real(scope, 0)} else {_real(scope, 0)})"


def _bool(scope: _Scope, depth: int = 1) -> str:
    pick = scope.pick
    kinds = ["compare"] + ["name"] * bool(scope.bools) * 3
    if depth and scope.bools:
        kinds += ["and", "not"]
    match pick(kinds):
        case "name":
            return pick(scope.bools)
        case "and":
            return f"({_bool(scope, 0)} {pick(['and', 'or'])} {_bool(scope, 0)})"
        case "not":
            return f"(not {_bool(scope, 0)})"
        case _:
            return f"{_real(scope, 0)} < {_real(scope, 0)}"


def _distribution(scope: _Scope) -> tuple[str, str, int, str]:
    """The expression, the type of a draw (bool or int), how many values it has, and the simplest of the same type."""
    pick = scope.pick
    match pick(["Bernoulli", "Logit", "Categorical", "Uniform", "Binomial", "Table"]):
        case "Bernoulli":
            return f"Bernoulli(sigmoid({_real(scope, 1)}))", "bool", 2, "Bernoulli(0.5)"
        case "Logit":
            return f"BernoulliLogit({_real(scope, 1)})", "bool", 2, "Bernoulli(0.5)"
        case "Categorical":
            k = pick([2, 3])
            return f"Categorical({pick(_SIMPLEXES[k])})", "int", k, "DiscreteUniform(0, 1)"
        case "Uniform":
            k = pick([1, 2])
            return f"DiscreteUniform(0, {k})", "int", k + 1, "DiscreteUniform(0, 1)"
        case "Binomial":
            return f"Binomial(2, sigmoid({_real(scope, 1)}))", "int", 3, "DiscreteUniform(0, 1)"
        case _:
            a, b = pick(_SIMPLEXES[2]), pick(_SIMPLEXES[2])
            return f"Categorical(if {_bool(scope)} then {a} else {b})", "int", 2, "DiscreteUniform(0, 1)"


def _drawn(name: str, expression: str, least: str, stem: str) -> Line:
    return Line(f"{name} ~ {{}}", expression, least, stem)


def _factor(scope: _Scope, depth: int = 2) -> Line:
    return Line("factor {}", _real(scope, depth), "0.3")


def _statement(scope: _Scope, depth: int) -> tuple[Node, ...]:
    pick = scope.pick
    kinds = ["factor", "observe", "let", "output"]
    if scope.budget[0] > 0:
        kinds += ["draw"] * 4
        if depth and scope.budget[0] > 1:
            kinds += ["if", "for", "plate"]
    match pick(kinds):
        case "draw":
            scope.budget[0] -= 1
            expression, kind, values, least = _distribution(scope)
            name = scope.fresh("x")
            scope.learn(name, kind, values)
            return (_drawn(name, expression, least, name),)
        case "factor":
            return (_factor(scope),)
        case "observe":
            return (Line(f"observe {pick(_WEIGHTS)} ~ Normal({{}}, {pick([0.5, 1.0, 2.0])})", _real(scope), "0.3"),)
        case "let":
            name, value = scope.fresh("a"), _real(scope)
            scope.reals.append(name)
            return (Line(f"let {name} = {{}} + 0.0", value, "0.3", name),)
        case "output":
            return (Line(f"output {scope.fresh('o')} = {{}} + 0.0", _real(scope), "0.3"),) if depth == 2 else ()
        case "if":
            condition = _bool(scope)
            arms = tuple(_block(scope.inner(), pick(range(3)), 0) for _ in range(2))
            return (Block((f"if {condition}", "else"), arms),)
        case "for":
            return _chain(scope)
        case _:
            return (_plate(scope),)


def _chain(scope: _Scope) -> tuple[Node, ...]:
    """A loop with a lag, or with a state variable, over two or three steps; it counts as that many draws."""
    pick = scope.pick
    steps = min(pick([2, 3]), scope.budget[0])
    scope.budget[0] -= steps
    z, s, t = scope.fresh("z"), scope.fresh("s"), scope.fresh("t")
    inner = scope.inner()
    lagged = pick([False, True])
    if lagged:
        inner.bools.append(f"{z}[{t} - 1]")
        first = _drawn(f"{z}[0]", "Bernoulli(0.4)", "Bernoulli(0.4)", z)
    else:
        inner.reals.append(s)
        first = Line(f"var {s} = {{}}", "0.5", "0.5", s)
    body = [_drawn(f"{z}[{t}]", f"Bernoulli(sigmoid({_real(inner, 1)}))", "Bernoulli(0.5)", z)]
    inner.bools.append(f"{z}[{t}]")
    if not lagged:
        body.append(Line(f"{s} = {{}} + 0.0", _real(inner, 1), "0.3", s))
        scope.reals.append(s)
    if pick([False, True]):
        body.append(_factor(inner, 1))
    scope.bools.append(f"{z}[{steps - 1}]")
    return first, Block((f"for {t} in {int(lagged)}..{steps}",), (tuple(body),))


def _plate(scope: _Scope) -> Block:
    scope.budget[0] -= 2
    z, i = scope.fresh("z"), scope.fresh("i")
    inner = scope.inner()
    inner.ints[i] = 2
    expression, kind, values, least = _distribution(inner)
    body: list[Node] = [_drawn(f"{z}[{i}]", expression, least, z)]
    inner.learn(f"{z}[{i}]", kind, values)
    if scope.pick([False, True]):
        body.append(_factor(inner, 1))
    scope.learn(f"{z}[1]", kind, values)
    return Block((f"plate {i} in 0..2",), (tuple(body),))


def _block(scope: _Scope, length: int, depth: int) -> tuple[Node, ...]:
    return tuple(node for _ in range(length) for node in _statement(scope, depth))
