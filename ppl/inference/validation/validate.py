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
from ppl.inference.validation.chains import ExactTarget, FiniteTarget, name_of
from ppl.inference.validation.checks.calibration import Joint, check_calibration
from ppl.inference.validation.checks.distribution import check_distribution
from ppl.inference.validation.checks.filters import check_filter
from ppl.inference.validation.checks.finite import check_finite
from ppl.inference.validation.checks.gradient import check_gradient
from ppl.inference.validation.checks.involution import check_involution
from ppl.inference.validation.checks.kernel import check_kernel, check_rank
from ppl.inference.validation.checks.particles import check_conditional, check_scheme
from ppl.inference.validation.checks.transformations import FunctionTransformation, check_transformation
from ppl.inference.validation.checks.weighted import KnownMeasure, check_weighted

KINDS = {
    "kernel": "(key, state, log_density) → state, or an object with init and step; against an ExactTarget or a "
    "FiniteTarget",
    "scheme": "(key, log_weights, n) → ancestors",
    "transformation": "(key, particles) → particles",
    "smc": "(key, target, n) → particles, for a suspended target",
    "sweep": "(key, target, n, path) → path, a conditional SMC",
    "estimator": "key → particles or weighted value; against a KnownMeasure",
    "gradient": "(key, parameters) → gradient; parameters=, exact=",
    "value": "(key, parameters) → value; parameters=, exact=",
    "sbc": "(key, y) → posterior draws; against a Joint",
    "distribution": "an object with sample and log_prob",
}
"""What can be validated, and how it must be callable."""


def validate(
    part: Any,
    against: ExactTarget | FiniteTarget | KnownMeasure | Joint | None = None,
    *,
    kind: str | None = None,
    parameters: Any = None,
    exact: Any = None,
    steps: int = 5,
    seed: int = 0,
    alpha: float = 1e-9,
    n: int = 20_000,
    budget: float | None = None,
) -> Certificate:
    """Tests what ``part`` claims. ``kind`` says what it is where that cannot be seen (``KINDS``):

    ============================================  ======================================================================
    part                                          what is tested
    ============================================  ======================================================================
    a ``Kernel``, a BlackJAX algorithm, a         invariance after one and after ``steps`` transitions from exact
    draws of
    function (key, state, log_density)            ``against`` (N(0, 1) if not given), mobility; reversibility and
    ranks where
                                                  it says that it is reversible; on a ``FiniteTarget`` the whole matrix
    a ``Representation``, ``kind="estimator"``    proper weighting for ``against`` (``KnownMeasure``)
    a ``Transformation``                          that it keeps the measure in mean, and particles independent
    a distribution (``sample``, ``log_prob``)     total mass, and the sampler against the density
    ``kind="scheme"``                             offspring, and SMC with the scheme
    ``kind="smc"``                                proper weighting over paths, with few particles, and with deaths
    ``kind="sweep"``                              invariance of a conditional SMC sweep
    ``kind="gradient"``, ``"value"``              unbiasedness for ``exact`` at ``parameters``
    ``kind="sbc"``                                simulation-based calibration against a ``Joint``
    ============================================  ======================================================================

    ``alpha``: the probability, in (0, 1), of refuting a sound part, for each check; ``n``: draws in the first stage;
    ``budget``: seconds after which checks that are not decided stop as undecided. Raises UsageError for a part of no
    known kind."""
    if not 0.0 < alpha < 1.0:
        raise UsageError(f"alpha must lie strictly between 0 and 1, got {alpha}", helps=("try alpha=1e-6",))
    kind = kind or _kind_of(part, against)
    name, model = name_of(part), getattr(against, "name", "")
    common: dict[str, Any] = {"seed": seed, "alpha": alpha, "n": n}
    timed: dict[str, Any] = {**common, "budget": budget}
    checks: tuple[Check, ...]
    match kind:
        case "kernel":
            checks, model = _kernel(part, against or reference_models.standard_normal(), steps, timed)
        case "estimator":
            checks = (check_weighted(part, _measure(against), **timed, case=name),)
        case "transformation":
            transformation = part if isinstance(part, Transformation) else FunctionTransformation(part, name)
            checks, model = check_transformation(transformation, **timed), "reference programs"
        case "scheme":
            checks, model = check_scheme(part, name, **common), "weights, and a two-state chain"
        case "smc":
            checks, model = check_filter(part, **common, name=name), "paths of a two-state chain, T = 4"
        case "sweep":
            checks = tuple(check_conditional(part, **common, name=name, particles=k) for k in (2, 3))
            model = "two-state chain, T = 4"
        case "gradient" | "value":
            if exact is None:
                raise UsageError(
                    f"an unbiased {kind} is tested against the exact one", helps=("pass parameters=… and exact=…",)
                )
            checks = (check_gradient(part, parameters, exact, **timed, case=name, claim=f"unbiased {kind}"),)
        case "sbc":
            if not isinstance(against, Joint):
                raise UsageError(
                    "calibration is tested against a joint law", helps=("pass Joint(name, simulate, log_likelihood)",)
                )
            checks = (check_calibration(part, against, **{**timed, "n": max(100, n // 20)}, case=name),)
        case "distribution":
            checks = check_distribution(part, **timed)
        case _:
            raise UsageError(
                f"it cannot be seen what claim a {type(part).__name__} makes"
                if kind == ""
                else f"there is no kind {kind!r}",
                helps=tuple(f"kind={k!r}: {what}" for k, what in KINDS.items()),
            )
    return Certificate(name, model, checks, versions(), str(jax.devices()[0]))


def _kind_of(part: Any, against: Any) -> str:
    if hasattr(part, "log_prob") and hasattr(part, "sample"):
        return "distribution"
    if isinstance(part, Transformation):
        return "transformation"
    if isinstance(part, Representation) or isinstance(against, KnownMeasure):
        return "estimator"
    if isinstance(against, Joint):
        return "sbc"
    stepping = callable(getattr(part, "init", None)) and callable(getattr(part, "step", None))
    return "kernel" if isinstance(part, Kernel) or isinstance(against, ExactTarget | FiniteTarget) or stepping else ""


def _kernel(part: Any, target: Any, steps: int, timed: dict[str, Any]) -> tuple[tuple[Check, ...], str]:
    checks: tuple[Check, ...] = ()
    finite = isinstance(target, FiniteTarget)
    if finite:
        checks += check_finite(part, target, timed["seed"])
    exact = target.exact() if finite else target
    checks += check_kernel(part, exact, steps=steps, **timed)
    if isinstance(part, Involutive):
        checks += check_involution(part, exact, timed["seed"])
    if getattr(part, "reversible", False):
        checks += (check_rank(part, exact, timed["seed"], timed["alpha"], max(1_000, timed["n"] // 5)),)
    return checks, target.name


def _measure(against: Any) -> KnownMeasure:
    if not isinstance(against, KnownMeasure):
        raise UsageError(
            "proper weighting is tested against a known measure",
            helps=("pass KnownMeasure(name, log_evidence, functions, expected)",),
        )
    return against


def versions() -> dict[str, str]:
    found = {p: importlib.metadata.version(p) for p in ("jax", "numpyro", "blackjax")}
    return {**found, "numpy": np.__version__}
