"""Loads and merges the sources of data named on the command line or given from Python."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ppl.runtime.data import files
from ppl.runtime.data.arrays import read_netcdf, read_npz
from ppl.runtime.data.json_file import parse_constant, read_json
from ppl.runtime.data.problems import DataProblem, Problems
from ppl.runtime.data.python_values import read_values
from ppl.runtime.data.raw import Cell, Raw
from ppl.runtime.data.tables import read_csv, read_parquet

SUFFIXES = (".json", ".csv", ".tsv", ".parquet", ".npz", ".nc")
_ASSIGNMENT = re.compile(r"([^\W\d][\w.]*)=(.*)", re.DOTALL)

Source = str | os.PathLike[str] | Mapping[str, Any]


def load(sources: Iterable[Source], problems: Problems | None = None) -> dict[str, Raw]:
    """All entries of ``sources``: paths, ``name=value`` texts and mappings of Python values, in that order of the list.

    A name in two files is an error (E703); ``name=value`` overrides a file. With ``problems`` the findings are added
    there, without it they are raised as ``InvalidData``."""
    found = Problems() if problems is None else problems
    merged: dict[str, Raw] = {}
    assigned: dict[str, Raw] = {}
    for source in sources:
        text = os.fspath(source) if isinstance(source, str | os.PathLike) else None
        match = _ASSIGNMENT.fullmatch(text) if text is not None and not os.path.exists(text) else None
        if match:
            assigned[match[1]] = Raw(match[1], _value(match[2]), f"--data {text}")
            continue
        for raw in read_values(source) if isinstance(source, Mapping) else read_file(os.fspath(source), found):
            other = merged.get(raw.name)
            if other is not None and other.source != raw.source:
                help = f"delete one, or override both with --data {raw.name}=VALUE"
                what = f"given in {other.source} and again in {raw.source}"
                found.add(DataProblem("E703", raw.name, what, "each name once", raw.source, help))
            merged[raw.name] = raw
    if problems is None:
        found.check()
    return merged | assigned


def read_file(path: str, problems: Problems) -> list[Raw]:
    """The entries of one file; the suffix names the format."""
    suffix = Path(path).suffix.lower()
    if not files.readable(path, problems):
        return []
    if suffix not in SUFFIXES:
        found = f"has the suffix `{suffix}`" if suffix else "has no suffix"
        problems.add(
            DataProblem("E702", path, found, "one of " + " ".join(SUFFIXES), help="rename or convert the file")
        )
        return []
    if suffix == ".npz":
        return read_npz(path, problems)
    if suffix == ".parquet":
        return read_parquet(path, problems)
    if suffix == ".nc":
        return read_netcdf(path, problems)
    text = files.text(path, problems)
    if text is None:
        return []
    return read_json(text, path, problems) if suffix == ".json" else read_csv(text, path, problems)


def _value(text: str) -> Any:
    """JSON if it is JSON, else the text itself as a cell."""
    try:
        return json.loads(text, parse_constant=parse_constant)
    except ValueError:
        return Cell(text)
