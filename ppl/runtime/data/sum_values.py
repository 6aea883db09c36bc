"""Values of sum types in the data: {"tag": "Node", "args": […]}, or a bare text for a constructor without arguments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as T
from ppl.runtime.data.convert import Report
from ppl.runtime.data.numbers import Misfit, number
from ppl.runtime.data.problems import Problems
from ppl.runtime.data.raw import Raw
from ppl.runtime.data.tensor import path


def tags(name: str, raw: Raw, depth: int, sums: Mapping[str, ir.SumInfo], problems: Problems) -> Any:
    """The positions of the constructors in the same nested lists as ``raw``, at most ``depth`` of them; None with a
    finding for each value that is none of the type."""
    report = Report(raw, problems)
    found = _tags(name, raw.value, depth, (), sums, raw.name, report)
    return None if report.close() else found


def _tags(name: str, value: Any, depth: int, at: tuple[int, ...], sums, root: str, report: Report) -> Any:
    if depth and isinstance(value, list):
        return [_tags(name, v, depth - 1, (*at, k), sums, root, report) for k, v in enumerate(value)]
    for wrong, needed in misfits(name, value, sums):
        report.add("E708", path(root, at), wrong, needed)
    tag = _parts(value)[0]
    return next((k for k, c in enumerate(sums[name].constructors) if c.name == tag), 0)


def _parts(value: Any) -> tuple[str, Any]:
    if isinstance(value, str):
        return str(value), []
    return (value.get("tag", ""), value.get("args", [])) if isinstance(value, Mapping) else ("", [])


def misfits(name: str, value: Any, sums: Mapping[str, ir.SumInfo]) -> Iterator[tuple[str, str]]:
    """What is wrong with a value of the type, and what was needed; nothing if it is one."""
    info = sums[name]
    tag, args = _parts(value)
    constructor = next((c for c in info.constructors if c.name == tag), None)
    if constructor is None or not isinstance(args, list) or len(args) != len(constructor.args):
        forms = (f'{{"tag": "{c.name}", "args": […]}}' if c.args else f'"{c.name}"' for c in info.constructors)
        yield f"is not a value of type {name}", " or ".join(forms)
        return
    for position, (t, arg) in enumerate(zip(constructor.args, args, strict=True)):
        for wrong, needed in _argument(t, arg, sums):
            yield f"has a wrong argument {position} of {tag}: {wrong}", needed


def _argument(t: T.Type, value: Any, sums: Mapping[str, ir.SumInfo]) -> Iterator[tuple[str, str]]:
    match t:
        case T.Sum(name=name):
            yield from misfits(name, value, sums)
        case T.Scalar() | T.IndexType():
            try:
                found = number(value, t.name if isinstance(t, T.Scalar) else "int")
            except Misfit as misfit:
                yield misfit.found, misfit.needed
                return
            if found is None:
                yield "is missing", f"a value of type {t}"
