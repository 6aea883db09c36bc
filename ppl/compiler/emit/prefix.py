"""Values that depend on arguments and data alone: computed once, when the data are bound."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from ppl.compiler.emit import operations
from ppl.compiler.emit.code import Code, bind_parameters
from ppl.compiler.emit.evaluate import PURE
from ppl.compiler.emit.frame import NOTHING, Frame
from ppl.compiler.ir.nodes import Assemble, Call, Draw, IndexOp, Let, Level, Map, Prim, Stmt, Var
from ppl.compiler.ir.types import Array
from ppl.compiler.ir.walk import free
from ppl.core.target import Trace
from ppl.core.undefined import has_undefined


def data_only(code: Code, args: dict[str, Any], externs: dict[str, Any], data: Trace) -> dict[str, Any]:
    """Variable -> value, for the statements at the top of the model that do real work on data and need no random
    variable.

    One compiled call; none where there is no such statement."""
    if not any(_is_work(s) for s in code.model.body.statements):
        return {}

    def compute(args: dict[str, Any], externs: dict[str, Any], data: Trace) -> dict[str, Any]:
        frame = Frame(code.global_frame(externs), whole=data)
        bind_parameters(frame, code.model.params, args)
        found = run_known(frame, code.model.body.statements, data)
        return {s.var.id: v for s, v in found if _is_work(s) and _is_arrays(v)}

    values: dict[str, Any] = jax.jit(compute)(args, externs, data)
    return jax.tree.map(jnp.asarray, values)


def run_known(frame: Frame, statements: tuple[Stmt, ...], data: Trace) -> list[tuple[Let, Any]]:
    """Defines in ``frame`` what follows from what it holds and from whole data sites; gives the statements so run."""
    found = []
    for s in statements:
        if isinstance(s, Draw) and s.site in data and not s.affine:
            frame.define(s.var, data[s.site])
        elif isinstance(s, Let) and s.var.id not in frame.values and _is_known(frame, s):
            before = len(frame.weights)
            value = operations.apply(PURE, frame, s)
            if has_undefined(value):
                continue
            frame.define(s.var, value)
            if len(frame.weights) == before or _says_faults(value):
                found.append((s, value))
    return found


def _says_faults(value: Any) -> bool:
    """Whether a recursion without a value shows in it, as NaN; a fault of others counts where they are computed."""
    return all(jnp.issubdtype(jnp.result_type(x), jnp.inexact) for x in jax.tree.leaves(value))


def _is_arrays(value: Any) -> bool:
    return all(isinstance(x, jax.Array) for x in jax.tree.leaves(value))


def _is_work(s: Any) -> bool:
    """A computation on arrays; naming and arithmetic on scalars cost nothing where they stand."""
    if not isinstance(s, Let) or s.var.level > Level.DATA or not isinstance(s.op, (Prim, Call, Map, IndexOp)):
        return False
    if isinstance(s.op, Prim) and (s.op.name == "copy" or not any(isinstance(a, Var) for a in s.op.args)):
        return False
    inputs = s.op.args if isinstance(s.op, (Prim, Call)) else ()
    return isinstance(s.var.type, Array) or any(isinstance(getattr(a, "type", None), Array) for a in inputs)


def _is_known(frame: Frame, s: Let) -> bool:
    if isinstance(s.op, Assemble) and s.op.site in frame.whole:
        return True
    return all(frame.lookup(name) is not NOTHING for name in free(s.op) - frame.sizes.keys())
