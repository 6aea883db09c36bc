"""Binding: a checked program, arguments, sizes and data make a target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ppl.compiler.emit.code import Code
from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.externs import Extern
from ppl.compiler.emit.frame import Frame
from ppl.compiler.emit.influence import influence
from ppl.compiler.emit.missing import Missing, filled, splits_events
from ppl.compiler.emit.plan import Plan
from ppl.compiler.emit.prefix import data_only
from ppl.compiler.emit.room import capacity
from ppl.compiler.emit.tagged import sum_data
from ppl.compiler.emit.target import EmittedTarget, OutputInfo
from ppl.compiler.emit.traverse import draws_in, used_functions
from ppl.compiler.emit.trust import lies_inside
from ppl.compiler.ir.nodes import (
    Block,
    Case,
    For,
    If,
    Match,
    Model,
    Output,
    Parameter,
    Plate,
    Program,
    Scan,
    Stmt,
    SumOut,
)
from ppl.compiler.ir.supports import Support
from ppl.compiler.ir.types import Sum, element
from ppl.compiler.ir.types import shape as type_shape


def bind(
    program: Program,
    model_name: str,
    args: Mapping[str, Any],
    sizes: Mapping[str, int],
    data: Mapping[str, Any],
    externs: Mapping[str, Callable[..., Any]] | None = None,
    deferred: frozenset[str] = frozenset(),
    missing: Mapping[str, np.ndarray] | None = None,
) -> EmittedTarget:
    """The target of ``model_name``, a model to which the passes have been applied.

    ``args`` and ``data`` are checked arrays (arguments may be dicts and tuples of arrays); a data site that ``data``
    lacks is drawn. ``missing[name]`` marks the absent entries of a data site; NaN in ``data`` counts as absent where
    the site allows it. ``externs`` gives the functions declared ``extern fn``; others are imported from their
    ``"module:name"``. ``deferred`` names latents that feed no data: drawn by ``complete``, unknown to inference.

    EmissionError where an extern function is neither given nor importable, or a parameter has absent entries."""
    model = program.model(model_name)
    code = Code(program, model, dict(sizes), capacity(program, model, args))
    masks = _masks(model, data, missing or {})
    arrays = {
        name: _leaf(filled(np.asarray(a), masks[name], _site(model, name)) if name in masks else a)
        for name, a in data.items()
    }
    plan = Plan(
        code,
        frozenset(arrays),
        _missing(code, masks, frozenset(arrays), deferred),
        deferred,
        _inside(model, data, masks),
    )
    given_args = {p.name: _argument(code, p, args[p.name]) for p in model.params if p.name in args and not p.is_size}
    found_externs = extern_functions(program, model, externs or {})
    complete = {name: a for name, a in arrays.items() if name not in masks}
    return EmittedTarget(
        name=model_name,
        latents=plan.latents,
        plan=plan,
        output_infos=tuple(_outputs(model)),
        args=given_args,
        data=arrays,
        externs=found_externs,
        constants=data_only(code, given_args, found_externs, complete),
    )


def _argument(code: Code, p: Parameter, value: Any) -> Any:
    kind = element(p.var.type)
    if isinstance(kind, Sum):
        return sum_data(Frame(None, code=code, sizes=code.sizes), kind, value)
    return _leaves(value)


def _leaf(value: Any) -> Any:
    """Reals in the default precision, ints and bools as such."""
    array = np.asarray(value) if not isinstance(value, jax.Array) else value
    kind = array.dtype.kind
    return jnp.asarray(array, float if kind == "f" else bool if kind == "b" else int)


def _leaves(value: Any) -> Any:
    return jax.tree.map(
        lambda x: _leaf(x) if isinstance(x, (bool, int, float, np.ndarray, np.generic, jax.Array)) else x, value
    )


def _site(model: Model, name: str) -> Any:
    return next(s for s in model.sites if s.name == name)


def _masks(model: Model, data: Mapping[str, Any], missing: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    params = {p.name for p in model.params}
    for name, mask in missing.items():
        if name in params and np.any(mask):
            raise EmissionError(
                f"{name} is a parameter of the model and has missing entries, which nothing says how to draw",
                helps=(f"declare it as a random variable: `data {name}[i]: real? ~ …`",),
            )
    masks = {name: np.asarray(mask, bool) for name, mask in missing.items() if name in data}
    for site in model.sites:
        array = data.get(site.name)
        if site.missing and array is not None and site.name not in masks and np.asarray(array).dtype.kind == "f":
            masks[site.name] = np.isnan(np.asarray(array))
    return {name: mask for name, mask in masks.items() if mask.any()}


def _inside(model: Model, data: Mapping[str, Any], masks: Mapping[str, np.ndarray]) -> frozenset[str]:
    """Data sites whose values all lie in a support that depends on nothing: their density needs no check. In that of
    each of their draws, for the site's own is the union of these."""
    arrays = {name: np.asarray(a) for name, a in data.items()}
    present = {name: a[~masks[name]] if name in masks else a for name, a in arrays.items()}
    supports: dict[str, list[Support]] = {name: [] for name in present}
    for draw in draws_in(model.body):
        if draw.site in present:
            supports[draw.site].append(draw.var.support)
    return frozenset(name for name, all_ in supports.items() if all(lies_inside(present[name], s) for s in all_))


