"""The JSON object of ``ppl run --format json``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ppl.inference.run import Fit, Posterior
from ppl.runtime.results.summary import Summary


def to_json(posterior: Posterior, summary: Summary, model: str) -> dict[str, Any]:
    """Statistics of an array variable are nested lists of its shape; every value a finite number or null."""
    chains, draws = posterior.shape
    evidence = posterior.log_evidence
    return {
        "model": model,
        "method": posterior.method,
        "method_expression": posterior.expression,
        "seed": posterior.seed,
        "draws": chains * draws,
        "chains": chains,
        "log_evidence": None if evidence is None else {"value": plain(evidence.value), "se": plain(evidence.se)},
        **({} if posterior.fit is None else _fit(posterior.fit)),
        "variables": {n: {k: plain(a) for k, a in s.items()} for n, s in summary.statistics.items()},
        "diagnostics": diagnostics(posterior, summary),
        "timing": {k: round(v, 4) for k, v in posterior.timing._asdict().items()},
        "status": summary.status,
        "complete": posterior.complete,
        "warnings": list(summary.warnings),
        "notes": list(posterior.notes),
    }


def _fit(fit: Fit) -> dict[str, Any]:
    """The objective with what it says of log Z, and the fitted parameters in their own spaces."""
    bound = {k: plain(v) for k, v in (("value", fit.bound.value), ("se", fit.bound.se))}
    kind = "lower bound on log_evidence" if fit.bound.lower else None
    return {
        "objective": {"name": fit.bound.objective, **bound, "bounds": kind},
        "parameters": {n: plain(a) for n, a in fit.params.items()},
        "history": {n: plain(getattr(fit, n)) for n in ("steps", "objective", "objective_se")},
    }


def diagnostics(posterior: Posterior, summary: Summary) -> dict[str, Any]:
    """Counts and means over all draws of what the method recorded, and the worst R-hat and effective sample sizes."""
    stats = posterior.stats
    out: dict[str, Any] = {}
    if "diverging" in stats:
        out["divergences"] = int(np.sum(stats["diverging"]))
    for name in ("acceptance_rate", "n_steps", "step_size"):
        if name in stats:
            out[f"mean_{name}"] = plain(np.mean(stats[name]))
    for name, pick in (("rhat", max), ("ess_bulk", min), ("ess_tail", min)):
        values = [float(v) for s in summary.statistics.values() for v in s[name].ravel() if np.isfinite(v)]
        if values:
            out[("max_" if pick is max else "min_") + name] = pick(values)
    if posterior.fit is not None and posterior.fit.pareto_k is not None:
        out["pareto_k"] = plain(posterior.fit.pareto_k)
    if posterior.log_weights is not None:
        out["ess_weights"] = plain(1 / np.sum(posterior.weights() ** 2))
    return out


def plain(value: Any) -> Any:
    """Nested lists of Python numbers; what is not finite is None."""
    if value is None:
        return None
    array = np.asarray(value)
    if array.ndim:
        return [plain(v) for v in array]
    number = array.item()
    if isinstance(number, bool | int):
        return number
    return float(number) if math.isfinite(number) else None
