"""A raw value to an array of the element type that the model declares."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ppl.compiler.ir import types as T
from ppl.runtime.data.numbers import Misfit, from_numpy, number
from ppl.runtime.data.problems import DataProblem, Problems
from ppl.runtime.data.raw import Cell, Raw
from ppl.runtime.data.tensor import path, tensor

SHOWN = 3
"""Entries of one name that are shown for each kind of problem; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Converted:
    """float64 for reals, int64 for ints, indices and bools. ``absent`` marks missing entries, which hold 0; ``wrong``
    those that are no number and were reported as such, None if there are none."""

    array: np.ndarray
    absent: np.ndarray
    notes: tuple[str, ...] = ()
    wrong: np.ndarray | None = None

    @property
    def present(self) -> np.ndarray:
        """The entries that have a value."""
        return ~self.absent if self.wrong is None else ~(self.absent | self.wrong)


def element_kind(element: T.Type) -> str:
    return element.name if isinstance(element, T.Scalar) else "int"


def convert(raw: Raw, element: T.Type, problems: Problems, levels: tuple[str, ...] | None = None) -> Converted | None:
    """None where no array can be made of it, with a finding. ``levels``: categories of a text column, in the order of
    their codes."""
    values = tensor(raw, problems)
    if values is None:
        return None
    kind = element_kind(element)
    notes: tuple[str, ...] = ()
    leaves = values.leaves
    if isinstance(leaves, np.ndarray):
        try:
            flat, note = from_numpy(leaves, kind)
        except Misfit as misfit:
            problems.add(DataProblem(misfit.code, raw.name, misfit.found, misfit.needed, raw.source, misfit.help))
            return None
        notes = (f"{raw.name}: {note}",) if note else ()
        if flat.dtype != object:
            absent = np.isnan(flat) if kind == "real" else np.zeros(flat.shape, bool)
            return Converted(flat.reshape(values.shape), absent.reshape(values.shape), notes)
        leaves = flat.tolist()
    if isinstance(element, T.IndexType) and any(_is_category(v) for v in leaves):
        leaves = _codes(raw, values.shape, leaves, levels or raw.levels, problems)
        if leaves is None:
            return None
    flat = np.zeros(len(leaves), np.float64 if kind == "real" else np.int64)
    absent, wrong = np.zeros(len(leaves), bool), np.zeros(len(leaves), bool)
    report = Report(raw, problems)
    for i, leaf in enumerate(leaves):
        try:
            value = number(leaf, kind)
        except Misfit as misfit:
            report.add(misfit.code, path(raw.name, index(values.shape, i)), misfit.found, misfit.needed, misfit.help)
            wrong[i] = True
            continue
        if value is None or math.isnan(value):
            absent[i] = True
        elif kind != "real" and math.isinf(value):
            report.add("E708", path(raw.name, index(values.shape, i)), f"found {value:g}", "an integer")
            wrong[i] = True
        else:
            flat[i] = value
    any_wrong = report.close()
    shape = values.shape
    return Converted(flat.reshape(shape), absent.reshape(shape), notes, wrong.reshape(shape) if any_wrong else None)


class Report:
    """Keeps the first entries of each kind of problem and counts the rest."""

    def __init__(self, raw: Raw, problems: Problems):
        self.raw, self.problems = raw, problems
        self.kinds: dict[str, list[DataProblem]] = {}
        self.counts: dict[str, int] = {}

    def add(self, code: str, at: str, found: str, needed: str, help: str = "") -> None:
        self.count(code, 1)
        kept = self.kinds.setdefault(code, [])
        if len(kept) < SHOWN:
            kept.append(DataProblem(code, at, found, needed, self.raw.source, help))

    def add_entries(self, code: str, array: np.ndarray, wrong: np.ndarray, needed: str, help: str = "") -> None:
        """The first entries of ``array`` where ``wrong`` is true; the others are only counted."""
        entries = np.argwhere(wrong)
        for at in entries[:SHOWN]:
            i = tuple(int(k) for k in at)
            found = "is missing (null or NaN)" if np.isnan(array[i]) else f"found {array[i]:.10g}"
            self.add(code, path(self.raw.name, i), found, needed, help)
        self.count(code, len(entries) - SHOWN)

    def count(self, code: str, entries: int) -> None:
        """``entries`` more problems of this kind; nothing if there are none."""
        if entries > 0:
            self.counts[code] = self.counts.get(code, 0) + entries

    def close(self) -> bool:
        """Hand the findings over; True if there were any."""
        for code, kept in self.kinds.items():
            more = self.counts[code] - len(kept)
            last = kept[-1]
            kept[-1] = DataProblem(code, last.path, last.found, last.needed, last.source, last.help, more)
            for problem in kept:
                self.problems.add(problem)
        return bool(self.kinds)


def index(shape: tuple[int, ...], flat: int) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(flat, shape)) if shape else ()


def _is_category(leaf: object) -> bool:
    return isinstance(leaf, str) and not (isinstance(leaf, Cell) and leaf.lstrip("+-").replace(".", "", 1).isdigit())


def _codes(raw: Raw, shape, leaves, levels, problems: Problems):
    """Categories to their positions in ``levels``."""
    if levels is None:
        seen = list(dict.fromkeys(str(v) for v in leaves if v is not None))
        listed = ", ".join(f'"{s}"' for s in seen[:4]) + (", …" if len(seen) > 4 else "")
        found = f'found the text "{next(str(v) for v in leaves if _is_category(v))}"'
        help = f'declare the categories in the data: "{raw.name}.levels": [{listed}]'
        problems.add(DataProblem("E716", raw.name, found, "an integer, or text with declared levels", raw.source, help))
        return None
    code = {level: k for k, level in enumerate(levels)}
    report = Report(raw, problems)
    out = []
    for i, leaf in enumerate(leaves):
        if leaf is not None and str(leaf) not in code:
            needed = "one of " + ", ".join(f'"{s}"' for s in levels[:8]) + (", …" if len(levels) > 8 else "")
            at = path(raw.name, index(shape, i))
            report.add("E716", at, f'found "{leaf}"', needed, f'add it to "{raw.name}.levels"')
        out.append(None if leaf is None else code.get(str(leaf)))
    return None if report.close() else out
