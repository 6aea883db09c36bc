"""The compiled program gives the exact values, by every method that can run the problem.

Exact methods agree to 1e-9. NUTS agrees within 4 Monte Carlo standard errors (a sound comparison fails with probability
6e-5 at a fresh seed), other sampling methods within 4.5 (7e-6) and 5 for the evidence of a single run; seeds are
fixed."""

import math
from dataclasses import replace

import numpy as np
import pytest

import ppl
from ppl.runtime.results.convergence import ess_mean
from tests.ground_truth.table import PROBLEMS

BY_NAME = {p.name: p for p in PROBLEMS}

EXACT = [
    "webppl_upweight", "monty_hall", "sprinkler_soft", "strictly_smaller_support", "webppl_partition2", "dice_soft",
    "dice_hard", "webppl_mem", "hmm_gen", "hmm_discrete10", "nested_informative_agent", "webppl_cache",
    "branch_obs_counts",
]  # fmt: skip
NUTS = [
    "eight_schools_tfp", "eight_schools_posteriordb", "webppl_gaussianDrift", "normal_normal", "gamma_poisson",
    "gamma_normal_precision", "dirichlet_categorical", "truncnorm_posterior", "logreg_monad_bayes", "underflow_weights",
]  # fmt: skip
OTHERS = {
    **dict.fromkeys(
        ["webppl_upweight", "monty_hall", "sprinkler_soft", "strictly_smaller_support", "webppl_partition2",
         "dice_hard", "webppl_mem"],
        ["importance(40000)"],
    ),
    "dice_soft": ["smc(20000)"],
    "beta_binomial_urn": ["importance(100000)", "smc(40000)"],
    "hmm_gen": ["smc(20000)", "pgibbs(100, draws=2000)"],
    "webppl_indirectDependency": ["auto", "importance(40000)"],
    "webppl_uniformSampledSupport": ["auto", "importance(40000)"],
    "webppl_uniformDrift": ["importance(40000)"],
    "trueskill_pair": ["importance(40000)"],
    "cauchy_location": ["tempered(4000)", "importance(40000)"],
    "mixture_prior_asym": ["importance(40000)", "smc(20000)"],
    "webppl_mixed2Factor": ["importance(100000)"],
    "hmm_anglican": ["smc(20000)", "pimh(100, draws=500)"],
    "hmm_discrete10": ["smc(20000)", "pgibbs(100, draws=2000)"],
    "lgssm_1d": ["smc(20000)", "nuts(draws=1000)"],
    "lgssm_missing": ["smc(20000)", "nuts(draws=1000)"],
    "lgssm_unknown_ar": ["smc(40000)", "pmmh(50, draws=2000)", "smc2(400, inner=30)"],
    "nonlinear_ssm": ["smc(40000)", "importance(100000)"],
    "crp_mixture": ["importance(100000)"],
    "branch_obs_counts": ["smc(4000, ess=1.1)", "pgibbs(10, draws=500, warmup=50)", "pimh(100, draws=500)"],
    "sprinkler_soft": ["smc(4000)", "pgibbs(10, draws=500, warmup=50)"],
    "webppl_varFactors1": ["smc(4000)", "pgibbs(10, draws=500, warmup=50)"],
    "webppl_nestedEnum": ["importance(40000)"],
    "normal_normal": ["laplace", "importance(40000)"],
}


def runs(name):
    return [r for r in BY_NAME[name].runs if not r.needs and r.rejected is None and r.targets]


def posterior(name, run, method):
    program = ppl.parse(BY_NAME[name].text_of(run))
    return ppl.infer(getattr(program, run.model)().given(run.data), method, seed=11)


def series(result, name):
    """The draws of a variable, an output or the returned value: [chain, draw, …]."""
    for group in (result.posterior.draws, result.posterior.outputs):
        if name in group:
            return np.asarray(group[name], float)
    if name == "return" and result.posterior.value is not None:
        return np.asarray(result.posterior.value, float)
    return None


def estimate(x, weights):
    """Mean and its standard error over chains and draws: by effective sample size, or that of self-normalised
    weights."""
    flat = x.reshape(*x.shape[:2], -1)
    if weights is None:
        sd = flat.std((0, 1), ddof=1)
        return flat.mean((0, 1)), sd / np.sqrt(np.nan_to_num(ess_mean(flat), nan=1.0))
    w = weights[..., None]
    mean = (w * flat).sum((0, 1))
    return mean, np.sqrt((w**2 * (flat - mean) ** 2).sum((0, 1)))


