"""Runs on disk: NetCDF files, written whole or not at all."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from ppl.core.errors import DataError
from ppl.inference.run import Bound, Evidence, Fit, Posterior, Timing
from ppl.runtime.results.files import write_whole
from ppl.runtime.results.record import Record

if TYPE_CHECKING:
    import xarray


def save(tree: xarray.DataTree, path: str) -> None:
    """Write ``tree`` to ``path`` in NetCDF 4."""
    write_whole(path, lambda p: tree.to_netcdf(p, engine="netcdf4"))


def read(path: str) -> tuple[Posterior, Record]:
    """A saved run; DataError (exit code 4) where the file is missing or is no saved run."""
    import xarray as xr

    if not os.path.isfile(path):
        raise DataError(f"there is no run at {path}", helps=("write one: ppl run … --out run.nc",))
    try:
        with xr.open_datatree(path, engine="netcdf4") as tree:
            tree = tree.load()
    except (OSError, ValueError) as e:
        raise DataError(f"{path} is not a NetCDF file: {getattr(e, 'strerror', None) or e}") from None
    if "model_files" not in tree.attrs:
        raise DataError(f"{path} was not written by ppl", helps=("write a run: ppl run … --out run.nc",))
    return _posterior(tree), _record(tree)


def _group(tree: Any, *names: str) -> dict[str, np.ndarray]:
    for name in names:
        if name in tree.children:
            return {str(v): np.asarray(a.values) for v, a in tree[name].data_vars.items()}
    return {}


def _posterior(tree: Any) -> Posterior:
    at = tree.attrs
    stats = _group(tree, "sample_stats")
    log_weights = stats.pop("log_weight", None)
    evidence = None
    if "log_evidence" in at:
        evidence = Evidence(
            float(at["log_evidence"]), float(at["log_evidence_se"]) if "log_evidence_se" in at else None
        )
    return Posterior(
        method=str(at["method"]),
        expression=str(at["method_expression"]),
        seed=int(at["seed"]),
        draws=_group(tree, "posterior", "prior", "predictions"),
        data=_group(tree, "posterior_predictive", "prior_predictive"),
        outputs={},
        value=None,
        stats=stats,
        log_weights=log_weights,
        log_evidence=evidence,
        warnings=tuple(json.loads(at["warnings"])),
        notes=tuple(json.loads(at["notes"])),
        timing=Timing(**json.loads(at["timing"])),
        complete=bool(at["complete"]),
        fit=_fit(tree),
    )


def _fit(tree: Any) -> Fit | None:
    if "bound" not in tree.attrs:
        return None
    bound = Bound(**json.loads(tree.attrs["bound"]))
    shape = float(tree.attrs["pareto_k"]) if "pareto_k" in tree.attrs else None
    return Fit(_group(tree, "parameters"), **_group(tree, "optimisation"), bound=bound, pareto_k=shape)


def _record(tree: Any) -> Record:
    at = tree.attrs
    prefix = "environment_"
    return Record(
        model=str(at["model"]),
        files=json.loads(at["model_files"]),
        axes={
            str(v): _axes(a, 2)
            for g in ("posterior", "prior")
            if g in tree.children
            for v, a in tree[g].data_vars.items()
        },
        sizes=json.loads(at["sizes"]),
        constant=_group(tree, "constant_data"),
        observed=_group(tree, "observed_data"),
        compound=json.loads(at["compound_data"]),
        data_hash=str(at["data_hash"]),
        environment={k.removeprefix(prefix): str(v) for k, v in at.items() if k.startswith(prefix)},
    )


def _axes(array: Any, leading: int) -> tuple[str, ...]:
    return tuple(str(d) for d in array.dims[leading:])
