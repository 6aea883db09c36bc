"""Compiled models as parts for compositions: the target, and its suspended form."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from ppl.api.applied import Applied

if TYPE_CHECKING:
    from ppl.core.target import Target
    from ppl.inference.representations import Sequential
    from ppl.runtime.environment import Environment


def compiled(
    target: Applied, marginalise: bool = False, proposal: str | None = None, interleave: bool = False
) -> Target:
    """The density that inference works on (``ppl.core.target.Target``): ``log_density``, ``generate``, ``constrain``,
    ….

    ``marginalise``: discrete variables are summed out where that is possible. ``proposal``: a guide of the same file,
    from which the suspended form draws. ``interleave``: chains and their observations come to stand in one loop, as
    particle methods want them. Make and use it inside ``environment()``."""
    from ppl.api.compile import posterior_target
    from ppl.runtime.precision import current_bits

    return posterior_target(target.at_precision(current_bits()), marginalise, False, proposal, interleave).target


def suspend(target: Applied, proposal: str | None = None) -> Sequential:
    """The model cut at its observations, as a representation of shape Sequential[Weighted], ready for ``spawn``,
    ``resample`` and the like. ``proposal``: a guide that proposes what the model draws. MethodError (exit code 3) for a
    model that observes nothing."""
    from ppl.inference.representations import suspend as as_representation

    return as_representation(compiled(target, proposal=proposal, interleave=True).suspend())


def environment(device: str = "auto", bits: int | None = None) -> AbstractContextManager[Environment]:
    """``with ppl.environment():`` sets device and precision (64 bits on a CPU, 32 on an accelerator) for what stands
    within."""
    from ppl.runtime.environment import environment as run_environment

    return run_environment(device, bits)
