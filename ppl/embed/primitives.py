"""The statements of a model as JAX primitives: tracing a Python function records them between its ordinary
equations."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching

from ppl.core.distributions.make import make
from ppl.core.errors import UsageError
from ppl.embed.distributions import Operand, Structure

sample_p = Primitive("ppl_sample")  # operands of a distribution -> value; params: structure, site, role
observe_p = Primitive("ppl_observe")  # value, *operands -> value
factor_p = Primitive("ppl_factor")  # weight -> weight
require_p = Primitive("ppl_require")  # condition -> condition
output_p = Primitive("ppl_output")  # value -> value; params: name
param_p = Primitive("ppl_param")  # initial value -> value; params: name, support
plate_p = Primitive("ppl_plate")  # *constants, *mapped -> stacked results; params: jaxpr, name, length, mapped
scan_p = Primitive("ppl_scan")  # *constants, *carry, *mapped -> *carry, *stacked
for _p in (plate_p, scan_p):
    _p.multiple_results = True

EFFECTS = {sample_p, observe_p, factor_p, require_p, output_p, param_p, plate_p, scan_p}

_tracing: ContextVar[bool] = ContextVar("tracing", default=False)
_prefix: ContextVar[str] = ContextVar("prefix", default="")


@contextmanager
def inside(name: str):
    """Names within get the prefix ``name.``: the variables of a submodel."""
    token = _prefix.set(f"{_prefix.get()}{name}.")
    try:
        yield
    finally:
        _prefix.reset(token)


@contextmanager
def trace():
    """Within it, a model is being traced: models that are called become submodels."""
    token = _tracing.set(True)
    try:
        yield
    finally:
        _tracing.reset(token)


def tracing() -> bool:
    return _tracing.get()


def full_name(name: str) -> str:
    if not isinstance(name, str) or not name:
        raise TypeError(f"a random variable needs a name: the first argument is {name!r}")
    return _prefix.get() + name


def built(structure: Structure, operands: tuple[Any, ...]) -> Any:
    """The distribution itself."""

    def go(value: Any) -> Any:
        match value:
            case Structure():
                return make(value.name, {n: go(v) for n, v in value.args})
            case tuple():
                return tuple(go(v) for v in value)
            case Operand():
                return operands[value.position]
            case _:
                return value

    return go(structure)


def value_shape(structure: Structure, operands: tuple[Any, ...]) -> jax.ShapeDtypeStruct:
    """Shape and dtype of a draw."""
    if structure.signature.improper:
        return jax.ShapeDtypeStruct((), jnp.result_type(float))
    shapes = [jax.ShapeDtypeStruct(a.shape, a.dtype) for a in operands]
    return jax.eval_shape(lambda *a: jnp.asarray(built(structure, a).sample(jax.random.key(0))), *shapes)


@sample_p.def_abstract_eval
def _sample(*operands: ShapedArray, structure: Structure, site: str, role: str) -> ShapedArray:
    drawn = value_shape(structure, operands)
    return ShapedArray(drawn.shape, drawn.dtype)


@observe_p.def_abstract_eval
def _observe(value: ShapedArray, *operands: ShapedArray, structure: Structure) -> ShapedArray:
    return value


@factor_p.def_abstract_eval
@require_p.def_abstract_eval
def _same(value: ShapedArray) -> ShapedArray:
    return value


@output_p.def_abstract_eval
def _output(value: ShapedArray, *, name: str) -> ShapedArray:
    return value


@param_p.def_abstract_eval
def _param(value: ShapedArray, *, name: str, support: str) -> ShapedArray:
    return value


@plate_p.def_abstract_eval
def _plate(*args: ShapedArray, jaxpr: Any, name: str, length: int, mapped: int) -> list[ShapedArray]:
    return [ShapedArray((length, *a.shape), a.dtype) for a in jaxpr.out_avals]


@scan_p.def_abstract_eval
def _scan(*args: ShapedArray, jaxpr: Any, name: str, length: int, mapped: int, carried: int) -> list[ShapedArray]:
    outs = jaxpr.out_avals
    return list(outs[:carried]) + [ShapedArray((length, *a.shape), a.dtype) for a in outs[carried:]]


def _outside(primitive: Primitive) -> None:
    word = primitive.name.removeprefix("ppl_")

    def impl(*_: Any, **__: Any) -> Any:
        raise UsageError(
            f"ppl.{word} was called outside of a model", helps=("call it in a function decorated with @ppl.model",)
        )

    def transformed(*_: Any, **__: Any) -> Any:
        raise NotImplementedError(
            f"ppl.{word} stands inside jax.vmap or jax.grad: iterate with ppl.plate or ppl.scan instead"
        )

    primitive.def_impl(impl)
    batching.primitive_batchers[primitive] = transformed
    ad.primitive_jvps[primitive] = transformed


for _p in EFFECTS:
    _outside(_p)