def _missing(
    code: Code, masks: dict[str, np.ndarray], given: frozenset[str], deferred: frozenset[str]
) -> dict[str, Missing]:
    """Absent entries are latent where something that is scored reads them, or where an event is absent in part."""
    if not masks:
        return {}
    found = influence(code.model)
    relevant = found.relevant(given) | given
    read = frozenset().union(
        *found.scores.values(),
        *(reads for site, reads in found.draws.values() if site in relevant and site not in deferred),
    )
    return {
        name: Missing(mask, name in read or splits_events(code.model, name, mask, code.layout.addressed[name]))
        for name, mask in masks.items()
    }


def extern_functions(program: Program, model: Model, given: Mapping[str, Callable[..., Any]]) -> dict[str, Any]:
    """The extern functions that the model calls, directly or not."""
    code_names = {f.name for f in program.functions if f.body is None}
    needed, todo = set(), [model, *program.dists]
    bodies = {f.name: f for f in program.functions}
    seen: set[str] = set()
    while todo:
        for name in used_functions(todo.pop()) - seen:
            seen.add(name)
            if name in code_names:
                needed.add(name)
            elif name in bodies:
                todo.append(bodies[name])
    return {name: Extern.of(given[name] if name in given else _imported(bodies[name])) for name in sorted(needed)}


def _imported(function: Any) -> Callable[..., Any]:
    source = function.source or ""
    module, _, name = source.partition(":")
    if not module or not name:
        raise EmissionError(
            f"the extern function {function.name} was not given",
            function.span,
            helps=(
                f'give it from Python: externs={{"{function.name}": f}}, or declare it as extern fn … = "module:name"',
            ),
        )
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise EmissionError(
            f"the extern function {function.name} cannot be imported from {source}: {error}",
            function.span,
            helps=("check that the module is on the Python path and defines this name",),
        ) from error


def _outputs(model: Model) -> list[OutputInfo]:
    types = dict(model.outputs)
    found = [
        OutputInfo(o.name, (*axes, *_names(types.get(o.name) or getattr(o.value, "type", None), len(axes))))
        for o, axes in _find(model.body, ())
    ]
    unique = {o.name: o for o in found}
    if model.result is not None:
        unique["return"] = OutputInfo("return", _names(model.result, 0))
    return list(unique.values())


def _names(t: Any, outer: int) -> tuple[str, ...]:
    """A size that is one variable names its axis."""
    if t is None:
        return ()
    return tuple(str(n) if str(n).isidentifier() else "" for n in type_shape(t)[outer:])


def _find(node: Block | Stmt | Case, axes: tuple[str, ...]):
    match node:
        case Output():
            yield node, axes
        case Block(statements=statements):
            for s in statements:
                yield from _find(s, axes)
        case Plate() | Scan() | For():
            yield from _find(node.body, (*axes, node.axis))
        case If():
            yield from _find(node.then, axes)
            yield from _find(node.otherwise, axes)
        case Match():
            for c in node.cases:
                yield from _find(c.body, axes)
        case SumOut():
            yield from _find(node.body, axes)
