"""The implementation has the names and parameters of the language's tables, all of them and no others."""

from __future__ import annotations

import inspect

import pytest

from ppl.compiler.ir.builtins import BUILTINS
from ppl.compiler.ir.builtins import CONSTANTS as DECLARED_CONSTANTS
from ppl.compiler.ir.distributions import DISTRIBUTIONS as DECLARED
from ppl.core.distributions import DISTRIBUTIONS
from ppl.core.functions import CONSTANTS, FUNCTIONS


def test_every_distribution_is_implemented() -> None:
    assert set(DISTRIBUTIONS) == set(DECLARED)


@pytest.mark.parametrize("name", sorted(DECLARED))
def test_parameters_have_the_same_names_in_the_same_order(name: str) -> None:
    parameters = inspect.signature(DISTRIBUTIONS[name]).parameters
    assert list(parameters) == [p.name for p in DECLARED[name].params]
    optional = [p for p, v in parameters.items() if v.default is not inspect.Parameter.empty]
    assert optional == [p.name for p in DECLARED[name].params if p.optional]


def test_every_function_is_implemented() -> None:
    assert set(FUNCTIONS) == set(BUILTINS)


def test_constants() -> None:
    assert CONSTANTS == DECLARED_CONSTANTS
