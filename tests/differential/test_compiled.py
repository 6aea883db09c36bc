"""Random programs, compiled: the log density of every trace is the weight that the reference interpreter gives that
path."""

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import assume, given, settings

from ppl.compiler.emit.bind import bind
from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.passes.query import Query, prepare
from ppl.reference import enumerate_exact
from tests.differential.programs import programs
from tests.differential.test_passes import THOROUGH, checked


def emitted(program, query: Query):
    plan = prepare(program, query)
    return plan, bind(plan.program, "main", {}, {}, {}, deferred=frozenset(plan.deferred))


@given(programs())
@settings(max_examples=8, **THOROUGH)
def test_every_trace_has_the_density_of_its_path(text):
    program = checked(text)
    paths = enumerate_exact(program, "main")
    names = {frozenset(p.trace) for p in paths}
    assume(len(names) == 1 and names != {frozenset()})  # branches that draw different variables have their own tests
    try:
        plan, target = emitted(program, Query("main"))
    except EmissionError:
        assume(False)
    shapes = {latent.name: latent.shape for latent in target.latents}
    assume(not plan.deferred and names == {frozenset(shapes)})  # a branch that is never taken draws nothing
    traces = {n: np.stack([np.reshape(p.trace[n], shapes[n]) for p in paths]) for n in shapes}
    densities = jax.jit(jax.vmap(lambda t: target.log_density(t)))({n: jnp.asarray(v) for n, v in traces.items()})
    np.testing.assert_allclose(densities, [p.log_weight for p in paths], rtol=1e-10, atol=1e-10)


@given(programs())
@settings(max_examples=8, **THOROUGH)
def test_the_density_with_everything_summed_out_is_the_evidence(text):
    program = checked(text)
    try:
        plan, target = emitted(program, Query("main", marginalise=True))
    except EmissionError:
        assume(False)
    assume(plan.marginalised and not plan.refusals and not target.latents)
    expected = enumerate_exact(program, "main").log_evidence
    np.testing.assert_allclose(jax.jit(lambda t: target.log_density(t))({}), expected, rtol=1e-10, atol=1e-10)
