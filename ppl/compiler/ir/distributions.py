"""The distributions and combinators of the language, as data.

Arguments are elementwise over arrays: a parameter whose own value has ``axes`` axes may be given with further leading
axes, the *batch* axes, equal for all arguments that have any. The value then has the batch axes in front of its event.
"""

from __future__ import annotations

from math import pi

from ppl.compiler.diagnostics.record import record
from ppl.compiler.ir.supports import (
    ANYTHING,
    BOOLEANS,
    COUNTS,
    INTEGERS,
    NONNEGATIVE,
    OPEN_UNIT_INTERVAL,
    POSITIVE,
    REALS,
    SIMPLEX,
    UNIT_INTERVAL,
    Integers,
    Interval,
    Structured,
    Support,
)


@record
class DistParam:
    """``kind``: real, int, size (static), dist (a distribution), dists (a distribution with a batch axis, or an array
    of distributions), function. ``axes``: axes of one event's argument (1: vector, 2: matrix)."""

    name: str
    kind: str
    support: Support = REALS
    axes: int = 0
    optional: bool = False


@record
class DistSignature:
    """``value``: the scalar type of a draw: real, int, bool; ``index`` (into the last axis of the first vector
    parameter), ``index+1`` (one more than that axis), ``as <param>`` (the element type of that parameter, or the value
    of that distribution).

    ``event``: one entry for each axis of a draw, the name of a parameter: its value if it is a size, else the length
    of its last axis.

    ``support``: of a draw. Where it depends on the arguments, ``support_rule`` names how and ``support`` encloses it:
    ``between`` (the first parameter to the second), ``above`` (from ``scale`` up), ``upto`` (0 to ``n``),
    ``index``, ``values``, ``argument`` (of the distribution argument), ``truncated``, ``image``, ``zero``.

    ``discrete``: counting measure; None where the arguments decide. ``improper``: never drawn from."""

    name: str
    params: tuple[DistParam, ...]
    value: str
    support: Support
    event: tuple[str, ...] = ()
    support_rule: str = ""
    discrete: bool | None = False
    combinator: bool = False
    improper: bool = False

    def param(self, name: str) -> DistParam | None:
        return next((p for p in self.params if p.name == name), None)

    def __str__(self) -> str:
        return f"{self.name}({', '.join(p.name + ('=' if p.optional else '') for p in self.params)})"


def _real(name: str, support: Support = REALS) -> DistParam:
    return DistParam(name, "real", support)


def _vector(name: str, support: Support = REALS) -> DistParam:
    return DistParam(name, "real", support, axes=1)


def _matrix(name: str, structure: str) -> DistParam:
    return DistParam(name, "real", Structured(structure), axes=2)


def _continuous(name: str, support: Support, *params: DistParam, rule: str = "") -> DistSignature:
    return DistSignature(name, params, "real", support, support_rule=rule)


def _discrete(name: str, value: str, support: Support, *params: DistParam, rule: str = "") -> DistSignature:
    return DistSignature(name, params, value, support, support_rule=rule, discrete=True)


def _multivariate(name: str, support: Support, event: tuple[str, ...], *params: DistParam, **more) -> DistSignature:
    return DistSignature(name, params, "real", support, event, **more)


_loc, _scale, _df = _real("loc"), _real("scale", POSITIVE), _real("df", POSITIVE)
_prob = _real("p", UNIT_INTERVAL)
_n = DistParam("n", "int", COUNTS)
_dist = DistParam("D", "dist", ANYTHING)
_index = Integers(lower=0)

