"""Summary of a run: moments and quantiles of every variable, with the errors of their estimates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ppl.inference.run import Posterior
from ppl.runtime.results import convergence
from ppl.runtime.results.variables import variables

STATISTICS = ("mean", "sd", "q05", "q50", "q95", "ess_bulk", "ess_tail", "rhat", "mcse_mean")
RHAT_LIMIT = 1.01
ESS_PER_CHAIN = 100


@dataclass(frozen=True)
class Summary:
    """``statistics``: name → statistic → array of the variable's shape, NaN where there is none. ``warnings`` say what
    is doubtful and what to do; a run with warnings is ``suspect``."""

    statistics: dict[str, dict[str, np.ndarray]]
    warnings: tuple[str, ...]

    @property
    def status(self) -> str:
        return "suspect" if self.warnings else "ok"


def summarise(posterior: Posterior, arrays: Mapping[str, np.ndarray] | None = None, diagnose: bool = True) -> Summary:
    """Statistics of ``arrays`` (by default all variables); those of chains where draws count equally, else of weighted
    draws.

    Without ``diagnose`` chains are not judged; draws of the prior, or of a fitted guide, are independent and have no
    chains."""
    statistics = {}
    for name, array in (variables(posterior) if arrays is None else arrays).items():
        shape = array.shape[2:]
        flat = array.reshape(*array.shape[:2], math.prod(shape)).astype(float)
        values = (
            _weighted(flat, posterior)
            if posterior.log_weights is not None
            else _of_chains(flat, posterior.method == "prior" or posterior.fit is not None)
        )
        if name in posterior.draws:
            values = _over_paths(flat, posterior, values)
        statistics[name] = {k: values[k].reshape(shape) for k in STATISTICS}
    return Summary(statistics, posterior.warnings + (_doubts(posterior, statistics) if diagnose else ()))


def _over_paths(x: np.ndarray, posterior: Posterior, values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """For the random variables that only some paths draw (NaN on the others): moments and quantiles over the draws that
    have them. How well chains mix on a part of their draws is not judged."""
    absent = np.isnan(x)
    partly = np.flatnonzero(absent.any(axis=(0, 1)) & ~absent.all(axis=(0, 1)))
    if not partly.size:
        return values
    values = {k: np.array(v, float) for k, v in values.items()}
    for k in partly:
        here = ~absent[:, :, k]
        w = posterior.weights()[here]
        if w.sum() == 0:
            continue
        w, kept = (w / w.sum())[:, None], x[:, :, k][here][:, None]
        none = np.full(1, np.nan)
        found = _weighted_statistics(kept, w, np.zeros(1, bool), none)
        if posterior.log_weights is None:
            found |= dict.fromkeys(("ess_bulk", "mcse_mean"), none)
        for statistic, value in found.items():
            values[statistic][k] = value[0]
    return values


def _of_chains(x: np.ndarray, independent: bool = False) -> dict[str, np.ndarray]:
    k = x.shape[2]
    one = x.shape[0] * x.shape[1] < 2
    none = np.full(k, np.nan)
    if k == 0 or x.size == 0:
        return dict.fromkeys(STATISTICS, none)
    q05, q50, q95 = np.quantile(x, (0.05, 0.5, 0.95), axis=(0, 1))
    if independent:
        moments = {
            "mean": x.mean(axis=(0, 1)),
            "sd": none if one else x.std(axis=(0, 1), ddof=1),
            "q05": q05,
            "q50": q50,
            "q95": q95,
        }
        error = moments["sd"] / np.sqrt(x.shape[0] * x.shape[1])
        return moments | {"ess_bulk": none, "ess_tail": none, "rhat": none, "mcse_mean": error}
    return {
        "mean": x.mean(axis=(0, 1)),
        "sd": none if one else x.std(axis=(0, 1), ddof=1),
        "q05": q05,
        "q50": q50,
        "q95": q95,
        "ess_bulk": convergence.ess_bulk(x),
        "ess_tail": convergence.ess_tail(x),
        "rhat": convergence.rhat(x),
        "mcse_mean": none if one else convergence.mcse_mean(x),
    }


def _weighted(x: np.ndarray, posterior: Posterior) -> dict[str, np.ndarray]:
    """Self-normalised estimates; the effective sample size is Kish's 1/Σw², the error the delta method's √Σw²(x − x̄)².

    Where the evidence is known without error the weights are exact, and so are the statistics."""
    w = posterior.weights().reshape(-1, 1)
    x = x.reshape(len(w), x.shape[2])
    none = np.full(x.shape[1], np.nan)
    if x.size == 0:
        return dict.fromkeys(STATISTICS, none)
    kept = w[:, 0] > 0
    exact = _exact(x, posterior)
    x, w = x[kept], w[kept]
    with np.errstate(invalid="ignore"):
        return _weighted_statistics(x, w, exact, none)


def _exact(x: np.ndarray, posterior: Posterior) -> np.ndarray:
    """For each scalar whether its statistics have no Monte Carlo error: every state was visited, and it is the same in
    all completions of a state."""
    if "state" not in posterior.stats:
        return np.zeros(x.shape[1], bool)
    _, first, of_state = np.unique(posterior.stats["state"].ravel(), return_index=True, return_inverse=True)
    return (x == x[first][of_state.ravel()]).all(axis=0)


def _weighted_statistics(x: np.ndarray, w: np.ndarray, exact: np.ndarray, none: np.ndarray) -> dict[str, np.ndarray]:
    mean = (w * x).sum(axis=0)
    quantiles = [_weighted_quantile(x, w[:, 0], p) for p in (0.05, 0.5, 0.95)]
    ess = np.where(exact, np.nan, 1 / (w**2).sum())
    return {
        "mean": mean,
        "sd": np.sqrt((w * (x - mean) ** 2).sum(axis=0)),
        "q05": quantiles[0],
        "q50": quantiles[1],
        "q95": quantiles[2],
        "ess_bulk": ess,
        "ess_tail": none,
        "rhat": none,
        "mcse_mean": np.where(exact, 0.0, np.sqrt((w**2 * (x - mean) ** 2).sum(axis=0))),
    }


def _weighted_quantile(x: np.ndarray, w: np.ndarray, p: float) -> np.ndarray:
    """The least value with cumulative weight of at least p."""
    order = np.argsort(x, axis=0)
    cumulative = np.cumsum(w[order], axis=0)
    at = np.minimum((cumulative < p * cumulative[-1] * (1 - 1e-12)).sum(axis=0), len(w) - 1)
    return np.take_along_axis(np.take_along_axis(x, order, axis=0), at[None], axis=0)[0]


def _doubts(posterior: Posterior, statistics: dict[str, dict[str, np.ndarray]]) -> tuple[str, ...]:
    """Chains that disagree, and too few effective draws."""
    if posterior.log_weights is not None or posterior.fit is not None or posterior.shape[1] < convergence.MIN_DRAWS:
        return ()
    out = []
    worst = _worst(statistics, "rhat", np.nanmax)
    if worst and worst[1] > RHAT_LIMIT:
        value = f"{worst[1]:.2f}" if worst[1] < 1000 else "over 1000"
        out.append(
            f"the chains disagree: R-hat is {value} for `{worst[0]}` (should be at most {RHAT_LIMIT}); "
            "run longer (warmup=, draws=), or look for several modes or a weakly identified variable"
        )
    chains = posterior.shape[0]
    for which, word in (("ess_bulk", "bulk"), ("ess_tail", "tail")):
        worst = _worst(statistics, which, np.nanmin)
        if worst and worst[1] < ESS_PER_CHAIN * chains:
            out.append(
                f"few effective draws: the {word} ESS of `{worst[0]}` is {worst[1]:.0f} "
                f"(should be at least {ESS_PER_CHAIN * chains}); run longer: draws={_round_up(4 * posterior.shape[1])}"
            )
    return tuple(out)


def _worst(statistics: dict[str, dict[str, np.ndarray]], which: str, pick) -> tuple[str, float] | None:
    """The scalar with the greatest or least value, by its name with indices."""
    found = [(n, s[which]) for n, s in statistics.items() if np.isfinite(s[which]).any()]
    if not found:
        return None
    name, values = (max if pick is np.nanmax else min)(found, key=lambda pair: float(pick(pair[1])))
    at = np.unravel_index(int((np.nanargmax if pick is np.nanmax else np.nanargmin)(values)), values.shape)
    return name + (f"[{', '.join(map(str, at))}]" if at else ""), float(pick(values))


def _round_up(n: int) -> int:
    return -(-n // 100) * 100
