"""``ppl.validate``: the public door to certificates, for parts, for methods on models, and for compiler passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ppl.api.applied import Applied

if TYPE_CHECKING:
    from ppl.inference.validation.certificate import Certificate


def validate(
    part: Any,
    against: Any = None,
    *,
    kind: str | None = None,
    parameters: Any = None,
    exact: Any = None,
    steps: int = 5,
    seed: int = 0,
    alpha: float = 1e-9,
    n: int | None = None,
    budget: float | None = None,
) -> Certificate:
    """Tests what ``part`` claims, and says of it ``passed``, ``refuted`` or ``undecided``, with error rates.

    * A method (``ppl.nuts()``, or its text) ``against`` a model with its data: ``ppl.infer``'s two arguments. With
      ``kind="sbc"`` its draws are calibrated on simulated data, whatever it claims.
    * A pass of the compiler (``kind="pass"``, a function Program → Program): the meaning of random programs is kept;
      the smallest program whose is not is the case.
    * Anything else, by what it is or by ``kind``: kernels, resampling schemes, transformations, SMC algorithms,
      conditional sweeps, estimators, gradients, distributions. See ``ppl.inference.validation.validate``.

    ``alpha``: the probability of refuting a sound part, for each check; ``n``: draws of the first stage (programs, data
    sets); ``budget``: seconds."""
    if kind == "pass" or _is_pass(part):
        return _pass(part, n or 200, seed, budget)
    if isinstance(against, Applied):
        return _method(part, against, kind, seed, alpha, n, budget)
    from ppl.inference.validation.validate import validate as part_of_inference

    given = {} if n is None else {"n": n}
    return part_of_inference(
        part, against, kind=kind, parameters=parameters, exact=exact, steps=steps, seed=seed, alpha=alpha,
        budget=budget,
        **given,
    )  # fmt: skip


def _is_pass(part: Any) -> bool:
    from ppl.compiler.passes.base import Pass

    return isinstance(part, Pass)


def _pass(part: Callable[..., Any], n: int, seed: int, budget: float | None) -> Certificate:
    from ppl.inference.validation.certificate import Certificate
    from ppl.programs.properties import check_programs, kept_by, through

    name: str = getattr(part, "name", "") or getattr(part, "__name__", type(part).__name__)
    check = check_programs(kept_by(through(part)), "keeps the measure", n, seed, budget, name)
    return Certificate(name, "random programs", (check,))


def _method(
    method: Any, model: Applied, kind: str | None, seed: int, alpha: float, n: int | None, budget: float | None
) -> Certificate:
    from ppl.api.certificates import certificate_of

    return certificate_of(method, model, kind == "sbc", seed, alpha, n, budget)
