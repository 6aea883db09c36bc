"""Results of tests as checks."""

from __future__ import annotations

from typing import Any

import numpy as np

from ppl.inference.validation.certificate import Check
from ppl.inference.validation.fixed_n import detectable
from ppl.inference.validation.sequential import Staged

_MOST_ALIKE = 0.5


def of_means(
    result: Staged,
    claim: str,
    oracle: str,
    family: str,
    statistic: dict[str, Any],
    case: str,
    n: int,
    alpha: float,
    k: int,
) -> Check:
    """The verdict of a staged test of k means, of n draws in its first stage."""
    return Check(
        claim,
        oracle,
        family,
        result.outcome,
        alpha,
        result.total,
        statistic,
        detectable(n, alpha, k),
        case,
        result.stage_seed,
    )


def extreme(result: Staged, names: list[str]) -> dict[str, Any]:
    """The most extreme of the means of weighted functions."""
    t = result.test
    return {"function": names[t.which], "mean / Z": t.mean, "should be": t.expected, "z": t.z, "p": t.p_value}


def not_all_alike(claim: str, values: Any, case: str, seed: int) -> Check:
    """``values`` [run, slot, …]: refuted where in most runs all slots hold the same, as where they share a key."""
    values = np.asarray(values)
    alike = float(np.mean(np.all(values == values[:, :1], axis=1)))
    return Check(
        claim,
        "exact comparison",
        "P(all equal)",
        "refuted" if alike > _MOST_ALIKE else "passed",
        0.0,
        len(values),
        {"P(all equal)": alike, "at most": _MOST_ALIKE},
        None,
        case,
        seed,
    )
