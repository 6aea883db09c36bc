"""Symbolic sizes: polynomials with integer coefficients in the size variables of a model."""

from __future__ import annotations

from collections.abc import Mapping

from ppl.compiler.diagnostics.record import record

Monomial = tuple[str, ...]  # sorted names with repetition: ("N", "N", "K") is N²K; () is the constant


@record
class Size:
    """A polynomial, kept in normal form: sorted monomials with non-zero coefficients.

    Law: two sizes are equal as polynomials if and only if they are equal as objects."""

    terms: tuple[tuple[Monomial, int], ...] = ()

    @staticmethod
    def const(n: int) -> Size:
        return Size((((), n),)) if n else Size()

    @staticmethod
    def var(name: str) -> Size:
        return Size((((name,), 1),))

    @staticmethod
    def _of(terms: Mapping[Monomial, int]) -> Size:
        return Size(tuple(sorted((m, c) for m, c in terms.items() if c)))

    @property
    def value(self) -> int | None:
        """The number, if this is a constant."""
        if not self.terms:
            return 0
        return self.terms[0][1] if len(self.terms) == 1 and self.terms[0][0] == () else None

    @property
    def variables(self) -> frozenset[str]:
        return frozenset(v for m, _ in self.terms for v in m)

    @property
    def constant_part(self) -> int:
        return dict(self.terms).get((), 0)

    def __add__(self, other: Size | int) -> Size:
        acc = dict(self.terms)
        for m, c in _size(other).terms:
            acc[m] = acc.get(m, 0) + c
        return Size._of(acc)

    def __neg__(self) -> Size:
        return Size(tuple((m, -c) for m, c in self.terms))

    def __sub__(self, other: Size | int) -> Size:
        return self + (-_size(other))

    def __mul__(self, other: Size | int) -> Size:
        acc: dict[Monomial, int] = {}
        for m1, c1 in self.terms:
            for m2, c2 in _size(other).terms:
                m = tuple(sorted(m1 + m2))
                acc[m] = acc.get(m, 0) + c1 * c2
        return Size._of(acc)

    def substitute(self, env: Mapping[str, Size]) -> Size:
        """Replace size variables; those that ``env`` lacks stay."""
        out = Size()
        for m, c in self.terms:
            term = Size.const(c)
            for v in m:
                term = term * env.get(v, Size.var(v))
            out = out + term
        return out

    def evaluate(self, env: Mapping[str, int]) -> int:
        """The number, given a value for every variable (``KeyError`` names a missing one)."""
        total = 0
        for m, c in self.terms:
            for v in m:
                c *= env[v]
            total += c
        return total

    def provably_nonnegative(self) -> bool:
        """True if no values of the variables (all ≥ 0) make it negative: every coefficient is ≥ 0."""
        return all(c >= 0 for _, c in self.terms)

    def __str__(self) -> str:
        out = ""
        for m, c in sorted(self.terms, key=lambda t: (-len(t[0]), t[0])):
            body = "*".join(m)
            if not body:
                text = str(abs(c))
            else:
                text = body if abs(c) == 1 else f"{abs(c)}*{body}"
            out += (" - " if c < 0 else " + ") + text if out else ("-" if c < 0 else "") + text
        return out or "0"


def _size(x: Size | int) -> Size:
    return Size.const(x) if isinstance(x, int) else x


ZERO = Size()
ONE = Size.const(1)
