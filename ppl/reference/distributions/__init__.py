"""The distributions of the language in plain NumPy and SciPy, written apart from those that the compiler uses.

``make(name, args)`` gives the distribution value of a constructor of the language.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ppl.compiler.ir.distributions import DISTRIBUTIONS
from ppl.reference.distributions import combinators, structured
from ppl.reference.distributions.base import Distribution, Product, iid
from ppl.reference.distributions.families import FAMILIES, Univariate

_STRUCTURED: dict[str, Callable[..., Distribution]] = {
    "Categorical": structured.categorical,
    "CategoricalLogit": structured.categorical_logit,
    "Discrete": structured.discrete,
    "OrderedLogistic": structured.ordered_logistic,
    "Multinomial": structured.Multinomial,
    "Dirichlet": structured.Dirichlet,
    "MultiNormal": structured.multi_normal_cov,
    "MultiNormalChol": structured.MultiNormal,
    "MultiNormalPrec": structured.multi_normal_precision,
    "MultiStudentT": structured.MultiStudentT,
    "LKJ": structured.LKJ,
    "LKJCholesky": structured.LKJCholesky,
    "Wishart": structured.Wishart,
    "GaussianRandomWalk": structured.GaussianRandomWalk,
    "Delta": structured.Delta,
    "Flat": structured.Flat,
    "ZeroInflated": combinators.ZeroInflated,
    "iid": iid,
    "truncated": combinators.Truncated,
    "ordered": combinators.Ordered,
    "transformed": combinators.Transformed,
}


def make(name: str, args: dict[str, Any], batch: tuple[int, ...] = ()) -> Distribution:
    """``args`` by parameter name; axes beyond those of one event are batch axes, ``batch`` adds copies in front."""
    if name in FAMILIES:
        made: Distribution = Univariate(name, FAMILIES[name], args)
    elif name == "mixture":
        made = _mixture(args["weights"], args["D"])
    else:
        made = _lift(name, args)
    return expand(made, batch)


def expand(distribution: Distribution, shape: tuple[int, ...]) -> Distribution:
    """Independent copies as leading axes."""
    if shape and isinstance(distribution, Univariate):
        return distribution.expand(shape)
    return Product.copies(distribution, shape)


def element(distribution: Distribution, index: tuple[int, ...]) -> Distribution:
    """The distribution of one element of a batch."""
    if not distribution.batch:
        return distribution
    if isinstance(distribution, Univariate):
        params = {p: a[index] for p, a in zip(distribution.family.params, distribution.params, strict=True)}
        return Univariate(distribution.name, distribution.family, params)
    assert isinstance(distribution, Product)
    own = distribution.elements.ndim
    return element(distribution.elements[index[:own]], index[own:])


def _batch_of(value: Any, axes: int) -> tuple[int, ...]:
    if isinstance(value, Distribution):
        return value.batch
    shape = np.shape(value) if not isinstance(value, list) else ()
    return shape[: len(shape) - axes]


def _element_of(value: Any, axes: int, index: tuple[int, ...]) -> Any:
    if not _batch_of(value, axes):
        return value
    return element(value, index) if isinstance(value, Distribution) else value[index]


def _lift(name: str, args: dict[str, Any]) -> Distribution:
    """One distribution for each element of the batch that the arguments span."""
    axes = {p.name: p.axes for p in DISTRIBUTIONS[name].params}
    if name == "Delta":  # a point mass at an array is one event
        return structured.Delta(args["x"])
    shape = np.broadcast_shapes(*[_batch_of(v, axes[p]) for p, v in args.items()]) if args else ()
    build = _STRUCTURED[name]
    if not shape:
        return build(**args)
    elements = np.empty(shape, dtype=object)
    for i in np.ndindex(shape):
        elements[i] = build(**{p: _element_of(v, axes[p], i) for p, v in args.items()})
    return Product(elements)


def _mixture(weights: Any, components: Any) -> Distribution:
    """``components``: a list (or array) of distributions, or one whose last batch axis numbers the components."""
    weights = np.asarray(weights, dtype=float)
    listed = list(components) if not isinstance(components, Distribution) else None
    inner = listed[0].batch if listed is not None else components.batch[:-1]
    shape = np.broadcast_shapes(weights.shape[:-1], inner)
    elements = np.empty(shape, dtype=object)
    for i in np.ndindex(shape):
        at = i if inner else ()
        if listed is not None:
            parts = [element(d, at) for d in listed]
        else:
            parts = [element(components, (*at, k)) for k in range(components.batch[-1])]
        elements[i] = combinators.Mixture(weights[i] if weights.ndim > 1 else weights, parts)
    if shape:
        return Product(elements)
    single: Any = elements[()]
    return single


__all__ = ["Distribution", "Product", "Univariate", "element", "expand", "make"]
