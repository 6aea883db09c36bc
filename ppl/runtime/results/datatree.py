"""A run as an xarray DataTree in ArviZ's schema.

Groups: ``posterior`` (random variables and outputs), ``sample_stats``, ``observed_data``, ``constant_data``, and
``posterior_predictive`` for data sites that had no data; ``parameters`` and ``optimisation`` of a fit. The root's
attributes hold all that is needed to run it again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ppl.inference.run import Posterior
from ppl.runtime.results.record import Record
from ppl.runtime.results.variables import dimensions, variables

if TYPE_CHECKING:
    import xarray

SCHEMA = "1"
_HISTORY = ("steps", "objective", "objective_se")


def to_datatree(
    posterior: Posterior,
    record: Record,
    group: str = "posterior",
    log_likelihood: Mapping[str, np.ndarray] | None = None,
) -> xarray.DataTree:
    """``group`` is ``posterior``, ``prior`` for draws that no data conditioned, or ``predictions``."""
    predictive = group if group == "predictions" else f"{group}_predictive"
    drawn = {
        n: a
        for n, a in posterior.data.items()
        if a.ndim >= 2 and (group != "posterior" or (n not in posterior.draws and _has_gaps(record.observed.get(n))))
    }
    groups: dict[str, Mapping[str, np.ndarray]] = {
        group: variables(posterior, auxiliary=True),
        "sample_stats": stats(posterior),
        predictive: {**variables(posterior), **drawn} if predictive == group else drawn,
        "log_likelihood": log_likelihood or {},
        "observed_data": dict(record.observed),
        "constant_data": dict(record.constant),
    }
    return build(groups, attributes(posterior, record), record, _fit(posterior))


def _has_gaps(observed: np.ndarray | None) -> bool:
    """Whether there is anything to draw: a data variable was not given, or not all of it."""
    return observed is None or bool(np.isnan(observed).any())


def build(
    groups: Mapping[str, Mapping[str, np.ndarray]],
    attrs: Mapping[str, Any],
    record: Record,
    unsampled: Mapping[str, Mapping[str, np.ndarray]] | None = None,
) -> xarray.DataTree:
    """The non-empty groups, with plate and size names for dimensions. ``unsampled``: groups of arrays without the
    axes of chains and draws."""
    import arviz_base

    given = {name: group for name, group in groups.items() if group}
    shapes: dict[str, tuple[int, ...]] = {}
    for name, group in given.items():
        leading = 0 if name.endswith("_data") else 2
        shapes.update({v: a.shape[leading:] for v, a in group.items()})
    dims = dimensions(shapes, record.axes, record.sizes)
    lengths = {d: n for v, shape in shapes.items() for d, n in zip(dims[v], shape, strict=True)}
    coords = {d: np.arange(n) for d, n in lengths.items()}
    tree = arviz_base.from_dict(
        given or {"posterior": {}}, dims=dims, coords=coords, attrs={"/": dict(attrs)}, check_conventions=False
    )
    for name, group in (unsampled or {}).items():
        tree[name] = type(tree)(arviz_base.dict_to_dataset(group, sample_dims=[], check_conventions=False))
    return tree


def _fit(posterior: Posterior) -> dict[str, Mapping[str, np.ndarray]]:
    """``parameters``: the fitted ones; ``optimisation``: the history of the objective."""
    if posterior.fit is None:
        return {}
    history = {n: getattr(posterior.fit, n) for n in _HISTORY}
    return {"parameters": posterior.fit.params, "optimisation": history}


def stats(posterior: Posterior) -> dict[str, np.ndarray]:
    found = dict(posterior.stats)
    if posterior.log_weights is not None:
        found["log_weight"] = posterior.log_weights
    return {n: a for n, a in found.items() if np.ndim(a) >= 2}


def attributes(posterior: Posterior, record: Record) -> dict[str, Any]:
    """Attributes that NetCDF can hold: text and numbers."""
    evidence = posterior.log_evidence
    attrs: dict[str, Any] = {
        "ppl_schema": SCHEMA,
        "model": record.model,
        "model_files": json.dumps(dict(record.files)),
        "method": posterior.method,
        "method_expression": posterior.expression,
        "seed": str(posterior.seed),
        "sizes": json.dumps(dict(record.sizes)),
        "compound_data": json.dumps(record.compound, default=lambda a: np.asarray(a).tolist()),
        "data_hash": record.data_hash,
        "warnings": json.dumps(posterior.warnings),
        "notes": json.dumps(posterior.notes),
        "timing": json.dumps(posterior.timing._asdict()),
        "complete": int(posterior.complete),
    }
    if posterior.fit is not None:
        attrs["bound"] = json.dumps(posterior.fit.bound._asdict())
        if posterior.fit.pareto_k is not None:
            attrs["pareto_k"] = posterior.fit.pareto_k
    if evidence is not None:
        attrs["log_evidence"] = evidence.value
        if evidence.se is not None:
            attrs["log_evidence_se"] = evidence.se
    return attrs | {f"environment_{k}": str(v) for k, v in {**record.environment, **posterior.environment}.items()}
