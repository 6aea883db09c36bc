"""From the parameters of the method ``vi`` to a program: guide, objective, optimiser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ppl.core.errors import UsageError
from ppl.core.objective import GuideProgram, ObjectiveProgram
from ppl.core.target import Target
from ppl.inference.adapters.optax import OPTIMISERS, is_transformation
from ppl.inference.variational import guides
from ppl.inference.variational.calls import apply
from ppl.inference.variational.estimates import ESTIMATES, LOWER_BOUNDS, PythonObjective
from ppl.inference.variational.fit import VariationalFit
from ppl.inference.variational.start import AtMode, Near

if TYPE_CHECKING:
    from ppl.inference.methods.vi import Vi


def built(target: Target, method: Vi) -> VariationalFit:
    """The fit of an objective that needs no program text."""
    guide, why = guide_of(target, method)
    estimate, name, lower = _estimate(method.objective)
    notes = (f"vi: {why}",) if why else ()
    return fit(target, PythonObjective(target, guide, estimate), method, name, lower, notes=notes)


def fit(target: Target, objective: ObjectiveProgram, method: Vi, name: str, lower: bool, **more: Any) -> VariationalFit:
    """``more``: notes, particles, weight."""
    return VariationalFit(target, objective, _optimiser(method), method, name, lower, **more)


def _optimiser(method: Vi) -> Any:
    given = method.optimiser
    if getattr(given, "name", None) == "auto":
        # The parameters of a network act on each other: long steps spoil them.
        return OPTIMISERS["adam"](0.01 if getattr(method.guide, "name", None) == "flow" else 0.05)
    if is_transformation(given):
        return given
    if not hasattr(given, "keywords"):
        raise UsageError(
            f"`optimiser` of vi is {type(given).__name__}, and must be an Optax transformation or a name",
            helps=("optimiser=adam(0.01)", "from Python: optimiser=optax.adam(0.01)"),
        )
    return apply("optimiser", OPTIMISERS, given)


def guide_of(target: Target, method: Vi) -> tuple[GuideProgram, str]:
    """The guide, and why it was chosen ("" where it was asked for)."""
    if isinstance(method.guide, GuideProgram):
        return method.guide, ""
    if not hasattr(method.guide, "keywords"):
        raise UsageError(
            f"`guide` of vi is {type(method.guide).__name__}, and must be a name or a GuideProgram",
            helps=("guide=mean_field", "subclass ppl.core.objective.GuideProgram: initial, sim, log_density"),
        )
    return guides.guide(target, AtMode() if method.start == "laplace" else Near(), method.guide)


def _estimate(given: Any) -> tuple[Any, str, bool]:
    """The estimate, its name, and whether it bounds the evidence from below."""
    if callable(given):
        return given, getattr(given, "__name__", type(given).__name__), False
    require_objective(given)
    return apply("objective", ESTIMATES, given), label(given), given.name in LOWER_BOUNDS


def require_objective(given: Any) -> None:
    """UsageError for what is neither a name nor a function."""
    if not callable(given) and not hasattr(given, "keywords"):
        raise UsageError(
            f"`objective` of vi is {type(given).__name__}, and must be a name or a function",
            helps=("objective=elbo", "from Python: a function of (target, guide, params, key)"),
        )


def label(call: Any) -> str:
    """An objective as a method's expression names it."""
    return call.expression() if call.args or call.keywords else call.name
