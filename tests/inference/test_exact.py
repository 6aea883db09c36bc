"""Enumeration is exact."""

import jax.numpy as jnp
import numpy as np
import pytest

from ppl.core.errors import NumericalError
from ppl.core.functional import FunctionalTarget, finite
from ppl.inference.exact.enumeration import Enumeration
from ppl.inference.methods.enumeration import Enumerate
from ppl.runtime.execution import execute
from tests.inference.targets import two_coins


def test_posterior_and_evidence():
    posterior = execute(two_coins(), Enumerate())
    weights = posterior.weights()
    assert posterior.log_evidence.value == pytest.approx(np.log(31 / 4), abs=1e-12) and posterior.log_evidence.se == 0
    assert (weights * posterior.draws["a"]).sum() == pytest.approx(20 / 31, abs=1e-12)
    assert posterior.draws["b"].shape == (1, 4, 1) and posterior.draws["b"].dtype == np.int64


def test_every_state_is_visited_once_whatever_the_chunks():
    target = FunctionalTarget(
        {"a": finite((1, 5, 7)), "b": finite(2, 2, 2), "c": finite((0.5, 1.5))}, lambda t: 0.0 * t["c"]
    )
    program = Enumeration(target, 3 * 16 * 2)
    states = {
        (int(t["a"]), *np.asarray(t["b"]).ravel().tolist(), float(t["c"]))
        for t in (program.trace(jnp.int32(i)) for i in range(96))
    }
    assert len(states) == 96 and {s[0] for s in states} == {1, 5, 7} and {s[-1] for s in states} == {0.5, 1.5}
    whole = execute(target, Enumerate())
    assert whole.draws["a"].shape == (1, 96) and whole.log_evidence.value == pytest.approx(np.log(96))
    assert sorted(set(whole.draws["a"].ravel())) == [1, 5, 7]


def test_more_states_than_one_chunk():
    target = FunctionalTarget({"z": finite(2, 13)}, lambda t: jnp.log(0.25) * jnp.sum(t["z"]))
    posterior = execute(target, Enumerate())
    assert posterior.log_evidence.value == pytest.approx(13 * np.log(1.25), abs=1e-10)
    np.testing.assert_allclose((posterior.weights()[..., None] * posterior.draws["z"]).sum((0, 1)), 0.2, atol=1e-12)


def test_states_of_no_probability_are_dropped_and_a_contradiction_is_an_error():
    target = FunctionalTarget({"z": finite(3)}, lambda t: jnp.where(t["z"] == 1, -jnp.inf, 0.0))
    assert execute(target, Enumerate()).draws["z"].tolist() == [[0, 2]]
    with pytest.raises(NumericalError, match="every one of the 3 states has probability zero"):
        execute(FunctionalTarget({"z": finite(3)}, lambda t: -jnp.inf + 0.0 * t["z"]), Enumerate())
    with pytest.raises(NumericalError, match="NaN in 1 of 3 states"):
        execute(FunctionalTarget({"z": finite(3)}, lambda t: jnp.where(t["z"] == 1, jnp.nan, 0.0)), Enumerate())


def test_a_program_without_latents_has_an_exact_density():
    posterior = execute(FunctionalTarget({}, lambda t: jnp.asarray(-1.5)), Enumerate())
    assert posterior.log_evidence.value == -1.5
