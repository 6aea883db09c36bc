"""Tables: CSV (or TSV) and Parquet, a column per name."""

from __future__ import annotations

import csv
import io

from ppl.runtime.data.problems import DataProblem, Problems
from ppl.runtime.data.raw import Cell, Raw


def read_csv(text: str, source: str, problems: Problems) -> list[Raw]:
    """The columns as lists of cells. The first row holds the names; every row has as many cells.

    A column without a name (the row numbers that pandas writes) is left out."""
    lines = text.splitlines()
    if not lines:
        problems.add(DataProblem("E702", source, "the file is empty", "a row of names, then rows of values"))
        return []
    delimiter = max(",;\t", key=lines[0].count)
    try:
        rows = [r for r in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if r]
    except csv.Error as e:
        problems.add(DataProblem("E702", source, f"is not a CSV table: {e}", "rows of cells, quotes closed"))
        return []
    names = [n.strip() for n in rows[0]]
    ok = True
    for name in sorted({n for n in names if names.count(n) > 1}):
        problems.add(DataProblem("E703", name, "two columns have this name", "each name once", source, "rename one"))
        ok = False
    wrong = [i for i, r in enumerate(rows[1:], 2) if len(r) != len(names)]
    if wrong:
        found = f"row {wrong[0]} has {len(rows[wrong[0] - 1])} cells"
        help = "a decimal comma splits a cell: write 1.5, not 1,5" if delimiter == "," else ""
        problems.add(
            DataProblem("E702", source, found, f"{len(names)} cells, as in the first row", source, help, len(wrong) - 1)
        )
        ok = False
    if not ok:
        return []
    return [Raw(name, [_cell(r[j]) for r in rows[1:]], source) for j, name in enumerate(names) if name]


def _cell(text: str) -> Cell | None:
    text = text.strip()
    return None if text in ("", "NA", "null", "<NA>") else Cell(text)


def read_parquet(path: str, problems: Problems) -> list[Raw]:
    """The columns of a Parquet file; needs the extra ``parquet``."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        help = "pip install 'ppl[parquet]', or save the table as CSV"
        problems.add(DataProblem("E702", path, "is a Parquet file, and pyarrow is not installed", "pyarrow", help=help))
        return []
    try:
        table = pyarrow.parquet.read_table(path)
    except (OSError, pyarrow.ArrowException) as e:
        reason = (str(e).splitlines() or [""])[0]
        problems.add(DataProblem("E702", path, f"is not a Parquet table: {reason}", "a Parquet file"))
        return []
    for name in sorted({n for n in table.column_names if table.column_names.count(n) > 1}):
        problems.add(DataProblem("E703", name, "two columns have this name", "each name once", path, "rename one"))
        return []
    raws = []
    for name in table.column_names:
        column = table.column(name)
        levels = None
        if pyarrow.types.is_dictionary(column.type):
            levels = tuple(map(str, column.unify_dictionaries().chunk(0).dictionary.to_pylist())) if len(column) else ()
        numeric = pyarrow.types.is_floating(column.type) or pyarrow.types.is_integer(column.type)
        value = column.to_numpy() if numeric and not column.null_count else column.to_pylist()
        raws.append(Raw(name, value, path, levels))
    return raws
