"""A certificate of a method on a model with its data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ppl.api.inference import wants_marginals
from ppl.api.parts import environment

if TYPE_CHECKING:
    from ppl.api.applied import Applied
    from ppl.core.target import Target
    from ppl.inference.methods.base import Method
    from ppl.inference.validation.certificate import Certificate


def silent(_: str) -> None:
    """Hears nothing."""


def certificate_of(
    method: Any,
    model: Applied,
    calibrate: bool = False,
    seed: int = 0,
    alpha: float = 1e-9,
    n: int | None = None,
    budget: float | None = None,
    listener: Any = silent,
) -> Certificate:
    """What ``method`` (or its text) claims; with ``calibrate`` also its calibration on simulated data, which looks at
    whole runs and at methods that claim nothing."""
    from ppl.inference.methods.parse import parse
    from ppl.inference.validation.models.certify import certify

    chosen = parse(method) if isinstance(method, str) else method
    with environment() as env:
        target, chosen = _bound(model.at_precision(env.bits), chosen)
        resolved, _ = chosen.resolve(target)
        return certify(
            target,
            resolved,
            seed=seed,
            alpha=alpha,
            budget=budget,
            n=n,
            calibrate=calibrate,
            model_hash=model.identity,
            listener=listener,
        )


def _bound(model: Applied, method: Method) -> tuple[Target, Method]:
    """The target that ``ppl.infer`` would make for the method."""
    from ppl.api.compile import posterior_target
    from ppl.inference.methods.vi import Vi

    if isinstance(method, Vi):
        from ppl.api.variational import bound

        made, method = bound(model, method)
        return made.target, method
    needs = method.needs
    made = posterior_target(model, wants_marginals(method), needs.finite, method.proposed_by, needs.ordered)
    return made.target, method
