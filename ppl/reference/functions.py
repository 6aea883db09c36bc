"""The builtin functions of the language in plain NumPy and SciPy.

``FUNCTIONS[name]`` takes the arguments in the order of ``ppl.compiler.ir.builtins``; function arguments are callables.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import integrate, special

from ppl.reference.values import equal, stack


def _is_plain_int(*values: Any) -> bool:
    return all(np.asarray(v).dtype.kind in "iub" for v in values)


def _power(a, b):
    if _is_plain_int(a, b) and np.all(np.asarray(b) >= 0):
        return np.power(np.asarray(a, dtype=np.int64), np.asarray(b, dtype=np.int64))[()]
    return np.power(np.asarray(a, dtype=float), b)


def _compare(a, b):
    numeric = all(np.asarray(v).dtype != object and not isinstance(v, tuple | dict | str) for v in (a, b))
    return np.asarray(a) == np.asarray(b) if numeric else equal(a, b)


def _select(c, a, b):
    return a if c else b


def _replaced(x, value, *index):
    out = np.array(x)
    out[tuple(int(i) for i in index)] = value
    return out


def _where(c, a, b):
    return np.where(c, a, b)[()]


def _to_int(f):
    return lambda x: f(np.asarray(x, dtype=float)).astype(np.int64)[()]


def _extreme(pairwise, reduce):
    return lambda a, *b: pairwise(a, b[0]) if b else reduce(a)


def _logsumexp(x):
    return special.logsumexp(np.asarray(x, dtype=float))


def _solve_lower(L, b):
    """Forward substitution."""
    x = np.zeros_like(np.asarray(b, dtype=float))
    for i in range(len(L)):
        x[i] = (b[i] - L[i, :i] @ x[:i]) / L[i, i]
    return x


def _concat(*parts):
    return np.concatenate([np.asarray(p) for p in parts])


def _full(*args):
    *shape, value = args
    out = np.empty(tuple(int(n) for n in shape), dtype=np.asarray(value).dtype if np.isscalar(value) else object)
    if isinstance(value, np.ndarray) and value.dtype != object:
        return np.broadcast_to(value, out.shape + value.shape).copy()
    for i in np.ndindex(out.shape):
        out[i] = value
    return out


def _ode_solve(f, y0, t0, ts):
    """Dormand–Prince of order 8 with tolerances far below what any comparison needs."""
    y0, ts = np.asarray(y0, dtype=float), np.asarray(ts, dtype=float)
    out, t, y = [], float(t0), y0
    for end in ts:
        if end != t:
            y = integrate.solve_ivp(lambda s, v: f(s, v), (t, end), y, method="DOP853", rtol=1e-11, atol=1e-12).y[:, -1]
        t = end
        out.append(y)
    return np.array(out).reshape(len(ts), len(y0))


def _fori(lower, upper, f, init):
    value = init
    for i in range(int(lower), int(upper)):
        value = f(i, value)
    return value


def _shape(sizes):
    return tuple(int(n) for n in sizes)


_OPERATORS: dict[str, Callable[..., Any]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.true_divide, "%": np.mod, "^": _power, "@": np.matmul,
    "neg": np.negative, "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal,
    "==": _compare, "!=": lambda a, b: np.logical_not(_compare(a, b)),
    "and": np.logical_and, "or": np.logical_or, "not": np.logical_not,
    "real": lambda x: np.asarray(x, dtype=float)[()], "int": lambda x: np.asarray(x, dtype=np.int64)[()],
    "copy": lambda x: x, "permute": lambda x, *axes: np.transpose(x, axes), "select": _select,
    "set": _replaced,
}  # fmt: skip

_ELEMENTWISE: dict[str, Callable[..., Any]] = {
    "exp": np.exp, "log": np.log, "log1p": np.log1p, "expm1": np.expm1, "sqrt": np.sqrt,
    "sin": np.sin, "cos": np.cos, "tan": np.tan,
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "atan2": np.arctan2,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    "sigmoid": special.expit, "logit": special.logit, "softplus": lambda x: np.logaddexp(0, x),
    "erf": special.erf, "normal_cdf": special.ndtr, "normal_quantile": special.ndtri,
    "gamma": special.gamma, "lgamma": special.gammaln, "digamma": special.digamma,
    "beta": special.beta, "lbeta": special.betaln,
    "abs": np.abs, "sign": np.sign,
    "floor": _to_int(np.floor), "ceil": _to_int(np.ceil), "round": _to_int(np.round),
    "clip": lambda x, lower, upper: np.minimum(np.maximum(x, lower), upper), "where": _where,
    "interp": lambda x, xs, ys: np.asarray(np.interp(x, xs, ys))[()],
}  # fmt: skip

_REDUCTIONS: dict[str, Callable[..., Any]] = {
    "min": _extreme(np.minimum, np.min), "max": _extreme(np.maximum, np.max),
    "sum": np.sum, "prod": np.prod, "mean": np.mean, "var": np.var, "sd": np.std,
    "norm": lambda x: np.sqrt(np.sum(np.square(x))),
    "logsumexp": _logsumexp, "logmeanexp": lambda x: _logsumexp(x) - np.log(np.size(x)),
    "cumsum": np.cumsum, "cumprod": np.cumprod, "sort": np.sort,
    "argsort": lambda x: np.argsort(x, kind="stable"), "argmin": np.argmin, "argmax": np.argmax,
    "softmax": lambda x: special.softmax(np.asarray(x, dtype=float)),
    "log_softmax": lambda x: special.log_softmax(np.asarray(x, dtype=float)),
    "length": len,
}  # fmt: skip

_LINEAR_ALGEBRA: dict[str, Callable[..., Any]] = {
    "dot": np.dot, "outer": np.outer, "transpose": np.transpose, "inverse": np.linalg.inv, "det": np.linalg.det,
    "logdet": lambda A: np.linalg.slogdet(A)[1], "cholesky": np.linalg.cholesky, "solve": np.linalg.solve,
    "solve_tri": _solve_lower, "quad_form": lambda A, x: x @ A @ x, "diag": np.diag,
}  # fmt: skip

_CONSTRUCTORS: dict[str, Callable[..., Any]] = {
    "zeros": lambda *n: np.zeros(_shape(n)), "ones": lambda *n: np.ones(_shape(n)), "full": _full,
    "eye": lambda n: np.eye(int(n)), "arange": lambda n: np.arange(int(n)),
    "linspace": lambda lower, upper, n: np.linspace(lower, upper, int(n)),
    "concat": _concat, "stack": lambda *x: stack(x), "reshape": lambda x, *n: np.reshape(x, _shape(n)),
    "ode_solve": _ode_solve, "fori": _fori,
    "stop_gradient": lambda x: x,
}  # fmt: skip

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **_OPERATORS,
    **_ELEMENTWISE,
    **_REDUCTIONS,
    **_LINEAR_ALGEBRA,
    **_CONSTRUCTORS,
}
