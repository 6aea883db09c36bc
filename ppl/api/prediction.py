"""Prediction from a run, in the same process or from its file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ppl.api.applied import Applied
from ppl.api.module import from_files
from ppl.api.result import Result
from ppl.compiler.ir import types as T
from ppl.core.errors import UsageError
from ppl.runtime.data import Raw, load
from ppl.runtime.results.record import Record


def reopened(record: Record) -> Applied:
    """The target of a saved run: its model compiled again from the saved text, with the saved data."""
    module = from_files(record.files)
    values = {**record.constant, **record.observed, **record.compound}
    raws = {name: Raw(name, value, "the saved run") for name, value in values.items()}
    return module.model(record.model).with_raws(raws | _sizes(record.sizes))


def predict_result(result: Result, data: Mapping[str, Any], seed: int, raws: Mapping[str, Raw] | None = None) -> Result:
    """``raws`` are data read from files, beside the Python values ``data``."""
    from ppl.api.simulate import predict
    from ppl.runtime.environment import environment

    if result.target is None or result.kind != "posterior":
        raise UsageError("predictions need a posterior and its model", helps=("predict from the result of ppl.infer",))
    new = {**load([data]), **(raws or {})}
    target = _without_data(result.target, new, result.record)
    posterior = result.posterior
    draws = posterior.draws if posterior.log_weights is None else posterior.resampled(posterior.shape[1])
    with environment():
        predictions, anew = predict(target, draws, seed)
    notes = tuple(
        f"`{name}` has another shape under the new data and was drawn from its prior given the rest" for name in anew
    )
    return Result(predictions, target, target.record(), kind="predictions", notes=notes)


def _without_data(target: Applied, new: Mapping[str, Raw], record: Record) -> Applied:
    """The target with new parameters and without values at its data sites."""
    model = target.model
    params = {p.name for p in model.params}
    sizes = set(model.sizes)
    kept = {n: r for n, r in target.raws.items() if n in params and n not in sizes}
    raws = {**kept, **{n: r for n, r in new.items() if n in params | sizes or n not in record.observed}}
    found = {v for p in model.params if p.name in raws for d in T.shape(p.var.type) for v in d.variables}
    given = {n: k for n, k in record.sizes.items() if n in sizes and n not in found and n not in raws}
    return Applied(target.program, model, target.files, {**raws, **_sizes(given)}, target.externs, target.identity)


def _sizes(sizes: Mapping[str, int]) -> dict[str, Raw]:
    return {name: Raw(name, int(n), "the run") for name, n in sizes.items()}
