"""Random programs, enumerated by the reference interpreter before and after every pass: the same measure."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from ppl.compiler.passes.query import Query, prepare
from ppl.compiler.passes.schedule import PASSES, run_passes
from ppl.compiler.pipeline import check_text
from ppl.reference import enumerate_exact, generate
from tests.differential.programs import programs

THOROUGH = dict(derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def checked(text: str):
    result = check_text(text)
    assert result.ok, [d.message for d in result.diagnostics.errors]
    return result.program


def summary(program) -> np.ndarray:
    """log Z, the mean and variance of the returned value, and the means of all outputs."""
    paths = enumerate_exact(program, "main")
    names = sorted({name for p in paths for name in p.outputs} - {"return"})
    return np.array([paths.log_evidence, paths.mean("return"), paths.var("return"), *[paths.mean(n) for n in names]])


@pytest.mark.slow
@given(programs())
@settings(max_examples=60, **THOROUGH)
def test_passes_keep_the_measure(text):
    program = checked(text)
    expected = summary(program)
    for p in PASSES:
        np.testing.assert_allclose(
            summary(run_passes(program, "main", after=p.name).program), expected, rtol=1e-10, atol=1e-12, err_msg=p.name
        )
    plan = prepare(program, Query("main", marginalise=True))
    np.testing.assert_allclose(summary(plan.program), expected, rtol=1e-10, atol=1e-12, err_msg="prepare")


@given(programs())
@settings(max_examples=60, **THOROUGH)
def test_elimination_gives_the_evidence(text):
    """Where every latent variable is summed out or left to after inference, the density that remains is Z."""
    program = checked(text)
    plan = prepare(program, Query("main", marginalise=True))
    left = {s.name for s in plan.model.sites} - set(plan.marginalised) - set(plan.deferred)
    if plan.refusals or left:
        return
    weight = generate(plan.program, "main", rng=0).log_weight
    np.testing.assert_allclose(weight, enumerate_exact(program, "main").log_evidence, rtol=1e-10, atol=1e-12)
