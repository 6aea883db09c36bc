"""Objectives: exact values, by enumeration of the guide's draws, and gradients by central differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ppl.compiler.ir import types
from ppl.reference.applied import AppliedModel
from ppl.reference.choices import FromTrace
from ppl.reference.context import Context
from ppl.reference.execution import apply
from ppl.reference.quadrature import quadrature_options
from ppl.reference.run import Run


def objective(
    program,
    name: str,
    model: str = "",
    guide: str = "",
    data: Mapping[str, Any] | None = None,
    args: Mapping[str, Any] | None = None,
    params: Mapping[str, float] | None = None,
    nodes: int = 400,
) -> float:
    """The value of an objective of the program for ``model`` given ``data`` and ``guide`` with its ``params``; ``args``
    are its other arguments. Continuous draws of the guide stand on ``nodes`` quadrature nodes."""
    context = Context(program, options=quadrature_options(nodes))
    declared = context.models[name]
    values: dict[str, Any] = dict(args or {})
    for p in declared.params:
        if isinstance(p.var.type, types.Target):
            applied, rest = apply(context, model, None, data)
            values[p.name] = applied.conditioned(rest)
        elif isinstance(p.var.type, types.Guide):
            values[p.name] = apply(context, guide, None, data)[0]
    run = Run(context, FromTrace({}), {}, params)
    return float(run.model(AppliedModel(context, declared, values, {}, {})))


def objective_gradient(program, name: str, wrt: Sequence[str], params: Mapping[str, float], **more: Any) -> np.ndarray:
    """∂/∂params, by central differences with one Richardson step (error about 1e-10)."""

    def along(key: str, h: float) -> float:
        high, low = ({**params, key: params[key] + s * h} for s in (1, -1))
        return (objective(program, name, params=high, **more) - objective(program, name, params=low, **more)) / (2 * h)

    return np.array([(4 * along(key, 5e-3) - along(key, 1e-2)) / 3 for key in wrt])
