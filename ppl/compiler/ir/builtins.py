"""The functions, operators and constants of the language, as data.

``scheme`` is written in the language's own type notation:

- ``real*`` is elementwise: all starred arguments have one shape, a scalar meets any; the starred result has that shape;
- ``num`` is ``int`` if all arguments are, else ``real``; ``real[..]`` an array of any number of axes;
- lower-case ``n m k`` are sizes found from the arguments, ``n: size`` is a static argument whose value is called n;
- ``T`` is any type; ``...`` repeats the argument before it;
- alternatives, tried in order, are separated by ``|``.

``support`` names the rule of ``ppl.compiler.check.support_rules`` that computes the support of the result from those
of the
arguments. Meanings beyond the names: ``floor ceil round`` give ints (ties to even), ``var`` and ``sd`` divide by n,
``min`` and ``max`` of one array reduce it, of two arguments are elementwise; ``full(n, m, x)`` has its value last;
``quad_form(A, x)`` is xᵀAx; ``solve_tri(L, b)`` solves L x = b with lower-triangular L; ``ode_solve(f, y0, t0, ts)``
gives the
states at the times ``ts`` of y' = f(t, y); ``fori(lower, upper, f, init)`` is f(upper−1, … f(lower, init)).
"""

from __future__ import annotations

from math import e, inf, pi

from ppl.compiler.diagnostics.record import record


@record
class Builtin:
    """``params`` are the keywords of the arguments. ``smooth``: differentiable almost everywhere *and* continuous, so
    that pathwise derivatives through it are unbiased (``floor`` and comparisons are not). ``internal``: written by the
    compiler only."""

    name: str
    params: tuple[str, ...]
    scheme: str
    support: str = "reals"
    smooth: bool = True
    internal: bool = False


def _map(name: str, support: str = "reals", smooth: bool = True) -> Builtin:
    return Builtin(name, ("x",), "(real*) -> real*", support, smooth)


_ARITHMETIC = (
    *(Builtin(op, ("a", "b"), "(num*, num*) -> num*", rule) for op, rule in
      [("+", "add"), ("-", "subtract"), ("*", "multiply")]),
    Builtin("/", ("a", "b"), "(real*, real*) -> real*", "divide"),
    Builtin("%", ("a", "b"), "(num*, num*) -> num*", "modulo", smooth=False),  # the sign of b, as in Python
    Builtin("^", ("a", "b"), "(num*, num*) -> num*", "power"),  # int ^ int is an int for a literal exponent ≥ 0 only
    Builtin("@", ("a", "b"), "(num[n], num[n]) -> num | (num[n, m], num[m]) -> num[n] | (num[n], num[n, m]) -> num[m]"
            " | (num[n, m], num[m, k]) -> num[n, k]", "reals"),
    Builtin("neg", ("a",), "(num*) -> num*", "negate", internal=True),
    *(Builtin(op, ("a", "b"), "(num*, num*) -> bool*", "booleans", smooth=False) for op in ("<", "<=", ">", ">=")),
    *(Builtin(op, ("a", "b"), "(num*, num*) -> bool* | (bool*, bool*) -> bool* | (T, T) -> bool", "booleans", False)
      for op in ("==", "!=")),
    *(Builtin(op, ("a", "b"), "(bool*, bool*) -> bool*", "booleans", smooth=False) for op in ("and", "or")),
    Builtin("not", ("a",), "(bool*) -> bool*", "booleans", smooth=False),
    Builtin("real", ("x",), "(real*) -> real*", "same", internal=True),  # int to real
    Builtin("int", ("x",), "(int*) -> int*", "same", internal=True),  # index or size to int
    Builtin("copy", ("x",), "(T) -> T", "same", internal=True),
    Builtin("permute", ("x", "axes"), "(T[..], int...) -> T", "same", internal=True),  # numpy.transpose(x, axes)
    # x with x[i, …] replaced by value
    Builtin("set", ("x", "value", "i"), "(T[..], T, int...) -> T", "join", internal=True),
    Builtin("select", ("c", "a", "b"), "(bool, T, T) -> T", "join", internal=True),  # both sides are evaluated
)  # fmt: skip

_ELEMENTWISE = (
    _map("exp", "exp"), _map("log", "log"), _map("log1p", "log1p"), _map("expm1", "expm1"), _map("sqrt", "sqrt"),
    _map("sin", "sine"), _map("cos", "sine"), _map("tan"),
    _map("asin", "asin"), _map("acos", "acos"), _map("atan", "atan"),
    Builtin("atan2", ("y", "x"), "(real*, real*) -> real*", "atan2"),
    _map("sinh", "sinh"), _map("cosh", "cosh"), _map("tanh", "tanh"),
    _map("sigmoid", "sigmoid"), _map("logit", "logit"), _map("softplus", "softplus"),
    _map("erf", "tanh"), _map("normal_cdf", "sigmoid"), _map("normal_quantile", "logit"),
    _map("gamma", "gamma"), _map("lgamma"), _map("digamma"),
    Builtin("beta", ("a", "b"), "(real*, real*) -> real*", "beta"),
    Builtin("lbeta", ("a", "b"), "(real*, real*) -> real*"),
    Builtin("abs", ("x",), "(num*) -> num*", "abs"),
    Builtin("sign", ("x",), "(num*) -> num*", "sign", smooth=False),
    *(Builtin(name, ("x",), "(real*) -> int*", "round", smooth=False) for name in ("floor", "ceil", "round")),
    Builtin("clip", ("x", "lower", "upper"), "(num*, num*, num*) -> num*", "clip"),
    Builtin("where", ("c", "a", "b"), "(bool*, num*, num*) -> num* | (bool*, bool*, bool*) -> bool*", "join"),
    Builtin("interp", ("x", "xs", "ys"), "(real*, real[n], real[n]) -> real*", "third"),
)  # fmt: skip

