"""Matches data to the parameters and data sites of a model: names, types, sizes, supports, all findings in one
report."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as T
from ppl.compiler.ir.sizes import Size
from ppl.runtime.data.convert import Converted, Report, convert
from ppl.runtime.data.numbers import Misfit, number
from ppl.runtime.data.problems import DataProblem, Problems
from ppl.runtime.data.raw import Raw
from ppl.runtime.data.sizes import Equation, Solver
from ppl.runtime.data.suggest import suggest
from ppl.runtime.data.supports import check_support
from ppl.runtime.data.tensor import describe
from ppl.runtime.data.wants import Want, assemble, split, wants


@dataclass(frozen=True)
class Bound:
    """Checked data. ``args`` the parameters that were given (arrays; dicts and tuples of them), ``sizes`` a value for
    every size variable, ``data`` the given data sites as whole arrays, ``missing`` for each name declared ``T?`` that
    has absent entries a mask of them (the array holds 0 there). ``digest`` is a SHA-256 of all values."""

    args: dict[str, Any]
    sizes: dict[str, int]
    data: dict[str, np.ndarray]
    missing: dict[str, np.ndarray]
    notes: tuple[str, ...] = ()
    warnings: tuple[DataProblem, ...] = ()
    digest: str = ""


def bind_data(model: ir.Model, raws: Mapping[str, Raw], sums: Iterable[ir.SumInfo] = ()) -> Bound:
    """Check ``raws`` against ``model``; raises ``InvalidData`` with every problem if there is an error."""
    problems = Problems()
    raws = _flatten(raws, model)
    wanted = wants(model)
    solver = Solver()
    _missing_parameters(model, raws, problems)
    converted: dict[str, Converted] = {}
    parts: dict[str, Any] = {}
    equations = _given_sizes(model, raws, solver, problems)
    for want in wanted:
        if want.name not in raws:
            continue
        tree = split(want, raws[want.name], tuple(sums), problems)
        parts[want.name] = tree
        for leaf in tree.leaves if tree is not None else ():
            levels = _levels(raws, want.name, problems)
            value = convert(leaf.raw, leaf.element, problems, levels)
            if value is None:
                continue
            if levels is not None and isinstance(leaf.element, T.IndexType):
                equations.append(_equation(leaf.element.size, len(levels), "the number of levels", leaf.raw))
            shaped = _shape_equations(leaf.raw, leaf.shape, value, equations, problems)
            if shaped:
                converted[leaf.raw.name] = value
    solver.solve(equations, problems)
    if _default_sizes(model, solver) and not problems.errors:
        solver.solve(equations, problems)
    _unsolved(model, raws, solver, problems)
    solver.check(model.size_checks, problems)
    for want in wanted:
        tree = parts.get(want.name)
        for leaf in tree.leaves if tree is not None else ():
            if leaf.raw.name in converted:
                _check_values(want, leaf, converted[leaf.raw.name], solver.values, problems)
    _unused(model, wanted, raws, problems)
    problems.check()
    return _bound(model, wanted, parts, converted, solver, problems)


def _flatten(raws: Mapping[str, Raw], model: ir.Model) -> dict[str, Raw]:
    """An object whose name is no parameter or site holds dotted names: ``{"x": {"y": …}}`` is ``x.y``."""
    known = {p.name for p in model.params} | {s.name for s in model.sites}
    flat: dict[str, Raw] = {}
    todo = list(raws.values())
    while todo:
        raw = todo.pop(0)
        if isinstance(raw.value, dict) and raw.name not in known and any(k.startswith(raw.name + ".") for k in known):
            todo += [Raw(f"{raw.name}.{k}", v, raw.source) for k, v in raw.value.items()]
        else:
            flat[raw.name] = raw
    return flat


def _missing_parameters(model: ir.Model, raws: Mapping[str, Raw], problems: Problems) -> None:
    sizes = {p.name for p in model.params if p.is_size}
    for p in model.params:
        if p.default is None and p.name not in raws and not _extern(p.var.type):
            type_ = "size" if p.name in sizes else declared(p.var.type, p.var.support)
            close = suggest(p.name, raws)
            help = f"rename `{close}` to `{p.name}`" if close else f"add it to the data file, or --data {p.name}=VALUE"
            found = "is not given"
            problems.add(
                DataProblem("E704", p.name, found, f"a value of type {type_} for a parameter of the model", "", help)
            )


def _extern(t: T.Type) -> bool:
    return isinstance(T.element(t), T.Function | T.Dist | T.Target | T.Guide | T.Trace)


def declared(type_: T.Type, support: Any) -> str:
    """A type with what its support adds, for people."""
    text = str(support)
    return str(type_) if text in ("any value", "a real", "an integer", "a bool") else f"{type_} ({text})"


def _given_sizes(model: ir.Model, raws: Mapping[str, Raw], solver: Solver, problems: Problems) -> list[Equation]:
    """Size parameters, and size variables that the data name (CmdStan's files do)."""
    equations = []
    names = {p.name: p.var.id for p in model.params if p.is_size} | {n: n for n in model.sizes if n in raws}
    for name, variable in names.items():
        if name not in raws:
            continue
        raw = raws[name]
        value = raw.value.item() if isinstance(raw.value, np.ndarray) and raw.value.size == 1 else raw.value
        try:
            n = number(value, "int")
        except Misfit as misfit:
            problems.add(
                DataProblem(misfit.code, name, misfit.found, "a size: an integer ≥ 0", raw.source, misfit.help)
            )
            continue
        if not isinstance(n, int) or n < 0:
            found = "is missing" if n is None else f"found {n}"
            problems.add(DataProblem("E708", name, found, "a size: an integer ≥ 0", raw.source))
        else:
            equations.append(Equation(Size.var(variable), n, f"{name} as given", name, raw.source))
    return equations


def _levels(raws: Mapping[str, Raw], name: str, problems: Problems) -> tuple[str, ...] | None:
    raw = raws.get(name + ".levels")
    if raw is None:
        return raws[name].levels
    value = raw.value.tolist() if isinstance(raw.value, np.ndarray) else raw.value
    if isinstance(value, list) and all(isinstance(v, str) for v in value) and len(set(value)) == len(value):
        return tuple(value)
    problems.add(DataProblem("E716", raw.name, "is not a list of categories", "a list of different texts", raw.source))
    return None


def _equation(size: Size, value: int, what: str, raw: Raw) -> Equation:
    return Equation(size, value, f"{what} of {raw.name}", raw.name, raw.source)


def _shape_equations(
    raw: Raw, shape: tuple[Size, ...], value: Converted, equations: list[Equation], problems: Problems
) -> bool:
    """An equation per axis; E709 where the number of axes differs."""
    found = value.array.shape
    if len(found) != len(shape):
        needed = f"an array of shape [{', '.join(map(str, shape))}]" if shape else "a single value"
        help = ""
        if found == (1,) and not shape:
            help = f"remove the brackets, or give it with --data {raw.name}=VALUE"
        if not found and shape:
            help = "put it in brackets: [ … ]"
        problems.add(DataProblem("E709", raw.name, f"is {describe(found)}", needed, raw.source, help))
        return False
    for axis, (size, n) in enumerate(zip(shape, found, strict=True)):
        what = "the length" if len(shape) == 1 else f"the size of axis {axis}"
        equations.append(_equation(size, n, what, raw))
    return True


def _default_sizes(model: ir.Model, solver: Solver) -> bool:
    """Size parameters that neither were given nor follow from the data have their defaults; whether there are any."""
    found = False
    for p in model.params:
        if not p.is_size or p.default is None or p.var.id in solver.values:
            continue
        match p.default.results:
            case (ir.SizeAtom(size=size),):
                pass
            case (ir.Lit(value=int(value)),):
                size = Size.const(value)
            case _:
                continue
        if not size.variables - solver.values.keys():
            solver.values[p.var.id] = size.evaluate(solver.values)
            found = True
    return found


def _unsolved(model: ir.Model, raws: Mapping[str, Raw], solver: Solver, problems: Problems) -> None:
    """Sizes that nothing determines (E717). Silent while an error may be the reason that they are unknown."""
    if problems.errors:
        return
    known = set(solver.values)
    for name in (*model.sizes, *(p.var.id for p in model.params if p.is_size and p.default is None)):
        if name in known:
            continue
        users = [s.name for s in model.sites if any(name in d.variables for d in T.shape(s.type))]
        users += [p.name for p in model.params if any(name in d.variables for d in T.shape(p.var.type))]
        lacking = [u for u in users if u not in raws]
        help = f"give it: --data {name}=VALUE" + (f", or give {' or '.join(lacking[:3])}" if lacking else "")
        problems.add(DataProblem("E717", name, "cannot be found from the data", "a value for this size", "", help))


def _check_values(want: Want, leaf: Any, value: Converted, sizes: dict[str, int], problems: Problems) -> None:
    report = Report(leaf.raw, problems)
    if value.absent.any() and not want.missing:
        help = (
            f"leave the entry out, or declare it as `{want.name}: {T.element(want.type)}?`, so that it becomes latent"
        )
        nan = np.where(value.absent, np.nan, 0.0)
        report.add_entries("E714", nan, value.absent, "a value: only entries declared with `?` may be missing", help)
    check_support(
        report,
        "E711" if want.is_site else "E713",
        value.array,
        ~value.present,
        leaf.support,
        leaf.element,
        sizes,
        finite=want.is_site,
    )
    report.close()


def _unused(model: ir.Model, wanted: tuple[Want, ...], raws: Mapping[str, Raw], problems: Problems) -> None:
    used = {w.name for w in wanted} | {p.name for p in model.params} | set(model.sizes)
    used |= {name + ".levels" for name in used}
    open_names = [name for name in used if name not in raws and not name.endswith(".levels")]
    latents = {s.name for s in model.sites} - used
    for name, raw in raws.items():
        if name in used:
            continue
        close = suggest(name, open_names)
        help = f"did you mean `{close}`?" if close else ""
        found = "is not used by the model"
        if name in latents:
            found = "is a latent random variable, so the value is not used"
            help = f"write `data {name} ~ …` in the model to condition on it"
        problems.add(DataProblem("W701", name, found, "", raw.source, help))


def _bound(
    model: ir.Model,
    wanted: tuple[Want, ...],
    parts: dict[str, Any],
    converted: dict[str, Converted],
    solver: Solver,
    problems: Problems,
) -> Bound:
    args: dict[str, Any] = {}
    data: dict[str, np.ndarray] = {}
    missing: dict[str, np.ndarray] = {}
    notes: list[str] = []
    hasher = hashlib.sha256()
    for want in sorted(wanted, key=lambda w: w.name):
        tree = parts.get(want.name)
        if tree is None:
            continue
        for leaf in tree.leaves:
            value = converted[leaf.raw.name]
            notes += value.notes
            hasher.update(f"{leaf.raw.name}{value.array.shape}{value.array.dtype}".encode())
            hasher.update(np.ascontiguousarray(value.array).tobytes() + np.packbits(value.absent).tobytes())
            if value.absent.any():
                missing[leaf.raw.name] = value.absent
        if tree.kind == "sum":
            hasher.update(json.dumps(tree.value, sort_keys=True, default=str).encode())
        (data if want.is_site else args)[want.name] = assemble(tree, converted)
    for name, n in sorted(solver.values.items()):
        hasher.update(f"{name}={n}".encode())
    return Bound(args, dict(solver.values), data, missing, tuple(notes), problems.warnings, hasher.hexdigest())
