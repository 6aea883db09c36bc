"""Random well-typed programs with finitely many executions, as text, for Hypothesis to find failures in and to shrink
them.

At most six draws of at most four values each, factors, observations, branches (also such that draw different
variables), bounded loops with lags and state variables, plates, outputs. What a program may mention is tracked, so that
every program is valid.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

WEIGHTS = st.sampled_from([-1.5, -0.4, 0.0, 0.3, 0.7, 1.2])
SIMPLEXES = {2: ["[0.3, 0.7]", "[0.5, 0.5]", "[0.9, 0.1]"], 3: ["[0.2, 0.3, 0.5]", "[0.6, 0.3, 0.1]"]}


@dataclass
class Scope:
    """Names in scope by type; ``budget`` draws may still be made."""

    reals: list[str] = field(default_factory=list)
    bools: list[str] = field(default_factory=list)
    ints: dict[str, int] = field(default_factory=dict)  # name → how many values, from 0
    count: list[int] = field(default_factory=lambda: [0])
    budget: list[int] = field(default_factory=lambda: [5])

    def inner(self) -> Scope:
        return Scope(list(self.reals), list(self.bools), dict(self.ints), self.count, self.budget)

    def fresh(self, stem: str) -> str:
        self.count[0] += 1
        return f"{stem}{self.count[0]}"


def _real(draw, scope: Scope, depth: int = 2) -> str:
    kinds = ["literal"] + ["name"] * bool(scope.reals) + ["int"] * bool(scope.ints)
    if depth:
        kinds += ["sum", "product", "if"]
    match draw(st.sampled_from(kinds)):
        case "literal":
            return str(draw(WEIGHTS))
        case "name":
            return draw(st.sampled_from(scope.reals))
        case "int":
            return draw(st.sampled_from(sorted(scope.ints)))
        case "sum":
            return f"({_real(draw, scope, depth - 1)} + {_real(draw, scope, depth - 1)})"
        case "product":
            return f"{_real(draw, scope, 0)} * {_real(draw, scope, 0)}"
        case _:
            return f"(if {_bool(draw, scope, depth - 1)} then {_real(draw, scope, 0)} else {_real(draw, scope, 0)})"


def _bool(draw, scope: Scope, depth: int = 1) -> str:
    kinds = ["compare"] + ["name"] * bool(scope.bools) * 3
    if depth and scope.bools:
        kinds += ["and", "not"]
    match draw(st.sampled_from(kinds)):
        case "name":
            return draw(st.sampled_from(scope.bools))
        case "and":
            return f"({_bool(draw, scope, 0)} {draw(st.sampled_from(['and', 'or']))} {_bool(draw, scope, 0)})"
        case "not":
            return f"(not {_bool(draw, scope, 0)})"
        case _:
            return f"{_real(draw, scope, 0)} < {_real(draw, scope, 0)}"


def _distribution(draw, scope: Scope) -> tuple[str, str, int]:
    """The expression, the type of a draw (bool or int), and how many values it has."""
    match draw(st.sampled_from(["Bernoulli", "Logit", "Categorical", "Uniform", "Binomial", "Table"])):
        case "Bernoulli":
            return f"Bernoulli(sigmoid({_real(draw, scope, 1)}))", "bool", 2
        case "Logit":
            return f"BernoulliLogit({_real(draw, scope, 1)})", "bool", 2
        case "Categorical":
            k = draw(st.sampled_from([2, 3]))
            return f"Categorical({draw(st.sampled_from(SIMPLEXES[k]))})", "int", k
        case "Uniform":
            k = draw(st.sampled_from([1, 2]))
            return f"DiscreteUniform(0, {k})", "int", k + 1
        case "Binomial":
            return f"Binomial(2, sigmoid({_real(draw, scope, 1)}))", "int", 3
        case _:
            choose = _bool(draw, scope)
            a, b = (draw(st.sampled_from(SIMPLEXES[2])) for _ in range(2))
            return f"Categorical(if {choose} then {a} else {b})", "int", 2


def _learn(scope: Scope, name: str, kind: str, values: int) -> None:
    if kind == "bool":
        scope.bools.append(name)
    else:
        scope.ints[name] = values


def _statement(draw, scope: Scope, indent: str, depth: int) -> list[str]:
    kinds = ["factor", "observe", "let", "output"]
    if scope.budget[0] > 0:
        kinds += ["draw"] * 4
        if depth and scope.budget[0] > 1:
            kinds += ["if", "for", "plate"]
    match draw(st.sampled_from(kinds)):
        case "draw":
            scope.budget[0] -= 1
            expression, kind, values = _distribution(draw, scope)
            name = scope.fresh("x")
            _learn(scope, name, kind, values)
            return [f"{indent}{name} ~ {expression}"]
        case "factor":
            return [f"{indent}factor {_real(draw, scope)}"]
        case "observe":
            value, loc, scale = draw(WEIGHTS), _real(draw, scope), draw(st.sampled_from([0.5, 1.0, 2.0]))
            return [f"{indent}observe {value} ~ Normal({loc}, {scale})"]
        case "let":
            name = scope.fresh("a")
            line = f"{indent}let {name} = {_real(draw, scope)} + 0.0"
            scope.reals.append(name)
            return [line]
        case "output":
            return [f"{indent}output {scope.fresh('o')} = {_real(draw, scope)} + 0.0"] if depth == 2 else []
        case "if":
            return _branches(draw, scope, indent)
        case "for":
            return _chain(draw, scope, indent)
        case _:
            return _plate(draw, scope, indent)


def _branches(draw, scope: Scope, indent: str) -> list[str]:
    condition = _bool(draw, scope)
    arms = []
    for _ in range(2):
        inner = scope.inner()
        arms.append(_block(draw, inner, indent + "  ", draw(st.integers(0, 2)), 0))
    return [f"{indent}if {condition} {{", *arms[0], f"{indent}}} else {{", *arms[1], f"{indent}}}"]


def _chain(draw, scope: Scope, indent: str) -> list[str]:
    """A loop with a lag, or with a state variable, over two or three steps; it counts as that many draws."""
    steps = min(draw(st.sampled_from([2, 3])), scope.budget[0])
    scope.budget[0] -= steps
    z, s, t = scope.fresh("z"), scope.fresh("s"), scope.fresh("t")
    inner = scope.inner()
    if draw(st.booleans()):
        inner.bools.append(f"{z}[{t} - 1]")
        head = [f"{indent}{z}[0] ~ Bernoulli(0.4)", f"{indent}for {t} in 1..{steps} {{"]
        body = [f"{indent}  {z}[{t}] ~ Bernoulli(sigmoid({_real(draw, inner, 1)}))"]
        inner.bools.append(f"{z}[{t}]")
    else:
        inner.reals.append(s)
        head = [f"{indent}var {s} = 0.5", f"{indent}for {t} in 0..{steps} {{"]
        body = [f"{indent}  {z}[{t}] ~ Bernoulli(sigmoid({_real(draw, inner, 1)}))"]
        inner.bools.append(f"{z}[{t}]")
        body.append(f"{indent}  {s} = {_real(draw, inner, 1)} + 0.0")
        scope.reals.append(s)
    if draw(st.booleans()):
        body.append(f"{indent}  factor {_real(draw, inner, 1)}")
    scope.bools.append(f"{z}[{steps - 1}]")
    return [*head, *body, f"{indent}}}"]


def _plate(draw, scope: Scope, indent: str) -> list[str]:
    scope.budget[0] -= 2
    z, i = scope.fresh("z"), scope.fresh("i")
    inner = scope.inner()
    inner.ints[i] = 2
    expression, kind, values = _distribution(draw, inner)
    lines = [f"{indent}plate {i} in 2 {{", f"{indent}  {z}[{i}] ~ {expression}"]
    _learn(inner, f"{z}[{i}]", kind, values)
    if draw(st.booleans()):
        lines.append(f"{indent}  factor {_real(draw, inner, 1)}")
    _learn(scope, f"{z}[1]", kind, values)
    return [*lines, f"{indent}}}"]


def _block(draw, scope: Scope, indent: str, length: int, depth: int) -> list[str]:
    lines: list[str] = []
    for _ in range(length):
        lines += _statement(draw, scope, indent, depth)
    return lines


@st.composite
def programs(draw) -> str:
    """The text of a model ``main`` that returns a real."""
    scope = Scope()
    lines = _block(draw, scope, "  ", draw(st.integers(1, 6)), 2)
    return "\n".join(["model main() -> real {", *lines, f"  return {_real(draw, scope)} + 0.0", "}", ""])
