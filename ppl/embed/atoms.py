"""Values of a JAX trace as atoms, types and functions of the IR."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.extend import core

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as T
from ppl.compiler.ir.sizes import Size


@dataclass
class Names:
    """Unique ids, readable where the name is free."""

    taken: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)

    def fresh(self, name: str) -> str:
        candidate = name
        while candidate in self.taken:
            self.counts[name] = self.counts.get(name, 1) + 1
            candidate = f"{name}_{self.counts[name]}"
        self.taken.add(candidate)
        return candidate


def scalar_of(dtype: Any) -> T.Type:
    kind = np.dtype(dtype).kind
    if kind not in "fiub":
        raise TypeError(f"a model computes with reals, integers and bools, not with {dtype}")
    return {"f": T.REAL, "b": T.BOOL}.get(kind, T.INT)


def type_of(aval: Any) -> T.Type:
    return T.array(scalar_of(aval.dtype), *(Size.const(int(n)) for n in aval.shape))


def literal(v: Any) -> ir.Lit:
    """A constant of the trace: JAX keeps only scalars there."""
    return ir.Lit(np.asarray(v.val).item(), scalar_of(v.aval.dtype))


def function_of(equations: list[Any], inputs: list[Any], result: Any) -> Callable[..., Any]:
    """The JAX function that these equations compute, for arguments of the dtypes of the trace (converted to them)."""
    jaxpr = core.Jaxpr(constvars=(), invars=inputs, outvars=[result], eqns=equations)
    run = core.jaxpr_as_fun(core.ClosedJaxpr(jaxpr, ()))
    dtypes = [i.aval.dtype for i in inputs]

    def call(*values: Any) -> Any:
        return run(*(jnp.asarray(v, d) for v, d in zip(values, dtypes, strict=True)))[0]

    return call
