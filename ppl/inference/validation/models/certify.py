"""``certify``: a certificate of one method on one bound target."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ppl.core.target import Target
from ppl.inference.claims import Claim
from ppl.inference.filtering.moving import Moving
from ppl.inference.filtering.nested import NestedFilter
from ppl.inference.filtering.parameters import Parameters
from ppl.inference.filtering.program import Filter
from ppl.inference.filtering.smoothing import Smoother
from ppl.inference.importance.prior import PriorImportance
from ppl.inference.methods.base import Method
from ppl.inference.program import Program
from ppl.inference.representations import Particles
from ppl.inference.validation.certificate import Certificate, Check
from ppl.inference.validation.models.calibrate import check_calibrated
from ppl.inference.validation.models.chains import check_transition, transition_of
from ppl.inference.validation.models.effort import Effort, Listener, silent
from ppl.inference.validation.models.oracles import oracle_for
from ppl.inference.validation.models.replicates import (
    as_population,
    check_against_prior,
    check_replicates,
    prior_draw,
)
from ppl.inference.validation.validate import versions

_DRAWS, _DATA_SETS, _AT_ONCE = 8_000, 200, 50
_FEW = (2, 3)  # particles: a bias hides behind many


def certify(
    target: Target,
    method: Method,
    seed: int = 0,
    alpha: float = 1e-9,
    budget: float | None = None,
    n: int | None = None,
    calibrate: bool = False,
    model_hash: str = "",
    listener: Listener = silent,
) -> Certificate:
    """What ``method`` claims on ``target``, tested against an oracle or from exact starts.

    * properly weighted (importance, smc, smc2, rmsmc with a fixed kernel): E Ẑ f = Z π(f) with few particles and ``n``
      replicates, against enumeration, a Gaussian posterior or quadrature; where there is none of them, the same
      expectations by weighted draws of the prior;
    * invariant (nuts, hmc, mh, pgibbs): (θ₀, y) from the joint law, one transition of the sampling phase keeps it;
      (pimh, pmmh): prior starts weighted by their estimates Ẑ;
    * exact (enumerate): weighted draws of the prior have the evidence and the means that enumeration gives.

    A method that promises less (tempered, laplace, map) has no claim that a test with a stated error rate could refute,
    and the certificate says so. ``calibrate``: whole runs on simulated data as well, whatever is claimed; ``n`` then
    counts data sets too. ``budget``: seconds; what is not decided by then is undecided."""
    method.check(target)
    effort = Effort.within(budget, seed=seed, alpha=alpha, n=n or _DRAWS, listener=listener)
    checks = _checks(target, method, effort)
    if calibrate:
        listener(f"{method.name}: whole runs on simulated data")
        sets = dataclasses.replace(effort, n=n or _DATA_SETS, block=min(_AT_ONCE, n or _DATA_SETS))
        claimless = all(c.outcome == "undecided" for c in checks)
        checks = (() if claimless else checks) + (check_calibrated(target, method, sets),)
    return Certificate(method.expression(), target.name, checks, versions(), str(jax.devices()[0]), model_hash)


def _checks(target: Target, method: Method, effort: Effort) -> tuple[Check, ...]:
    if claim_of(method) in (Claim.HEURISTIC, Claim.CONSISTENT):
        return (_no_claim(method),)
    program = _small(method).program(target)
    chain = transition_of(program, effort.seed) if method.claim == Claim.INVARIANT else None
    if chain is not None:
        effort.listener(f"{method.name}: one transition from starts of the {chain.oracle}")
        return check_transition(chain, effort, method.name)
    names = Parameters(target, method.name).names if isinstance(program, NestedFilter) else None
    effort.listener("looking for an oracle")
    oracle = oracle_for(target, names)
    compared = "weighted draws of the prior" if oracle is None else oracle.name
    effort.listener(f"{method.name}: replicates against {compared}")
    checks: list[Check] = []
    for run, case, by_prior in estimators(target, method, program):
        if checks and (effort.late or checks[-1].outcome == "refuted"):
            break  # the smaller case is enough
        claim = "evidence and means are exact" if method.claim == Claim.EXACT else "properly weighted"
        if oracle is not None:
            checks.append(check_replicates(run, oracle, effort, case, claim))
        elif by_prior:
            checks.append(_undecided(claim, _NO_ORACLE, method))
        else:
            checks.append(check_against_prior(run, target, effort, case, names))
    return tuple(checks) or (_undecided(method.claim.title, f"no test for {type(program).__name__}", method),)


def claim_of(method: Method) -> Claim:
    """The claim at these settings: resample–move with moves of fixed tuning is properly weighted."""
    fixed = method.name == "rmsmc" and getattr(method, "kernel", None) is not None
    return Claim.PROPERLY_WEIGHTED if fixed else method.claim


def _small(method: Method) -> Method:
    """The same method at its smallest. Nested and moving particles cost their product; NUTS leaves its target
    invariant for every depth of its trees, and thousands of starts side by side cost as much as the deepest."""
    most = {"max_depth": 4} if method.name == "nuts" else {"n": 3, "inner": 2, "moves": 2}
    if method.name not in ("nuts", "smc2", "rmsmc", "pgibbs", "pimh", "pmmh"):
        return method
    least = {name: min(getattr(method, name), value) for name, value in most.items() if hasattr(method, name)}
    return dataclasses.replace(method, **least)  # type: ignore[type-var]


def estimators(target: Target, method: Any, program: Program) -> list[tuple[Callable[[Any], Any], str, bool]]:
    """(one realisation from a key, how it is called, whether it is itself draws of the prior)."""
    if isinstance(program, PriorImportance) or method.claim == Claim.EXACT:
        return [(lambda key: prior_draw(target, key), "draws of the prior", True)]
    if isinstance(program, Filter):
        kept = {"paths": True} if hasattr(method, "paths") else {}  # functions of all variables are compared
        few = [dataclasses.replace(method, n=k, **kept) for k in _FEW]
        return [(_one_run(m.program(target)), f"{m.n} particles, {_settings(m)}", False) for m in few]
    if isinstance(program, NestedFilter | Moving):
        return [(_one_run(program), f"{program.method.n} particles, {_settings(method)}", False)]
    return []


def _settings(method: Any) -> str:
    shown = {k: getattr(method, k) for k in ("resample", "ess", "inner", "smooth", "max_trials") if hasattr(method, k)}
    return ", ".join(f"{k} = {v}" for k, v in shown.items())


def _one_run(program: Program) -> Callable[[Any], Any]:
    """One run of the method's own program as a realisation of a population."""

    def run(key: Any) -> Any:
        _, rows = program.advance({"key": jax.random.key_data(key)}, jnp.asarray(0), jnp.asarray(1))
        row = jax.tree.map(lambda a: a[0], rows)
        if isinstance(program, Smoother):  # trajectories of equal weight
            return Particles(row["trace"], jnp.zeros(program.width), row["log_evidence"])
        return as_population(row)

    return run


_NO_ORACLE = (
    "no oracle: the posterior is neither finite and small, nor jointly normal, nor of at most two continuous "
    "dimensions, and draws of the prior can be compared with nothing but themselves"
)
REASONS = {
    Claim.HEURISTIC: "an approximation, right only where the posterior has its shape",
    Claim.CONSISTENT: "biased for every finite number of particles by an amount that no theorem states",
}


def _no_claim(method: Method) -> Check:
    """What cannot be refuted is not tested."""
    why = f"no claim to test because {method.name} is {REASONS[method.claim]}"
    return _undecided(method.claim.title, why, method)


def _undecided(claim: str, why: str, method: Method) -> Check:
    return Check(claim, "none", "", "undecided", 0.0, 0, {"why": why}, None, method.name)