def compare(result, query, exact, errors=4.0):
    """False where the method does not give what the query asks for."""
    kind, *rest = query.target
    weights = None if result.posterior.log_weights is None else result.posterior.weights()
    value = np.asarray(query.value, float)
    if kind in ("log_evidence", "evidence"):
        if result.log_evidence is None:
            return False
        found, se = result.log_evidence
        target = float(value) if kind == "log_evidence" else math.log(float(value))
        room = 1e-9 if exact else 5 * (se if se is not None else 0.15) + 1e-9
        assert abs(found - target) <= room + query.abs_err, (query.name, found, target, se)
        return True
    x = series(result, rest[0])
    if x is None:
        return False
    if kind.startswith("filter"):  # given all data, the last state is filtered
        x, value, kind = x[..., -1], value[-1], kind.removeprefix("filter_")
    if kind.startswith("mode"):
        paths, which = np.unique(x.reshape(-1, x.shape[-1]), axis=0, return_inverse=True)
        mode = np.argmax(np.bincount(which.ravel(), None if weights is None else weights.ravel()))
        if kind == "mode":
            assert np.array_equal(paths[mode], value)
            return True
        statistics = (which == mode).reshape(x.shape[:2]).astype(float)
    elif kind == "mean":
        statistics = x
    elif kind == "prob":
        statistics = (x == float(rest[1])).astype(float)
    elif kind == "pmf":
        picked = x[..., rest[2]] if len(rest) == 3 else x
        statistics = np.stack([picked == float(v) for v in rest[1]], -1).astype(float)
    else:  # var and sd, about the estimated mean
        mean, _ = estimate(x, weights)
        statistics = (x.reshape(*x.shape[:2], -1) - mean) ** 2
    found, se = estimate(statistics, weights)
    if kind == "sd":
        found, se = np.sqrt(found), se / (2 * np.sqrt(found))
    room = 1e-9 if exact else errors * se + 1e-9
    off = np.abs(found - value.ravel())
    assert np.all(off <= room + query.abs_err), (query.name, found, value, off / np.maximum(se, 1e-300))
    return True


CASES = [(n, "enumerate") for n in EXACT] + [(n, "nuts(draws=1000)") for n in NUTS]
CASES += [(n, m) for n, methods in OTHERS.items() for m in methods]
LONG = {  # each with another method for the same problem, or the same method on another one, in the quick tier
    ("hmm_discrete10", "pgibbs"), ("lgssm_missing", "nuts"), ("dice_soft", "smc"), ("hmm_gen", "pgibbs"),
    ("beta_binomial_urn", "smc"),
    ("hmm_anglican", "pimh"), ("hmm_discrete10", "smc"), ("lgssm_1d", "nuts"), ("lgssm_unknown_ar", "smc2"),
    ("lgssm_unknown_ar", "pmmh"), ("eight_schools_tfp", "nuts"), ("logreg_monad_bayes", "nuts"),
    ("sprinkler_soft", "pgibbs"), ("branch_obs_counts", "pimh"),
}  # fmt: skip
PARAMETERS = [
    pytest.param(n, m, id=f"{n}-{m.split('(')[0]}", marks=[pytest.mark.slow] if (n, m.split("(")[0]) in LONG else [])
    for n, m in CASES
]


@pytest.mark.parametrize(("name", "method"), PARAMETERS)
def test_compiled_values(name, method):
    answered = 0
    for run in runs(name):
        result = posterior(name, run, method)
        errors = 4.0 if method.startswith("nuts") else 4.5
        queries = [q for q in BY_NAME[name].queries_of(run) if (name, q.name) not in COALESCED or "smc" not in method]
        answered += sum(compare(result, q, method == "enumerate", errors) for q in queries)
    assert answered


# Early states of a long chain, from a filter's trajectories: these have few ancestors, and weights do not tell how few
COALESCED = {("hmm_anglican", "smooth p(x1|y1:16)")}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "query"), sorted(COALESCED))
def test_early_states_by_independent_filters(name, query):
    """16 filters; their spread gives the error. t with 15 degrees of freedom: P(|t| > 7) < 5e-6 for each value."""
    asked = [(r, q) for r in runs(name) for q in BY_NAME[name].queries_of(r) if q.name == query]
    run, query = asked[0]
    _, site, values, at = query.target
    model = getattr(ppl.parse(BY_NAME[name].text_of(run)), run.model)().given(run.data)
    found = []
    for seed in range(16):
        result = ppl.infer(model, "smc(5000)", seed=seed)
        state, weights = series(result, site)[..., at], result.posterior.weights()
        found.append([float((weights * (state == v)).sum()) for v in values])
    error = np.std(found, axis=0, ddof=1) / 4
    assert np.all(np.abs(np.mean(found, axis=0) - query.value) < 7 * error)


@pytest.mark.slow  # the quick tier compares the last state, given all data
@pytest.mark.parametrize("name", ["lgssm_1d", "lgssm_missing", "nonlinear_ssm"])
def test_filters(name):
    """The mean and the variance of the last state for each prefix of the data."""
    (run,) = runs(name)
    for t in range(len(run.data["y"])):
        result = posterior(name, replace(run, data={**run.data, "y": run.data["y"][: t + 1]}), "smc(20000)")
        for query in BY_NAME[name].queries_of(run):
            if query.target[0].startswith("filter"):
                assert compare(result, query._replace(value=query.value[: t + 1]), False, 4.5)


SETTLED = {"discrete", "time_series", "stochastic_branching", "multimodal"}


@pytest.mark.parametrize("name", [p.name for p in PROBLEMS if p.category in SETTLED and runs(p.name)])
def test_two_methods_answer(name):
    """Of methods that share nothing but the program."""
    assert len({m.split("(")[0] for n, m in CASES if n == name}) >= 2
