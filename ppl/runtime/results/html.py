"""A run as one HTML page that needs nothing else: summary, intervals, traces and ranks, the model, and where it came
from."""

from __future__ import annotations

from html import escape

import numpy as np

from ppl.inference.run import Posterior
from ppl.runtime.results.plots import interval_plot, rank_plot, trace_plot
from ppl.runtime.results.record import Record
from ppl.runtime.results.summary import STATISTICS, Summary
from ppl.runtime.results.table import bound_line, significant
from ppl.runtime.results.variables import variables

SHOWN = 40
"""Scalars with a row of plots; the table has all up to ``ROWS``."""
ROWS = 1000
HEADS = ("mean", "sd", "5 %", "median", "95 %", "ess bulk", "ess tail", "R-hat", "mcse")
_STYLE = """
body { font: 15px/1.5 Helvetica, Arial, sans-serif; color: #1b1b1b; max-width: 62rem; margin: 2rem auto; padding: 0 1rem
} table { border-collapse: collapse; font-variant-numeric: tabular-nums } td, th { padding: .15rem .7rem; text-align:
right } th { border-bottom: 1px solid #999; font-weight: 600 } td:first-child, th:first-child { text-align: left }
tr:nth-child(even) td { background: #f6f6f6 } .warn { background: #fff3d6; border-left: 4px solid #d9822b; padding:
.5rem 1rem; margin: .5rem 0 } pre { background: #f6f6f6; padding: 1rem; overflow: auto } .bad { color: #b3261e;
font-weight: 600 } h2 { margin-top: 2.2rem }
"""


def to_html(posterior: Posterior, summary: Summary, record: Record) -> str:
    """The page."""
    chains, draws = posterior.shape
    evidence = posterior.log_evidence
    rows = [(label, i, name) for name, s in summary.statistics.items() for i, label in _scalars(name, s["mean"].shape)]
    name = escape(record.model)
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{name}</title><style>{_STYLE}</style><h1>{name}</h1>",
        f"<p>{escape(posterior.expression)} · {chains} chains of {draws} draws · seed {posterior.seed}</p>",
    ]
    if evidence is not None:
        parts.append(
            f"<p>log evidence {evidence.value:.6g}" + ("" if evidence.se is None else f" ± {evidence.se:.2g}") + "</p>"
        )
    if posterior.fit is not None:
        parts.append(f"<p>{escape(bound_line(posterior.fit.bound))}</p>")
    parts += [f'<div class="warn">{escape(w)}</div>' for w in summary.warnings]
    parts += [f"<p>{escape(n)}</p>" for n in posterior.notes]
    parts += ["<h2>Summary</h2>", _table(rows[:ROWS], summary)]
    parts += ["<h2>Median and 90 % interval</h2>", _intervals(rows[:SHOWN], summary)]
    if posterior.log_weights is None and draws > 1:
        parts += ["<h2>Traces and ranks</h2>", _plots(rows[:SHOWN], posterior)]
    for name, text in record.files.items():
        parts.append(f"<h2>{escape(name)}</h2><pre>{escape(text)}</pre>")
    facts = {"data": record.data_hash, **record.environment, **posterior.environment, "sizes": dict(record.sizes)}
    items = "".join(f"<tr><td>{escape(k)}<td>{escape(str(v))}" for k, v in facts.items())
    parts.append(f"<h2>Where it came from</h2><table>{items}</table></html>")
    return "\n".join(parts) + "\n"


def _scalars(name: str, shape: tuple[int, ...]):
    for i in np.ndindex(shape):
        yield i, name + (f"[{', '.join(map(str, i))}]" if i else "")


def _table(rows: list[tuple[str, tuple[int, ...], str]], summary: Summary) -> str:
    lines = ["<table><tr><th>" + "".join(f"<th>{h}" for h in HEADS)]
    for label, i, name in rows:
        values = [summary.statistics[name][k][i] for k in STATISTICS]
        cells = "".join(
            f"<td{' class=bad' if k == 'rhat' and v > 1.01 else ''}>{_cell(k, v)}"
            for k, v in zip(STATISTICS, values, strict=True)
        )
        lines.append(f"<tr><td>{escape(label)}{cells}")
    return "\n".join([*lines, "</table>"])


def _cell(column: str, value: float) -> str:
    if not np.isfinite(value):
        return "–"
    if column.startswith("ess"):
        return f"{value:.0f}"
    if column == "rhat":
        return f"{value:.3f}" if value < 1000 else "&gt; 999"
    return significant(float(value), 3)


def _intervals(rows: list[tuple[str, tuple[int, ...], str]], summary: Summary) -> str:
    s = summary.statistics
    shown = [(label, float(s[n]["q05"][i]), float(s[n]["q50"][i]), float(s[n]["q95"][i])) for label, i, n in rows]
    return interval_plot(shown)


def _plots(rows: list[tuple[str, tuple[int, ...], str]], posterior: Posterior) -> str:
    arrays = variables(posterior)
    lines = ["<table><tr><th><th>trace<th>ranks by chain"]
    for label, i, name in rows:
        whole = arrays[name]
        x = whole.reshape(*whole.shape[:2], -1)[:, :, np.ravel_multi_index(i, whole.shape[2:]) if i else 0].astype(
            float
        )
        lines.append(f"<tr><td>{escape(label)}<td>{trace_plot(x)}<td>{rank_plot(x)}")
    return "\n".join([*lines, "</table>"])
