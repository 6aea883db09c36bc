"""The law of every pass: the density of the program is the same before and after, by the reference interpreter."""

from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp

from ppl.compiler.ir.verify import verify
from ppl.compiler.passes.base import replace_model
from ppl.compiler.passes.dead_draws import split
from ppl.compiler.passes.eliminate_chain import eliminate_chains
from ppl.compiler.passes.enumerate_local import enumerate_local
from ppl.compiler.passes.query import Query, prepare
from ppl.compiler.passes.schedule import PASSES, run_passes
from ppl.reference import density
from tests.passes.models import CONTINUOUS, DISCRETE, Case


def value(case: Case, program=None) -> float:
    return density(program or case.program, case.name, case.args, case.data, case.trace)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_models_are_well_formed_and_have_a_density(name):
    assert verify(CONTINUOUS[name].program) == []
    assert np.isfinite(value(CONTINUOUS[name]))


@pytest.mark.parametrize("after", [p.name for p in PASSES])
@pytest.mark.parametrize("name", CONTINUOUS)
def test_density_is_kept_by_each_pass(name, after):
    case = CONTINUOUS[name]
    passed = run_passes(case.program, case.name, after=after)
    assert value(case, passed.program) == pytest.approx(value(case), rel=1e-12)


def paths(case: Case):
    """All values of the discrete variables; each element has two."""
    length = len(next(iter(case.data.values()))) if case.name != "flips" else None
    names = [s.name for s in case.model.sites if s.discrete]
    options = [0, 1] if length is None else [np.array(v) for v in product([0, 1], repeat=length)]
    return (dict(zip(names, values, strict=True)) for values in product(options, repeat=len(names)))


@pytest.mark.parametrize("name", DISCRETE)
def test_sums_are_exact(name):
    """The density after elimination is the sum of the density over all values of the discrete variables, one by one."""
    case = DISCRETE[name]
    plan = prepare(case.program, Query(case.name, frozenset(case.data), marginalise=True))
    assert set(plan.marginalised) == {s.name for s in case.model.sites if s.discrete}
    assert plan.refusals == ()
    exact = logsumexp([density(case.program, case.name, case.args, case.data, case.trace | z) for z in paths(case)])
    assert density(plan.program, case.name, case.args, case.data, case.trace) == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("name", DISCRETE)
def test_local_sums_of_what_is_given_change_nothing(name):
    case = DISCRETE[name]
    observed = {s.name for s in case.model.sites}
    assert enumerate_local(case.model, observed).model == case.model
    assert eliminate_chains(case.model, observed).model == case.model


def test_deferred_variables_integrate_out():
    """The walk observed up to y alone: x stays. Without data all is deferred and the density left is 1."""
    case = CONTINUOUS["walk"]
    assert split(case.model, {"y"}).deferred == ()
    empty = split(case.model, ())
    assert set(empty.deferred) == {"x", "y"}
    assert density(replace_model(case.program, empty.inference), case.name, case.args, {}, {}) == 0.0
