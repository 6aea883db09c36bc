"""Every draw has a key of its own, and no key is used twice."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from tests.emit.test_against_reference import CASES, compiled, run

TEXTS = ["nested plates and a transposed subscript", "branches"]


@pytest.mark.parametrize("name", TEXTS)
def test_no_key_is_used_twice(name):
    target = compiled(CASES[name])
    with jax.debug_key_reuse(True):
        run(target, "simulate", jax.random.key(0))
        run(target, "generate", jax.random.key(0), {})
        run(target, "complete", jax.random.key(0), {})


def test_continuous_draws_all_differ():
    execution = run(compiled(CASES["nested plates and a transposed subscript"]), "simulate", jax.random.key(0))
    values = np.concatenate([np.ravel(v) for v in (*execution.trace.values(), *execution.data.values())])
    assert len(np.unique(values)) == len(values)
