"""``certify``: a certificate of one method on one bound target."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ppl.core.target import Target
from ppl.inference.claims import Claim
from ppl.inference.filtering.program import Filter
from ppl.inference.importance.prior import PriorImportance
from ppl.inference.methods.base import Method
from ppl.inference.representations import Particles, WeightedValue
from ppl.inference.representations.population import log_mean_exp
from ppl.inference.validation.certificate import Certificate, Check
from ppl.inference.validation.checks.weighted import KnownMeasure, estimates
from ppl.inference.validation.fixed_n import MeanTest, detectable, test_means
from ppl.inference.validation.models.chains import check_transition, transition_of
from ppl.inference.validation.models.oracles import Oracle, oracle_for
from ppl.inference.validation.sequential import staged
from ppl.inference.validation.validate import versions

Listener = Callable[[str], None]
_LEAST_EFFECTIVE = 100


def certify(
    target: Target,
    method: Method,
    seed: int = 0,
    alpha: float = 1e-9,
    budget: float | None = None,
    n: int = 2_000,
    model_hash: str = "",
    listener: Listener = lambda _: None,
) -> Certificate:
    """What ``method`` claims on ``target``, tested against an oracle or from exact starts.

    * properly weighted (importance, smc): E Ẑ f = Z π(f) with few particles and ``n`` replicates, against enumeration
    or quadrature;
    * invariant (nuts, hmc, mh): (θ₀, y) from the joint law, one transition of the sampling phase keeps it;
      (pimh, pmmh): prior starts weighted by their estimates Ẑ;
    * exact (enumerate): weighted draws of the prior have the evidence and the means that enumeration gives.

    Where there is no oracle and no exact start the claim is undecided, and the certificate says why. ``budget``:
    seconds."""
    deadline = None if budget is None else time.monotonic() + budget
    method.check(target)
    program = _shallow(method).program(target)
    common = {"seed": seed, "alpha": alpha}
    expression = method.expression()
    chain = method.claim == Claim.INVARIANT and transition_of(program, seed)
    if chain:
        listener(f"{method.name}: transitions from the {chain.oracle}")
        checks = check_transition(chain, seed, alpha, n, deadline, method.name)
        return _certificate(expression, target, checks, model_hash)
    listener("looking for an oracle")
    oracle = oracle_for(target)
    if oracle is None:
        why = "no oracle: the posterior is neither finite and small nor of at most two continuous dimensions, and " + (
            f"{method.name} is no chain that could be started exactly"
        )
        return _certificate(expression, target, (_undecided(method, why),), model_hash)
    listener(f"{method.name}: replicates against {oracle.name}")
    if isinstance(program, PriorImportance) or method.claim == Claim.EXACT:
        claim = "properly weighted" if isinstance(program, PriorImportance) else "evidence and means are exact"
        checks = (
            _replicates(lambda key: _draw(target, key), oracle, deadline, n, "draws of the prior", claim, **common),
        )
    elif isinstance(program, Filter):
        checks = tuple(
            _replicates(
                _particles(Filter(target, size, method.resample, method.ess)),
                oracle,
                deadline,
                n,  # type: ignore[attr-defined]
                f"{size} particles, {method.resample}, ess = {method.ess}",
                **common,
            )  # type: ignore[attr-defined]
            for size in (2, 3)
        )
    else:
        checks = (
            _undecided(method, f"{method.name} {method.claim.title}: no test with a stated error rate can refute that"),
        )
    return _certificate(expression, target, checks, model_hash)


def _shallow(method: Method) -> Method:
    """NUTS leaves its target invariant for every depth of its trees; thousands of starts side by side cost as much as
    the deepest."""
    depth = getattr(method, "max_depth", None)
    return method if depth is None else dataclasses.replace(method, max_depth=min(depth, 4))  # type: ignore[call-arg]


def _draw(target: Target, key: Any) -> WeightedValue:
    run = target.generate(key, {})
    return WeightedValue({v.name: run.trace[v.name] for v in target.latents}, run.log_weight)


def _particles(filter: Filter) -> Callable[[Any], Particles]:
    """One run of the method's own program as a realisation of a population."""

    def run(key: Any) -> Particles:
        _, rows = filter.advance({"key": jax.random.key_data(key)}, jnp.asarray(0), jnp.asarray(1))
        row = jax.tree.map(lambda a: a[0], rows)
        return Particles(row["trace"], row["log_weight"], row["log_evidence"] - log_mean_exp(row["log_weight"]))

    return run


def _replicates(
    run: Callable[[Any], Any],
    oracle: Oracle,
    deadline: float | None,
    n: int,
    case: str,
    claim: str = "properly weighted",
    seed: int = 0,
    alpha: float = 1e-9,
) -> Check:
    """Undecided where the weights of the replicates are so uneven that a mean of ``n`` says nothing."""
    measure = KnownMeasure("posterior", oracle.log_evidence, oracle.functions, oracle.expected, oracle.name)
    compiled = jax.jit(jax.vmap(lambda key: estimates(run(key), measure)))
    expected = np.concatenate([[1.0], oracle.expected])

    def draw(s: int) -> np.ndarray:
        return np.asarray(compiled(jax.random.split(jax.random.key(s), n)), float)

    mass = draw(seed ^ 0x77)[:, 0]
    effective = float(mass.sum() ** 2 / max(np.sum(mass**2), 1e-300))
    if not effective >= _LEAST_EFFECTIVE:
        why = {"why": f"the weights of {n} replicates are worth {effective:.1f}: no mean of them can be compared"}
        return Check(claim, oracle.name, "", "undecided", alpha, n, why, None, case, seed)

    def batch(s: int, m: int) -> MeanTest:
        return test_means(np.concatenate([draw(s + 104_729 * i) for i in range(max(1, m // n))]), expected)

    result = staged(batch, seed, n, alpha, deadline=deadline)
    t = result.test
    outcome = "refuted" if result.refuted else "passed" if result.decided else "undecided"
    statistic = {
        "function": "Z" if t.which == 0 else f"Z f{t.which - 1}",
        "mean / Z": t.mean,
        "should be": t.expected,
        "z": t.z,
    }
    return Check(
        claim,
        oracle.name,
        f"Z and Z f, {len(expected) - 1} functions",
        outcome,
        alpha,
        result.total,
        statistic,
        detectable(n, alpha, len(expected)),
        case,
        result.stage_seed,
    )


def _undecided(method: Method, why: str) -> Check:
    return Check(method.claim.title, "none", "", "undecided", 0.0, 0, {"why": why}, None, method.name)


def _certificate(part: str, target: Target, checks: tuple[Check, ...], model_hash: str) -> Certificate:
    return Certificate(part, target.name, checks, versions(), str(jax.devices()[0]), model_hash)
