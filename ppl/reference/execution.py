"""The questions that one execution answers: a sample, a density, an importance weight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ppl.compiler.ir import nodes as ir
from ppl.reference.applied import AppliedModel
from ppl.reference.choices import FromPrior, FromTrace, Rejected
from ppl.reference.context import Context
from ppl.reference.errors import DomainError
from ppl.reference.run import Run
from ppl.reference.values import SumValue

Values = Mapping[str, Any] | None


class Execution(NamedTuple):
    """One run: ``trace`` the latents, ``outputs``, ``value`` what was returned, ``data`` the observables (given or
    drawn)."""

    trace: dict[str, Any]
    value: Any
    outputs: dict[str, Any]
    data: dict[str, Any]
    log_weight: float


def simulate(
    program: ir.Program, model: str, args: Values = None, data: Values = None, rng: Any = 0, externs: Any = None
) -> Execution:
    """Draws all that the data do not give. The weight is the log density of the data and the factors."""
    run, value = _run(program, model, args, data, FromPrior(np.random.default_rng(rng)), externs)
    return Execution(*finished(run, value), run.log_weight)


def generate(
    program: ir.Program,
    model: str,
    args: Values = None,
    data: Values = None,
    trace: Values = None,
    rng: Any = 0,
    externs: Any = None,
) -> Execution:
    """Fixes the latents in ``trace`` and draws the others; the weight is the log density of all that is fixed given
    what was drawn before it (−∞ where a constraint fails: the values then stop at that point)."""
    choices = FromTrace(trace or {}, FromPrior(np.random.default_rng(rng)))
    choices.stop_at_zero = False
    run, value = _run(program, model, args, data, choices, externs)
    return Execution(*finished(run, value), run.log_weight)


def density(
    program: ir.Program, model: str, args: Values = None, data: Values = None, trace: Values = None, externs: Any = None
) -> float:
    """log p(latents, data) + factors; −∞ outside the support, where a ``require`` fails, and where an argument of a
    distribution leaves its domain. ``trace``: site → whole array; sites that the program sums out are not in it."""
    context = Context(program, externs)
    applied, rest = apply(context, model, args, data)
    run = Run(context, FromTrace({name: as_value(v) for name, v in (trace or {}).items()}), rest)
    try:
        run.model(applied)
    except (Rejected, DomainError):
        return -np.inf
    return run.log_weight


def evaluate(program: ir.Program, name: str, *args: Any, externs: Any = None) -> Any:
    """Applies a function of the program."""
    return Context(program, externs).function(name)(*map(as_value, args))


def _run(program, model, args, data, choices, externs) -> tuple[Run, Any]:
    context = Context(program, externs)
    applied, rest = apply(context, model, args, data)
    run = Run(context, choices, rest)
    return run, run.model(applied)


def apply(context: Context, model: str, args: Values, data: Values) -> tuple[AppliedModel, dict[str, Any]]:
    """The model with its arguments, and the data of its sites. Sizes may stand among either, and parameters among the
    data."""
    declared = context.models[model]
    values = {name: as_value(v) for name, v in {**(args or {}), **(data or {})}.items()}
    params = {p.name for p in declared.params}
    sizes = {name: int(v) for name, v in values.items() if name in declared.sizes}
    rest = {name: v for name, v in values.items() if name not in params and name not in sizes}
    return AppliedModel(context, declared, {n: v for n, v in values.items() if n in params}, sizes, {}), rest


def as_value(value: Any) -> Any:
    """JSON-like input as a value: nested lists as arrays (null as NaN), ``{"tag": …, "args": […]}`` as a sum value."""
    if isinstance(value, dict) and "tag" in value:
        return SumValue(value["tag"], tuple(as_value(v) for v in value.get("args", ())))
    if isinstance(value, dict):
        return {name: as_value(v) for name, v in value.items()}
    if isinstance(value, list):
        array = np.array(value)
        return np.array(value, dtype=float) if array.dtype == object else array
    return np.nan if value is None else value


def finished(run: Run, value: Any) -> tuple[dict[str, Any], Any, dict[str, Any], dict[str, Any]]:
    """Trace, returned value, outputs and data of a run that has ended."""
    whole = [
        {name: elements.whole() for name, elements in sites.items()}
        for sites in (run.latents, run.outputs, run.observed)
    ]
    return whole[0], value, whole[1], whole[2]
