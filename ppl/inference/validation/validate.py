"""``validate``: a certificate for any part, by what the part is."""

from __future__ import annotations

import importlib.metadata
from typing import Any

import jax
import numpy as np

from ppl.core.errors import UsageError
from ppl.inference.kernels.base import Kernel
from ppl.inference.kernels.involutive import Involutive
from ppl.inference.representations import Representation
from ppl.inference.transformations import Transformation
from ppl.inference.validation import reference_models
from ppl.inference.validation.certificate import Certificate, Check
from ppl.inference.validation.checks.distribution import check_distribution
from ppl.inference.validation.checks.gradient import check_gradient
from ppl.inference.validation.checks.involution import check_involution
from ppl.inference.validation.checks.kernel import ExactTarget, check_kernel, check_rank
from ppl.inference.validation.checks.particles import check_conditional, check_scheme, check_transformation
from ppl.inference.validation.checks.weighted import KnownMeasure, check_weighted


def validate(
    part: Any,
    against: ExactTarget | KnownMeasure | None = None,
    *,
    kind: str | None = None,
    parameters: Any = None,
    exact: Any = None,
    seed: int = 0,
    alpha: float = 1e-9,
    n: int = 20_000,
    budget: float | None = None,
) -> Certificate:
    """Tests what ``part`` claims.

    ============================================  ======================================================================
    part                                          what is tested
    ============================================  ======================================================================
    a ``Kernel``                                  invariance, reversibility, mobility from exact draws of ``against`` (``ExactTarget``;
                                                  without it on N(0, 1))
    a ``Representation``                          proper weighting for ``against`` (``KnownMeasure``)
    a ``Transformation``                          that it keeps the measure of weighted populations in mean
    a distribution (``sample``, ``log_prob``)     total mass, and the sampler against the density
    ``kind="scheme"``: (key, log_weights, n)      offspring, and SMC with the scheme
    ``kind="gradient"``: (key, parameters)        unbiasedness for the gradient ``exact`` at ``parameters``
    ``kind="value"``: (key, parameters)           unbiasedness for the value ``exact``
    ``kind="estimator"``: key → realisation       proper weighting for ``against``
    ``kind="sweep"``: (key, model, n, path)       invariance of a conditional SMC sweep
    ============================================  ======================================================================

    ``alpha``: the probability, in (0, 1), of refuting a sound part, for each check; ``n``: draws in the first stage;
    ``budget``: seconds after which checks that are not decided stop as undecided."""
    if not 0.0 < alpha < 1.0:
        raise UsageError(f"alpha must lie strictly between 0 and 1, got {alpha}", helps=("try alpha=1e-6",))
    common = {"seed": seed, "alpha": alpha, "n": n}
    timed = {**common, "budget": budget}
    checks: tuple[Check, ...]
    model = getattr(against, "name", "")
    if isinstance(part, Kernel):
        target = against or reference_models.standard_normal()
        model = target.name
        checks = check_kernel(part, target, **timed)
        if isinstance(part, Involutive):
            checks += check_involution(part, target, seed)
        if part.reversible:
            checks += (check_rank(part, target, seed, alpha, max(1_000, n // 5)),)
    elif isinstance(part, Representation):
        checks = (check_weighted(part, _measure(against), **timed),)
    elif isinstance(part, Transformation):
        checks, model = check_transformation(part, **common), "weighted populations"
    elif kind == "scheme":
        checks, model = check_scheme(part, _name(part), **common), "weights, and a two-state chain"
    elif kind in ("gradient", "value"):
        claim = "unbiased gradient" if kind == "gradient" else "unbiased value"
        checks = (check_gradient(part, parameters, exact, **timed, case=_name(part), claim=claim),)
    elif kind == "estimator":
        checks = (check_weighted(part, _measure(against), **timed, case=_name(part)),)
    elif kind == "sweep":
        checks, model = (check_conditional(part, **common, name=_name(part)),), "two-state chain, T = 4"
    elif hasattr(part, "log_prob") and hasattr(part, "sample"):
        checks = check_distribution(part, **timed)
    else:
        raise UsageError(
            f"it cannot be seen what claim a {type(part).__name__} makes",
            helps=("say it: kind='scheme', 'gradient', 'value', 'estimator' or 'sweep'", "wrap a step function: FunctionKernel(step)"),
        )
    return Certificate(_name(part), model, checks, versions(), str(jax.devices()[0]))


def _measure(against: Any) -> KnownMeasure:
    if not isinstance(against, KnownMeasure):
        raise UsageError(
            "proper weighting is tested against a known measure",
            helps=("pass KnownMeasure(name, log_evidence, functions, expected)",),
        )
    return against


def _name(part: Any) -> str:
    name = getattr(part, "name", None) or getattr(part, "__name__", None)
    return name if isinstance(name, str) else type(part).__name__


def versions() -> dict[str, str]:
    found = {p: importlib.metadata.version(p) for p in ("jax", "numpyro", "blackjax")}
    return {**found, "numpy": np.__version__}


