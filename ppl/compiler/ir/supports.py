"""Supports: which values of its type an expression can take. A lattice ordered by inclusion.

``Anything`` is the top. Arrays carry the support of their elements, or that of the constrained vectors and matrices
that their last axes hold (``Simplex`` for one axis, ``Covariance`` for two).
"""

from __future__ import annotations

from math import inf

from ppl.compiler.diagnostics.record import record
from ppl.compiler.ir.sizes import Size


class Support:
    __slots__ = ()


@record
class Anything(Support):
    """No knowledge."""

    def __str__(self) -> str:
        return "any value"


@record
class Interval(Support):
    """Reals between two bounds. ``*_open``: the bound itself is excluded (``Exponential`` draws are > 0 with
    probability one, ``exp`` never gives 0 but rounding may: both count as open).

    ``dynamic``: the true bounds depend on values (``Uniform(0, u)``); ``lower``/``upper`` then enclose them."""

    lower: float = -inf
    upper: float = inf
    lower_open: bool = False
    upper_open: bool = False
    dynamic: bool = False

    def __str__(self) -> str:
        if self == REALS:
            return "a real"
        if self.upper == inf:
            return f"a real {'>' if self.lower_open else '>='} {self.lower:g}"
        if self.lower == -inf:
            return f"a real {'<' if self.upper_open else '<='} {self.upper:g}"
        left, right = "(" if self.lower_open else "[", ")" if self.upper_open else "]"
        return f"a real in {left}{self.lower:g}, {self.upper:g}{right}"


@record
class Integers(Support):
    """Integers between two inclusive bounds; None is unbounded. A ``Size`` bound is inclusive too."""

    lower: int | Size | None = None
    upper: int | Size | None = None
    dynamic: bool = False

    def __str__(self) -> str:
        lo = "" if self.lower is None else f" >= {self.lower}"
        hi = "" if self.upper is None else f" <= {self.upper}"
        return "an integer" + lo + (" and" if lo and hi else "") + hi


@record
class Booleans(Support):
    def __str__(self) -> str:
        return "a bool"


@record
class Finite(Support):
    """Finitely many listed reals (``Discrete(values, p)`` with constant values)."""

    values: tuple[float, ...]

    def __str__(self) -> str:
        return "one of " + ", ".join(f"{v:g}" for v in self.values)


@record
class Structured(Support):
    """``name`` is simplex, ordered, positive_ordered, cov, corr, chol_cov, chol_corr or circle."""

    name: str

    def __str__(self) -> str:
        return {"cov": "a covariance matrix", "corr": "a correlation matrix", "simplex": "a simplex"}.get(
            self.name, f"a value of type {self.name}"
        )


@record
class Product(Support):
    """Of tuples and records, component by component."""

    components: tuple[Support, ...]

    def __str__(self) -> str:
        return "(" + ", ".join(map(str, self.components)) + ")"


ANYTHING = Anything()
REALS = Interval()
POSITIVE = Interval(lower=0.0, lower_open=True)
NONNEGATIVE = Interval(lower=0.0)
UNIT_INTERVAL = Interval(lower=0.0, upper=1.0)
OPEN_UNIT_INTERVAL = Interval(0.0, 1.0, True, True)
INTEGERS = Integers()
COUNTS = Integers(lower=0)
BOOLEANS = Booleans()
SIMPLEX = Structured("simplex")
