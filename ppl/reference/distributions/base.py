"""What a distribution is to the interpreter."""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import product
from math import inf, prod
from typing import Any

import numpy as np

from ppl.reference.errors import Unsupported
from ppl.reference.values import stack


class Distribution(ABC):
    """A draw has the axes ``batch`` (independent elements) and then those of one event.

    ``discrete``: the density is a probability (counting measure); otherwise it is with respect to Lebesgue measure on
    the free coordinates (of a simplex all but the last, of a correlation matrix those below the diagonal)."""

    batch: tuple[int, ...] = ()
    event: tuple[int, ...] = ()
    discrete: bool = False

    @abstractmethod
    def sample(self, rng: np.random.Generator) -> Any:
        """One draw."""

    @abstractmethod
    def log_densities(self, x: Any) -> np.ndarray:
        """Log density of each element: an array of shape ``batch``; −∞ outside the support."""

    def log_density(self, x: Any) -> float:
        """Log density of the whole draw."""
        return float(self.log_densities(x).sum())

    def atoms(self, tail: float = 0.0) -> list[Any] | None:
        """All values with positive probability if they are finitely many, else None. With ``tail`` > 0 a countable
        support is cut where the probability beyond is below ``tail``."""
        return None

    def bounds(self) -> tuple[float, float]:
        """Ends of the support of a real-valued scalar."""
        return -inf, inf

    def cdf(self, x: Any) -> np.ndarray:
        raise Unsupported(f"{type(self).__name__} has no distribution function here")


class Product(Distribution):
    """Independent elements, one distribution each, in an array of any shape."""

    def __init__(self, elements: np.ndarray):
        self.elements = elements
        first = elements.flat[0]
        self.batch = elements.shape + first.batch
        self.event = first.event
        self.discrete = first.discrete

    @staticmethod
    def copies(distribution: Distribution, shape: tuple[int, ...]) -> Distribution:
        """``shape`` independent copies; none at all still have a shape."""
        if not shape:
            return distribution
        if prod(shape) == 0:
            return Nothing(shape + distribution.batch, distribution.event, distribution.discrete)
        elements = np.empty(shape, dtype=object)
        for i in np.ndindex(shape):
            elements[i] = distribution
        return Product(elements)

    def _assemble(self, values: list[Any]) -> np.ndarray:
        whole = stack(values)
        return whole.reshape(self.elements.shape + whole.shape[1:])

    def sample(self, rng):
        return self._assemble([d.sample(rng) for d in self.elements.flat])

    def log_densities(self, x):
        x = np.asarray(x)
        parts = [self.elements[i].log_densities(x[i]) for i in np.ndindex(self.elements.shape)]
        return np.reshape(np.array(parts), self.batch)

    def cdf(self, x):
        parts = [self.elements[i].cdf(np.asarray(x)[i]) for i in np.ndindex(self.elements.shape)]
        return np.reshape(np.array(parts), self.batch)

    def atoms(self, tail=0.0):
        parts = [d.atoms(tail) for d in self.elements.flat]
        if any(p is None for p in parts):
            return None
        return [self._assemble(list(values)) for values in product(*parts)]


class Nothing(Distribution):
    """No elements at all: a batch with an axis of length zero."""

    def __init__(self, batch: tuple[int, ...], event: tuple[int, ...], discrete: bool):
        self.batch, self.event, self.discrete = batch, event, discrete

    def sample(self, rng):
        return np.zeros(self.batch + self.event)

    def log_densities(self, x):
        return np.zeros(self.batch)

    def atoms(self, tail=0.0):
        return [np.zeros(self.batch + self.event)]


def iid(D: Distribution, n: int) -> Distribution:
    """``n`` copies in front of the draw, as one event."""
    return Joined(Product.copies(D, (n,)), 1)


class Joined(Distribution):
    """The same draws with the first ``axes`` batch axes counted as axes of the event."""

    def __init__(self, inner: Distribution, axes: int):
        self.inner, self.axes = inner, axes
        if len(inner.batch) != axes:
            raise Unsupported("iid of a distribution that is a batch itself")
        self.event = inner.batch + inner.event
        self.discrete = inner.discrete

    def sample(self, rng):
        return self.inner.sample(rng)

    def log_densities(self, x):
        return np.asarray(self.inner.log_density(x))

    def atoms(self, tail=0.0):
        return self.inner.atoms(tail)
