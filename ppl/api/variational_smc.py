"""``vi(q, objective=smc(n))``: parameters of a model and of its proposal, trained by the evidence of a particle
filter."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ppl.compiler.ir import nodes as ir
from ppl.core.errors import MethodError, UsageError

if TYPE_CHECKING:
    from ppl.api.applied import Applied
    from ppl.api.compile import Compiled
    from ppl.inference.methods.base import Method
    from ppl.inference.methods.vi import Vi


def bound(applied: Applied, method: Vi, guide: ir.Model | None) -> tuple[Compiled, Method]:
    """The target and the method. ``guide`` proposes, or, where it is None, the model itself (the bootstrap filter).
    UsageError (exit code 2), or MethodError (3) for discrete variables and models without parameters."""
    from ppl.api.compile import variational_target
    from ppl.api.proposal import with_proposal
    from ppl.api.variational import valued
    from ppl.inference.variational.particle import ParticleObjective

    particles, share, runs = _arguments(method)
    compiled = variational_target(applied, guide, marginalise=False)
    target: Any = compiled.target
    discrete = [v.name for v in target.latents if v.discrete]
    if discrete:
        raise MethodError(
            f"the objective smc follows its draws along their paths, and `{discrete[0]}` is discrete",
            helps=("write objective=elbo, or infer with --method 'smc(1000)'",),
        )
    target, own = valued(target)
    first = {"model": own, "guide": {}}
    if guide is not None:
        target = with_proposal(applied, target, guide)
        proposal, first["guide"] = valued(target.proposal)
        target = replace(target, proposal=proposal)
    if not first["model"] and not first["guide"]:
        raise MethodError(
            "the objective smc has nothing to train: neither the model nor a guide has a `param`",
            helps=("declare one: param s: pos = 1", "or infer with --method 'smc(1000)'"),
        )
    objective = ParticleObjective(target, first, _at, _named, particles, share, runs)
    note = "vi: the model is its own proposal" if guide is None else f"vi: the proposal is `{guide.name}` of the file"
    made = method.of(objective, f"smc({particles})", True, notes=(note,), settle=_at)
    return replace(compiled, target=target), made


_SIGNATURE = "smc(n: int, ess: float = 0.5), or smc(n: int, resampling=score, runs: int = 2)"


def _arguments(method: Vi) -> tuple[int, float, int]:
    """Particles, the share of effective ones below which they are resampled, and how many filters are run to know the
    score of the resampled indices (0: it is left out)."""
    call: Any = method.objective
    given: dict[str, Any] = dict(zip(("n", "ess"), call.args, strict=False)) | dict(call.keywords)
    scored = given.pop("resampling", None) is not None
    n, ess, runs = given.get("n", 0), given.get("ess", 0.5), given.get("runs", 2) if scored else 0
    fits = _whole(n, 1) and isinstance(ess, int | float) and not isinstance(ess, bool)
    fits = fits and (_whole(runs, 2) if scored else "runs" not in given) and not (scored and "ess" in given)
    if not fits or len(call.args) > 2 or set(given) - {"n", "ess", "runs"} or not _named_score(call):
        raise UsageError(f"the objective {call.expression()} is not one", notes=(f"signature: {_SIGNATURE}",))
    if method.batch is not None:
        raise UsageError("`batch` does not go with the objective smc", helps=("leave `batch` out",))
    return n, float(ess), runs


def _whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _named_score(call: Any) -> bool:
    """Whether ``resampling``, where it is given, is the word ``score``."""
    word = dict(call.keywords).get("resampling")
    return word is None or getattr(word, "name", word) == "score"


def _at(target: Any, params: Any) -> Any:
    from ppl.api.variational import with_values

    found = with_values(target, params["model"])
    if target.proposal is None:
        return found
    return replace(found, proposal=with_values(target.proposal, params["guide"]))


def _named(target: Any, params: Any) -> dict[str, Any]:
    from ppl.compiler.emit.estimate import parameters

    found = dict(parameters.constrained(target.plan.code.model, params["model"]))
    if target.proposal is not None:
        found |= parameters.constrained(target.proposal.plan.code.model, params["guide"])
    return found
