"""Learnable parameters: their initial values, and the map from R^k to where they live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array

from ppl.compiler.emit import operations
from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.evaluate import PURE
from ppl.compiler.emit.frame import Frame
from ppl.compiler.emit.target import EmittedTarget
from ppl.compiler.emit.traverse import used_variables
from ppl.compiler.emit.userdist import constraint
from ppl.compiler.ir.nodes import Let, Model, ParamStmt, Var
from ppl.compiler.ir.types import shape
from ppl.compiler.ir.walk import definitions
from ppl.core.bijections import bijector


def declared(model: Model) -> list[ParamStmt]:
    """The checker allows them at the top of a body only."""
    return [s for s in model.body.statements if isinstance(s, ParamStmt)]


def initial(model: Model, frame: Frame) -> dict[str, Array]:
    """The initial values, in R^k. They may be computed from arguments, data and earlier parameters."""
    found: dict[str, Array] = {}
    unknown: set[str] = set()
    inner = Frame(frame)
    for s in model.body.statements:
        if isinstance(s, ParamStmt):
            if isinstance(s.init, Var) and s.init.id in unknown:
                raise EmissionError(
                    f"the initial value of `{s.site}` depends on a random variable",
                    s.span,
                    helps=("start from a constant, or from what the data say",),
                )
            sizes = tuple(inner.size(n) for n in shape(s.var.type))
            value = jnp.broadcast_to(jnp.asarray(inner.read(s.init), float), sizes)
            found[s.site] = bijector(constraint(s.var.support)).inverse(value)
            inner.define(s.var, value)
        elif isinstance(s, Let) and not used_variables(s.op) & unknown:
            if inner.lookup(s.var.id, gated=False) is not None and s.var.id in frame.values:
                continue
            inner.define(s.var, operations.apply(PURE, inner, s))
        else:
            unknown |= {v.id for v in definitions(s)}
    return found


def constrained(model: Model, free: Mapping[str, Any]) -> dict[str, Array]:
    """The values in their own spaces."""
    return {s.site: bijector(constraint(s.var.support)).forward(free[s.site])[0] for s in declared(model)}


def trained(target: EmittedTarget, params: Mapping[str, Array]) -> EmittedTarget:
    """The target with its learnable parameters (by name, in their own spaces) fixed."""
    values = {s.var.id: params[s.site] for s in declared(target.plan.code.model)}
    return replace(target, constants={**target.constants, **values})
