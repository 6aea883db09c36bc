"""The summary as text of at most 80 columns."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ppl.inference.run import Bound, Posterior
from ppl.runtime.results.summary import Summary

COLUMNS = ("mean", "sd", "q05", "q50", "q95", "ess_bulk", "rhat", "mcse_mean")
HEADS = ("mean", "sd", "5%", "50%", "95%", "ess", "rhat", "mcse")
WIDTH = 80
ROWS = 60


def to_table(posterior: Posterior, summary: Summary, model: str, rows: int = ROWS) -> str:
    """A row per scalar: heading line, table, evidence. At most ``rows`` rows; the last line says how many were left
    out."""
    lines = [_heading(posterior, model), ""]
    cells = [
        (name, [_cell(c, s[c][i]) for c in COLUMNS])
        for name, s in summary.statistics.items()
        for i, name in _scalars(name, s)
    ]
    drawn = [cell for cell in cells if cell[1][0] != "–"]
    never = len(cells) - len(drawn) if drawn else 0  # of a recursion, say: no draw went so deep
    cells = drawn or cells
    shown = cells[:rows]
    columns = [k for k in range(len(COLUMNS)) if any(row[k] != "–" for _, row in shown)]
    widths = {k: max([len(HEADS[k]), *(len(row[k]) for _, row in shown)]) for k in columns}
    room = WIDTH - sum(w + 2 for w in widths.values())
    first = max([0, *(len(n) for n, _ in shown)])
    first = min(first, max(room, 8))
    lines.append(" " * first + "".join("  " + HEADS[k].rjust(widths[k]) for k in columns))
    for name, row in shown:
        text = name if len(name) <= first else name[: first - 1] + "…"
        lines.append(text.ljust(first) + "".join("  " + row[k].rjust(widths[k]) for k in columns))
    if len(cells) > rows:
        lines.append(f"… {len(cells) - rows} more rows: --out run.nc keeps them all, --format json prints them")
    if never:
        lines.append(f"{never} rows left out: no draw has these variables")
    if posterior.log_evidence is not None:
        value, se = posterior.log_evidence
        error = "" if se is None else " (exact)" if se == 0 else f" ± {se:.2g}"
        lines += ["", f"log evidence {value:.5g}{error}"]
    if posterior.fit is not None:
        lines += ["", bound_line(posterior.fit.bound)]
    return "\n".join(lines)


def bound_line(bound: Bound) -> str:
    """The objective at the end of a fit, and what it says of the evidence."""
    what = "lower bound on the log evidence" if bound.lower else "objective"
    return f"{what} {bound.value:.5g} ± {bound.se:.2g} ({bound.objective})"


def _heading(posterior: Posterior, model: str) -> str:
    chains, draws = posterior.shape
    what = (
        f"{chains} chains of {draws} draws"
        if chains > 1
        else f"{draws} weighted draws"
        if posterior.log_weights is not None
        else f"{draws} draws"
    )
    t = posterior.timing
    took = f"; compiled in {t.compile_s:.1f} s, ran in {t.warmup_s + t.sample_s:.1f} s" if any(t) else ""
    partial = "" if posterior.complete else " (interrupted)"
    return f"{model}: {posterior.method}, {what}{partial}, seed {posterior.seed}{took}"


def _scalars(name: str, statistics: dict[str, np.ndarray]) -> Iterator[tuple[tuple[int, ...], str]]:
    for i in np.ndindex(statistics["mean"].shape):
        yield i, name + (f"[{', '.join(map(str, i))}]" if i else "")


def _cell(column: str, value: float) -> str:
    if not np.isfinite(value):
        return "–"
    if column == "rhat":
        return f"{value:.3f}" if value < 1000 else "> 999"
    if column == "ess_bulk":
        return f"{value:.0f}"
    return significant(float(value), 2 if column == "mcse_mean" else 3)


def significant(x: float, digits: int) -> str:
    """``digits`` significant digits, without an exponent where that is short."""
    if x == 0:
        return "0"
    text = f"{x:#.{digits}g}" if 1e-4 <= abs(x) < 1e6 else f"{x:.{digits - 1}e}"
    if "e" in text and abs(x) < 1e6 and abs(x) >= 1:
        text = f"{x:.0f}"
    return text.rstrip(".")