_ALL = (
    # the real line
    _continuous("Normal", REALS, _loc, _scale),
    _continuous("StudentT", REALS, _df, _loc, _scale),
    _continuous("Cauchy", REALS, _loc, _scale),
    _continuous("Laplace", REALS, _loc, _scale),
    _continuous("Logistic", REALS, _loc, _scale),
    _continuous("Gumbel", REALS, _loc, _scale),
    # the positive half-line
    _continuous("LogNormal", POSITIVE, _loc, _scale),
    _continuous("HalfNormal", POSITIVE, _scale),
    _continuous("HalfCauchy", POSITIVE, _scale),
    _continuous("HalfStudentT", POSITIVE, _df, _scale),
    _continuous("Exponential", POSITIVE, _real("rate", POSITIVE)),
    _continuous("Gamma", POSITIVE, _real("shape", POSITIVE), _real("rate", POSITIVE)),
    _continuous("InverseGamma", POSITIVE, _real("shape", POSITIVE), _scale),
    _continuous("ChiSquared", POSITIVE, _df),
    _continuous("Weibull", POSITIVE, _real("shape", POSITIVE), _scale),
    _continuous("Pareto", POSITIVE, _scale, _real("shape", POSITIVE), rule="above"),
    # bounded
    _continuous("Beta", OPEN_UNIT_INTERVAL, _real("a", POSITIVE), _real("b", POSITIVE)),
    _continuous("BetaMean", OPEN_UNIT_INTERVAL, _real("mean", OPEN_UNIT_INTERVAL), _real("concentration", POSITIVE)),
    _continuous("Uniform", REALS, _real("low"), _real("high"), rule="between"),
    _continuous("VonMises", Interval(-pi, pi), _loc, _real("concentration", POSITIVE)),
    # discrete
    _discrete("Bernoulli", "bool", BOOLEANS, _prob),
    _discrete("BernoulliLogit", "bool", BOOLEANS, _real("logit")),
    _discrete("Binomial", "int", COUNTS, _n, _prob, rule="upto"),
    _discrete("BinomialLogit", "int", COUNTS, _n, _real("logit"), rule="upto"),
    _discrete("BetaBinomial", "int", COUNTS, _n, _real("a", POSITIVE), _real("b", POSITIVE), rule="upto"),
    _discrete("Geometric", "int", COUNTS, _real("p", Interval(0.0, 1.0, lower_open=True))),
    _discrete("Poisson", "int", COUNTS, _real("rate", NONNEGATIVE)),
    _discrete("PoissonLog", "int", COUNTS, _real("log_rate")),
    _discrete("NegativeBinomial", "int", COUNTS, _real("mean", POSITIVE), _real("concentration", POSITIVE)),
    _discrete("Categorical", "index", _index, _vector("p", SIMPLEX), rule="index"),
    _discrete("CategoricalLogit", "index", _index, _vector("logits"), rule="index"),
    _discrete(
        "DiscreteUniform",
        "int",
        INTEGERS,
        DistParam("low", "int", INTEGERS),
        DistParam("high", "int", INTEGERS),
        rule="between",
    ),
    _discrete("Discrete", "as values", REALS, _vector("values"), _vector("p", SIMPLEX), rule="values"),
    _discrete(
        "OrderedLogistic", "index+1", _index, _real("eta"), _vector("cutpoints", Structured("ordered")), rule="index"
    ),
    DistSignature("Multinomial", (_n, _vector("p", SIMPLEX)), "int", COUNTS, ("p",), "upto", discrete=True),
    # vectors and matrices
    _multivariate("Dirichlet", SIMPLEX, ("concentration",), _vector("concentration", POSITIVE)),
    _multivariate("MultiNormal", REALS, ("loc",), _vector("loc"), _matrix("cov", "cov")),
    _multivariate("MultiNormalChol", REALS, ("loc",), _vector("loc"), _matrix("L", "chol_cov")),
    _multivariate("MultiNormalPrec", REALS, ("loc",), _vector("loc"), _matrix("precision", "cov")),
    _multivariate("MultiStudentT", REALS, ("loc",), _df, _vector("loc"), _matrix("L", "chol_cov")),
    _multivariate("LKJ", Structured("corr"), ("K", "K"), DistParam("K", "size", COUNTS), _real("eta", POSITIVE)),
    _multivariate(
        "LKJCholesky", Structured("chol_corr"), ("K", "K"), DistParam("K", "size", COUNTS), _real("eta", POSITIVE)
    ),
    _multivariate("Wishart", Structured("cov"), ("scale", "scale"), _df, _matrix("scale", "cov")),
    _multivariate("GaussianRandomWalk", REALS, ("T",), _scale, DistParam("T", "size", COUNTS)),
    # degenerate and improper
    DistSignature("Delta", (DistParam("x", "real"),), "as x", REALS, support_rule="values", discrete=None),
    DistSignature("Flat", (), "real", REALS, improper=True),
    # combinators
    DistSignature("ZeroInflated", (_prob, _dist), "as D", COUNTS, support_rule="zero", discrete=None, combinator=True),
    DistSignature("iid", (_dist, DistParam("n", "size", COUNTS)), "as D", ANYTHING, ("n",), "argument", None, True),
    DistSignature(
        "truncated",
        (_dist, DistParam("lower", "real", optional=True), DistParam("upper", "real", optional=True)),
        "as D",
        ANYTHING,
        (),
        "truncated",
        None,
        True,
    ),
    DistSignature(
        "ordered", (_dist, DistParam("K", "size", COUNTS)), "as D", Structured("ordered"), ("K",), "", False, True
    ),
    DistSignature(
        "transformed", (_dist, DistParam("f", "function", ANYTHING)), "as D", ANYTHING, (), "image", None, True
    ),
    DistSignature(
        "mixture",
        (_vector("weights", SIMPLEX), DistParam("D", "dists", ANYTHING)),
        "as D",
        ANYTHING,
        (),
        "argument",
        None,
        True,
    ),
)

DISTRIBUTIONS: dict[str, DistSignature] = {d.name: d for d in _ALL}
