"""The reference interpreter reproduces the exact values of the problems, wherever a finite computation reaches them."""

from functools import cache

import numpy as np
import pytest

from ppl.compiler.pipeline import check_text
from ppl.reference import chain, enumerate_exact, gaussian, objective, objective_gradient, quadrature
from tests.ground_truth.table import PROBLEMS, Chain, Elbo, Enumerate, Gaussian, Quadrature, Run

SLOW = {"eight_schools_tfp"}  # the same computation as that of the other eight schools
CASES = [pytest.param(p, run, marks=[pytest.mark.slow] if p.name in SLOW else []) for p in PROBLEMS for run in p.runs]
NAMES = [f"{p.name}-{k}" for p in PROBLEMS for k in range(len(p.runs))]


@cache
def program(text: str):
    return check_text(text).program


def solve(text: str, run: Run, data: dict):
    """The posterior of a run as enumerated or integrated exactly."""
    match run.oracle:
        case Enumerate(least=least):
            return enumerate_exact(program(text), run.model, None, data, least=least)
        case Quadrature(nodes, breaks):
            return quadrature(program(text), run.model, None, data, nodes=nodes, breaks=breaks)
        case Gaussian(sites, nodes, breaks):
            return gaussian(program(text), run.model, None, data, sites=sites, nodes=nodes, breaks=breaks)
        case Chain(site, length, states):
            return chain(program(text), run.model, None, data, site=site, length=length, states=states)
    raise ValueError(run.oracle)


def answer(text: str, run: Run, target: tuple, posterior):
    """The value of a target, and how far cut-off executions may have moved it."""
    kind, *rest = target
    if isinstance(run.oracle, Elbo):
        return _objective(text, run, kind, rest), 0.0
    if kind.startswith("filter_"):
        return [_filtered(text, run, kind, rest[0], t) for t in range(len(run.data["y"]))], 0.0
    lost = getattr(posterior, "lost", 0.0)
    mass = np.exp(posterior.log_evidence) if getattr(run.oracle, "mass", False) else 1.0
    match target:
        case ("log_evidence",):
            return posterior.log_evidence, lost
        case ("evidence",):
            return np.exp(posterior.log_evidence), lost
        case ("mean", name):
            return posterior.mean(name), lost
        case ("var", name):
            return posterior.var(name), lost
        case ("sd", name):
            return np.sqrt(posterior.var(name)), lost
        case ("prob", name, value):
            return mass * posterior.pmf(name, value), lost
        case ("pmf", name, values):
            return [mass * posterior.pmf(name, v) for v in values], lost
        case ("pmf", name, values, i) if isinstance(run.oracle, Chain):
            return [posterior.marginals[i, k] for k in values], lost
        case ("pmf", name, values, i):
            return [posterior.expectation(lambda path, k=k: path.get(name)[i] == k) for k in values], lost
        case ("mode", name):
            return posterior.mode().get(name), lost
        case ("mode_probability", _):
            return np.exp(posterior.mode().log_weight - posterior.log_evidence), lost
    raise ValueError(target)


def _filtered(text: str, run: Run, kind: str, name: str, t: int) -> float:
    posterior = solve(text, run, {**run.data, "y": run.data["y"][: t + 1]})
    moment = posterior.mean(name) if kind == "filter_mean" else posterior.var(name)
    return float(moment[-1])


def _objective(text: str, run: Run, kind: str, wrt: list[str]):
    p = program(text)
    guide = next(m for m in p.models if m.kind == "guide")
    how = dict(model="main", guide=guide.name, data=run.data, nodes=run.oracle.nodes)
    if kind == "elbo":
        return objective(p, "elbo", **how)
    start = {"phi": 0.3, "mu": 0.4, "ls": -0.2, "a": -0.4, "m1": -1.5, "m0": 1.0}
    gradient = objective_gradient(p, "elbo", wrt, start, **how)
    return gradient if len(wrt) > 1 else gradient[0]


@pytest.mark.parametrize(("problem", "run"), CASES, ids=NAMES)
def test_exact_values(problem, run):
    queries, text = problem.queries_of(run), problem.text_of(run)
    assert queries
    if run.rejected is not None:
        assert [d.code for d in check_text(text).diagnostics.errors] == [run.rejected]
        return
    if run.oracle is None:
        assert program(text) is not None
        return
    posterior = None if isinstance(run.oracle, Elbo) else solve(text, run, run.data)
    for query in queries:
        value, lost = answer(text, run, query.target, posterior)
        expected = np.asarray(query.value, dtype=float)
        tolerance = query.abs_err + 2 * lost + 1e-12 * np.abs(expected).max()
        np.testing.assert_allclose(np.asarray(value, dtype=float), expected, rtol=0, atol=tolerance, err_msg=query.name)


def test_the_table_covers_every_problem():
    import json
    from pathlib import Path

    stored = json.loads((Path(__file__).parent / "problems.json").read_text(encoding="utf-8"))["problems"]
    assert {p.name for p in PROBLEMS} == {p["name"] for p in stored}
    for p in PROBLEMS:
        names = {q.name for q in p.queries}
        assert all(set(run.targets) <= names for run in p.runs)
