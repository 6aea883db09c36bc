"""Inference from Python: posterior, prior, prediction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ppl.api.applied import Applied
from ppl.api.recursion import explained, without_value
from ppl.api.result import Result
from ppl.core.target import is_auxiliary

if TYPE_CHECKING:
    from ppl.compiler.passes.query import Plan
    from ppl.core.errors import MethodError
    from ppl.inference.methods.base import Method
    from ppl.inference.run import Posterior
    from ppl.runtime.progress import Listener


def infer(
    target: Applied,
    method: Method | str = "auto",
    *,
    seed: int = 0,
    key: Any = None,
    device: str = "auto",
    precision: int | None = None,
    progress: bool | Listener = False,
    checkpoint: str | PathLike[str] | None = None,
    periodic: bool = True,
    resume: str | PathLike[str] | None = None,
) -> Result:
    """The posterior of ``target`` by ``method`` (``ppl.nuts(chains=4)``, or the same as text).

    ``key`` may be given in place of ``seed``: a typed JAX key or an int. ``device``: auto, cpu or gpu; ``precision``:
    32 or 64 bits. ``checkpoint`` is written as the run goes (without ``periodic``: only if it is interrupted),
    ``resume`` continues one.

    Raises InvalidData, MethodError, NumericalError, ResourceError, Interrupted."""
    from ppl.inference.methods.parse import parse
    from ppl.inference.methods.vi import Vi
    from ppl.runtime.environment import environment
    from ppl.runtime.execution import execute
    from ppl.runtime.progress import listener, silent

    chosen = parse(method) if isinstance(method, str) else method
    show = progress if callable(progress) else listener() if progress else silent
    bound = target.bound
    with environment(device, precision) as env:
        from ppl.api.compile import posterior_target

        applied = target.at_precision(env.bits)
        if isinstance(chosen, Vi):
            from ppl.api.variational import bound as bound_for

            compiled, chosen = bound_for(applied, chosen)
        else:
            needs = chosen.needs
            compiled = posterior_target(
                applied, wants_marginals(chosen), needs.finite, chosen.proposed_by, needs.ordered
            )
        with _reasons(compiled.plan, chosen.name), explained(target.program, target.model.name):
            posterior = execute(
                compiled.target,
                chosen,
                seed=seed_of(seed if key is None else key),
                identity=_identity(target, bound.digest) if chosen.identified else None,
                progress=show,
                checkpoint=None if checkpoint is None else Path(checkpoint),
                periodic=periodic,
                resume=None if resume is None else Path(resume),
            )
    summed = tuple(
        f"`{name}` was summed out exactly, and drawn from its conditional"
        for name in compiled.plan.marginalised
        if not is_auxiliary(name)
    )
    summed += tuple(dict.fromkeys(n.text for n in compiled.plan.notes if n.kind in ("cut", "particles")))
    partly = (*_partly_drawn(posterior), *without_value(target.program, target.model.name, posterior))
    return Result(posterior, target, target.record(), notes=(*bound.notes, *summed, *partly))


_LISTED = 4  # notes of one kind


def _partly_drawn(posterior: Posterior) -> Iterator[str]:
    """Random variables that are absent, NaN, on some of the paths: a few by name, many (a recursive model) as a
    number."""
    import numpy as np

    weights = posterior.weights()
    found: list[tuple[str, float]] = []
    for name, array in posterior.draws.items():
        absent = np.isnan(array).reshape(*array.shape[:2], -1) if array.dtype.kind == "f" else np.zeros((1, 1, 1), bool)
        if absent.any() and not absent.all():
            share = float((weights * (1 - absent.mean(axis=-1))).sum())
            found.append((name, share))
    if len(found) > _LISTED:
        yield (
            f"{len(found)} random variables, such as `{found[0][0]}`, are drawn on some paths only: the "
            "statistics of each are over these"
        )
        return
    for name, share in found:
        yield f"`{name}` is drawn on some paths only, {share:.1%} of the posterior: its statistics are over these"


def prior(
    target: Applied,
    draws: int = 1000,
    *,
    seed: int = 0,
    key: Any = None,
    device: str = "auto",
    precision: int | None = None,
) -> Result:
    """Draws of all random variables, data sites included, from the joint prior; data in ``target`` are not conditioned
    on."""
    from ppl.api.simulate import simulate
    from ppl.runtime.environment import environment

    with environment(device, precision) as env:
        posterior = simulate(target.at_precision(env.bits), draws, seed_of(seed if key is None else key))
    lost = tuple(without_value(target.program, target.model.name, posterior))
    return Result(posterior, target, target.record(), kind="prior", notes=lost)


@contextmanager
def _reasons(plan: Plan, method: str) -> Iterator[None]:
    """Where a method does not fit, also say why discrete variables could not be summed out."""
    from ppl.core.errors import MethodError

    try:
        yield
    except MethodError as e:
        if any(is_auxiliary(s.name) and f"`{s.name}`" in e.message for s in plan.model.sites):
            raise _estimated(method) from None
        reasons = tuple(r.reason for r in plan.refusals)
        raise MethodError(e.message, notes=e.notes + reasons, helps=e.helps) from None


def _estimated(method: str) -> MethodError:
    """The error of a method that needs a density, where particles estimate the density."""
    from ppl.core.errors import MethodError

    return MethodError(
        f"{method} needs the density itself, and this model's is estimated from particles: it infers by sampling in "
        "its own text",
        notes=("the random numbers of the particles are variables of the model, which this method cannot move",),
        helps=(
            "run it by a method that takes estimates: --method 'importance(10000)', 'smc(10000)' or 'mh'",
            "or write `by enumerate` in the program, where the block draws finitely many values",
        ),
    )


def wants_marginals(method: Method) -> bool:
    """Whether discrete latents are to be summed out: for methods that need gradients, and for ``auto``."""
    return method.needs.gradient or method.name == "auto"


def seed_of(key: Any) -> int:
    """An int as it is; a typed JAX key as the seed that makes the same key."""
    if isinstance(key, int):
        return key
    import jax
    import numpy as np

    words = np.asarray(jax.random.key_data(key)).ravel()
    return (int(words[0]) << 32) | int(words[-1])


def _identity(target: Applied, data: str) -> dict[str, str] | None:
    """What a compiled program or a checkpoint belongs to; None where functions from Python make it unknowable."""
    if not target.identity or target.externs:
        return None
    observed = ", ".join(sorted(target.bound.data))
    text = hashlib.sha256(f"{target.identity} {target.model.name} {observed}".encode()).hexdigest()
    return {"model": text, "data": data}
