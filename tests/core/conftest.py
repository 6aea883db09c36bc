"""Double precision for the tests of the core; those of single precision leave it by ``jax.enable_x64(False)``."""

from __future__ import annotations

from collections.abc import Iterator

import jax
import pytest


@pytest.fixture(autouse=True)
def double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield
