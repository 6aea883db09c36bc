"""Files of arrays: NPZ and NetCDF."""

from __future__ import annotations

import zipfile

import numpy as np

from ppl.runtime.data.problems import DataProblem, Problems
from ppl.runtime.data.raw import Raw


def read_npz(path: str, problems: Problems) -> list[Raw]:
    """The arrays of an ``.npz`` file. Pickled objects are refused: loading them would run code."""
    raws = []
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if not hasattr(arrays, "files"):
                problems.add(DataProblem("E702", path, "holds one array without a name", "an .npz of named arrays"))
                return []
            for name in arrays.files:
                raws.append(Raw(name, arrays[name], path))
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError) as e:
        reason = "it holds pickled objects" if "allow_pickle" in str(e) else (str(e) or "the file is empty")
        problems.add(DataProblem("E702", path, f"is not an archive of arrays: {reason}", "an .npz file of numbers"))
        return []
    return raws


def read_netcdf(path: str, problems: Problems) -> list[Raw]:
    """The variables of a NetCDF file (of the root group, and of ``constant_data`` and ``observed_data`` if there)."""
    import netCDF4

    raws = []
    try:
        with netCDF4.Dataset(path) as file:
            groups = [file] + [file.groups[g] for g in ("constant_data", "observed_data") if g in file.groups]
            for group in groups:
                raws += [
                    Raw(n, np.ma.asarray(v[...]), path) for n, v in group.variables.items() if n not in v.dimensions
                ]
    except OSError as e:
        problems.add(DataProblem("E702", path, f"is not a NetCDF file: {e.strerror or e}", "a NetCDF file"))
        return []
    return raws