_REDUCTIONS = (
    Builtin("min", ("a", "b"), "(num[..]) -> num | (num*, num*) -> num*", "minimum"),
    Builtin("max", ("a", "b"), "(num[..]) -> num | (num*, num*) -> num*", "maximum"),
    Builtin("sum", ("x",), "(num[..]) -> num", "total"),
    Builtin("prod", ("x",), "(num[..]) -> num", "product"),
    Builtin("mean", ("x",), "(real[..]) -> real", "average"),
    Builtin("var", ("x",), "(real[..]) -> real", "nonnegative"),
    Builtin("sd", ("x",), "(real[..]) -> real", "nonnegative"),
    Builtin("norm", ("x",), "(real[..]) -> real", "nonnegative"),
    Builtin("logsumexp", ("x",), "(real[..]) -> real"),
    Builtin("logmeanexp", ("x",), "(real[..]) -> real", "average"),
    Builtin("cumsum", ("x",), "(num[n]) -> num[n]", "total"),
    Builtin("cumprod", ("x",), "(num[n]) -> num[n]", "product"),
    Builtin("sort", ("x",), "(num[n]) -> num[n]", "same"),
    Builtin("argsort", ("x",), "(num[n]) -> index<n>[n]", "index", smooth=False),
    Builtin("argmin", ("x",), "(num[n]) -> index<n>", "index", smooth=False),
    Builtin("argmax", ("x",), "(num[n]) -> index<n>", "index", smooth=False),
    Builtin("softmax", ("x",), "(real[n]) -> real[n]", "simplex"),
    Builtin("log_softmax", ("x",), "(real[n]) -> real[n]", "nonpositive"),
    Builtin("length", ("x",), "(T[n]) -> size", "counts"),  # lowered to a SizeAtom: never a Prim
)

_LINEAR_ALGEBRA = (
    Builtin("dot", ("a", "b"), "(num[n], num[n]) -> num"),
    Builtin("outer", ("a", "b"), "(num[n], num[m]) -> num[n, m]", "multiply"),
    Builtin("transpose", ("A",), "(T[n, m]) -> T[m, n]", "transpose"),
    Builtin("inverse", ("A",), "(real[n, n]) -> real[n, n]", "covariance"),
    Builtin("det", ("A",), "(real[n, n]) -> real", "determinant"),
    Builtin("logdet", ("A",), "(real[n, n]) -> real"),  # log |det A|
    Builtin("cholesky", ("A",), "(real[n, n]) -> real[n, n]", "cholesky"),
    Builtin("solve", ("A", "b"), "(real[n, n], real[n]) -> real[n] | (real[n, n], real[n, m]) -> real[n, m]"),
    Builtin("solve_tri", ("L", "b"), "(real[n, n], real[n]) -> real[n] | (real[n, n], real[n, m]) -> real[n, m]"),
    Builtin("quad_form", ("A", "x"), "(real[n, n], real[n]) -> real", "quadratic"),
    Builtin("diag", ("x",), "(num[n]) -> num[n, n] | (num[n, n]) -> num[n]", "diagonal"),
)

_CONSTRUCTORS = (
    Builtin("zeros", ("shape",), "(shape: size...) -> real[shape]", "zero"),
    Builtin("ones", ("shape",), "(shape: size...) -> real[shape]", "one"),
    Builtin("full", ("shape", "x"), "(shape: size..., T) -> T[shape]", "last"),
    Builtin("eye", ("n",), "(n: size) -> real[n, n]", "identity"),
    Builtin("arange", ("n",), "(n: size) -> index<n>[n]", "index"),
    Builtin("linspace", ("lower", "upper", "n"), "(real, real, n: size) -> real[n]", "hull2"),
    Builtin("concat", ("x",), "(T[n]...) -> T[total]", "join"),
    Builtin("stack", ("x",), "(T...) -> T[count]", "join"),
    Builtin("reshape", ("x", "shape"), "(T[..], shape: size...) -> T[shape]", "same"),
)

_HIGHER_ORDER = (
    Builtin("stop_gradient", ("x",), "(T) -> T", "same"),  # the identity, with derivative zero; of a guide, its params
    Builtin("logpdf", ("d", "x"), "(Dist<T>, T) -> real"),  # these three are the operation LogProb
    Builtin("logprob", ("d", "x"), "(Dist<T>, T) -> real"),
    Builtin("cdf", ("d", "x"), "(Dist<T>, T) -> real", "unit"),
    Builtin("ode_solve", ("f", "y0", "t0", "ts"), "((real, real[n]) -> real[n], real[n], real, real[m]) -> real[m, n]"),
    Builtin("fori", ("lower", "upper", "f", "init"), "(int, int, (int, T) -> T, T) -> T", "any"),
)

_ALL = _ARITHMETIC + _ELEMENTWISE + _REDUCTIONS + _LINEAR_ALGEBRA + _CONSTRUCTORS + _HIGHER_ORDER

BUILTINS: dict[str, Builtin] = {b.name: b for b in _ALL}
CONSTANTS: dict[str, float] = {"pi": pi, "e": e, "inf": inf}
