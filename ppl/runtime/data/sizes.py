"""Solving the size variables of a model from the shapes of its data."""

from __future__ import annotations

from dataclasses import dataclass, field

from ppl.compiler.ir.nodes import SizeCheck
from ppl.compiler.ir.sizes import Size
from ppl.runtime.data.problems import DataProblem, Problems


@dataclass(frozen=True, slots=True)
class Equation:
    """``size`` was seen to be ``value``: ``what`` says where (``the length of y``)."""

    size: Size
    value: int
    what: str
    path: str
    source: str


@dataclass
class Solver:
    """Values of the size variables, each with the equation it came from."""

    values: dict[str, int] = field(default_factory=dict)
    origin: dict[str, Equation] = field(default_factory=dict)

    def solve(self, equations: list[Equation], problems: Problems) -> None:
        """Use each equation with one unknown, linear in it, until nothing changes; then report contradictions
        (E710)."""
        pending = list(equations)
        used: list[Equation] = []
        progress = True
        while progress:
            progress = False
            for equation in list(pending):
                unknown = sorted(equation.size.variables - set(self.values))
                if len(unknown) > 1:
                    continue
                pending.remove(equation)
                progress = True
                if unknown and not self._determine(equation, unknown[0], problems):
                    continue
                used.append(equation)
        for equation in used:
            self._compare(equation, problems)

    def _determine(self, equation: Equation, name: str, problems: Problems) -> bool:
        """Solve a·v + b = value for the one unknown v; False if it has no solution or is not linear."""
        at = [equation.size.evaluate(self.values | {name: k}) for k in (0, 1, 2)]
        slope = at[1] - at[0]
        if at[2] - at[1] != slope:  # a polynomial of higher degree: search
            n = next((k for k in range(equation.value + 1) if self._at(equation, name, k) == equation.value), -1)
        else:
            n = (equation.value - at[0]) // slope if slope and (equation.value - at[0]) % slope == 0 else -1
        if n < 0:
            found = f"{equation.what} is {equation.value}"
            problems.add(
                DataProblem("E710", equation.path, found, f"{equation.size} for some {name} ≥ 0", equation.source)
            )
            return False
        self.values[name] = n
        self.origin[name] = equation
        return True

    def _at(self, equation: Equation, name: str, k: int) -> int:
        return equation.size.evaluate(self.values | {name: k})

    def _compare(self, equation: Equation, problems: Problems) -> None:
        wanted = equation.size.evaluate(self.values)
        if wanted == equation.value:
            return
        causes = [self.origin[v] for v in sorted(equation.size.variables) if v in self.origin]
        because = "; ".join(
            f"{v} = {self.values[v]}, {e.what} ({e.source})"
            for v, e in zip(sorted(v for v in equation.size.variables if v in self.origin), causes, strict=True)
        )
        found = f"{equation.what} is {equation.value}"
        needed = f"{equation.size} = {wanted}" if str(equation.size) != str(wanted) else str(wanted)
        needed += f", because {because}" if because else ""
        problems.add(DataProblem("E710", equation.path, found, needed, equation.source, "make the two agree"))

    def check(self, checks: tuple[SizeCheck, ...], problems: Problems) -> None:
        """The equalities that the compiler could not prove (E718)."""
        for c in checks:
            if (c.left.variables | c.right.variables) - self.values.keys():
                continue
            left, right = c.left.evaluate(self.values), c.right.evaluate(self.values)
            if (left == right) if c.relation == "==" else (left <= right):
                continue
            names = sorted(c.left.variables | c.right.variables)
            where = "; ".join(f"{v} = {self.values[v]}, {self.origin[v].what}" for v in names if v in self.origin)
            found = f"{c.left} {c.relation} {c.right} does not hold: {left} against {right}"
            problems.add(DataProblem("E718", ", ".join(names) or "sizes", found, c.reason, where))
