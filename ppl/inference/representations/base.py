"""What all representations have in common.

A representation r is a random program that stands for a measure ⟦r⟧ on values of type A. It is written down by the
integral of a test function, ⟦r⟧ f, in the docstring of each class. ``run`` makes one *realisation*; the expectation in
the formula is over the key.

After Ścibior et al., *Denotational validation of higher-order Bayesian inference* (POPL 2018), section 4.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import equinox as eqx

from ppl.core.random import Source
from ppl.inference.representations.shape import Shape


class Representation(eqx.Module):
    """Abstract. Pure and traceable by JAX; a PyTree whose arrays are data, parameters or particles."""

    @property
    @abstractmethod
    def shape(self) -> Shape:
        """Its type, as compositions are checked against."""

    @abstractmethod
    def run(self, key: Source) -> tuple[Any, Any]:
        """A realisation and what the transformations on the way had to report (a PyTree, possibly empty)."""
