"""The suspended form: a model run step by step has the measure of the model run at once."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ppl.compiler.emit.bind import bind
from ppl.compiler.emit.suspend import suspend
from ppl.core.errors import MethodError
from tests.emit.models import autoregression, bound_schools, branching

AR_Y = np.random.default_rng(0).normal(size=4)


def autoregressive():
    return bind(autoregression(), "ar", {}, {"T": 6}, {"y": AR_Y})


def walk(sequential, key):
    """Start and all steps: final state, records, total log weight."""

    def step(state, t):
        state, record, w = sequential.advance(jax.random.fold_in(key, t), state, t)
        return state, (record, w)

    state, first = sequential.start(jax.random.fold_in(key, 1000))
    state, (records, weights) = jax.lax.scan(step, state, jnp.arange(sequential.length))
    return state, records, first + weights.sum()


CASES = {
    "loop": (autoregressive, 4),
    "plate": (bound_schools, 8),
    "straight": (lambda: bind(branching(), "branching", {}, {}, {"y": 0.3}), 1),
}


@pytest.fixture(params=CASES, scope="module")
def case(request):
    make, length = CASES[request.param]
    target = make()
    sequential = suspend(target)
    state, records, weight = jax.jit(lambda s, k: walk(s, k))(sequential, jax.random.key(0))
    return target, sequential, length, state, records, weight


def test_one_step_an_observation(case):
    assert case[1].length == case[2]


def test_weight_is_the_likelihood_of_the_trace(case):
    target, sequential, _, state, records, weight = case
    trace = sequential.trace(state, records)
    assert trace.keys() == {v.name for v in target.latents}
    terms = jax.jit(lambda t, z: t.log_density_terms(z))(target, trace)
    assert weight == pytest.approx(float(jnp.sum(terms["y"])), rel=1e-10)


def test_replay_and_transition_make_up_the_density(case):
    """log γ of the trace = Σ (transition + weight) over the steps + the prior of what was drawn before the first."""
    target, sequential, _, _, records, weight = case
    state, _ = sequential.start(jax.random.fold_in(jax.random.key(0), 1000))

    @jax.jit
    def again(sequential, state, records):
        def step(state, at):
            record, t = at
            moved = sequential.log_transition(state, record, t)
            state, w = sequential.replay(state, record, t)
            return state, (moved, w)

        return jax.lax.scan(step, state, (records, jnp.arange(sequential.length)))

    final, (moves, weights) = again(sequential, state, records)
    assert jnp.sum(weights) == pytest.approx(float(weight), rel=1e-10)
    trace = sequential.trace(final, records)
    terms = jax.jit(lambda t, z: t.log_density_terms(z))(target, trace)
    drawn_in_steps = {"loop": ("x",), "plate": ("theta",), "straight": ()}
    name = {"ar": "loop", "schools": "plate", "branching": "straight"}[target.name]
    expected = sum(float(jnp.sum(terms[s][2:] if name == "loop" else terms[s])) for s in drawn_in_steps[name])
    assert float(jnp.sum(moves)) == pytest.approx(expected, rel=1e-10)


def test_state_is_what_the_rest_reads():
    """Of the whole history of an autoregression a particle keeps two elements."""
    state, _ = suspend(autoregressive()).start(jax.random.key(0))
    assert {np.shape(v) for v in state.live.values()} == {()}
    assert set(state.live) >= {"phi"} and len(state.live) == 3


def test_nothing_to_suspend_at():
    with pytest.raises(MethodError, match="observes nothing"):
        suspend(bound_schools(None))
