"""Small plots as SVG fragments: trace, rank histogram, intervals. Plain NumPy and text."""

from __future__ import annotations

from html import escape

import numpy as np

from ppl.runtime.results.table import significant

COLORS = ("#3b6fb6", "#d9822b", "#4f9d5d", "#b8476b", "#7a5fb0", "#8a6d3b", "#2f9aa0", "#777777")


def trace_plot(x: np.ndarray, width: int = 420, height: int = 110) -> str:
    """Values of [chain, draw] against the iteration; at most one point a pixel pair."""
    step = max(1, x.shape[1] // (width // 2))
    thin = x[:, ::step]
    low, high = _range(thin)
    body = []
    for c, chain in enumerate(thin):
        xs = np.linspace(40, width - 4, len(chain))
        ys = height - 14 - (np.nan_to_num(chain, nan=low) - low) / (high - low) * (height - 22)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(xs, ys, strict=True))
        style = f'fill="none" stroke="{COLORS[c % len(COLORS)]}" stroke-width="0.7" opacity="0.75"'
        body.append(f'<polyline points="{points}" {style}/>')
    return _svg(width, height, "".join(body) + _labels(low, high, height))


def rank_plot(x: np.ndarray, width: int = 260, height: int = 110, bins: int = 20) -> str:
    """For each chain a histogram of the ranks of its draws among all draws: flat where the chains agree."""
    chains, draws = x.shape
    bins = max(2, min(bins, draws // 5 or 2))
    ranks = np.argsort(np.argsort(x, axis=None, kind="stable"), kind="stable").reshape(x.shape)
    body = []
    row = (height - 8) / chains
    for c in range(chains):
        counts = np.histogram(ranks[c], bins=bins, range=(0, chains * draws))[0]
        base = 4 + row * (c + 1)
        unit = (row - 3) / (2 * draws / bins)
        w = (width - 8) / bins
        for b, n in enumerate(counts):
            h = min(n * unit, row - 1)
            size = f'width="{w - 1:.1f}" height="{h:.1f}" fill="{COLORS[c % len(COLORS)]}" opacity="0.8"'
            body.append(f'<rect x="{4 + b * w:.1f}" y="{base - h:.1f}" {size}/>')
        even = base - draws / bins * unit
        dashes = 'stroke="#333" stroke-dasharray="3 3" stroke-width="0.6"'
        body.append(f'<line x1="4" x2="{width - 4}" y1="{even:.1f}" y2="{even:.1f}" {dashes}/>')
    return _svg(width, height, "".join(body))


def interval_plot(rows: list[tuple[str, float, float, float]], width: int = 640) -> str:
    """Names with median and 90 % interval (q05, q50, q95) on one common axis."""
    rows = [r for r in rows if np.isfinite(r[1:]).all()]
    if not rows:
        return ""
    left, right, line = 150, width - 24, 22
    low = min(min(r[1] for r in rows), 0.0)
    high = max(max(r[3] for r in rows), 0.0)
    high = high if high > low else low + 1

    def at(v: float) -> float:
        return left + (v - low) / (high - low) * (right - left)

    height = line * len(rows) + 34
    body = [f'<line x1="{at(0):.1f}" x2="{at(0):.1f}" y1="6" y2="{height - 24}" stroke="#bbb" stroke-dasharray="3 3"/>']
    for k, (name, q05, q50, q95) in enumerate(rows):
        y = 18 + line * k
        body.append(
            f'<text x="{left - 10}" y="{y + 4}" text-anchor="end" font-size="12">{escape(name)}</text>'
            f'<line x1="{at(q05):.1f}" x2="{at(q95):.1f}" y1="{y}" y2="{y}" stroke="{COLORS[0]}" stroke-width="2.4"/>'
            f'<circle cx="{at(q50):.1f}" cy="{y}" r="4" fill="white" stroke="{COLORS[0]}" stroke-width="2"/>'
        )
    for v in _ticks(low, high):
        body.append(
            f'<text x="{at(v):.1f}" y="{height - 6}" text-anchor="middle" font-size="11" fill="#555">{v:g}</text>'
        )
        body.append(f'<line x1="{at(v):.1f}" x2="{at(v):.1f}" y1="{height - 24}" y2="{height - 19}" stroke="#555"/>')
    body.append(f'<line x1="{left}" x2="{right}" y1="{height - 24}" y2="{height - 24}" stroke="#555"/>')
    return _svg(width, height, "".join(body))


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers, about six."""
    raw = (high - low) / 6
    scale = 10.0 ** np.floor(np.log10(raw))
    step = next(s * scale for s in (1, 2, 5, 10) if s * scale >= raw)
    return [float(k * step) for k in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]


def _range(x: np.ndarray) -> tuple[float, float]:
    finite = x[np.isfinite(x)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _labels(low: float, high: float, height: int) -> str:
    style = 'font-size="10" fill="#555" text-anchor="end"'
    return "".join(
        f'<text x="36" y="{y}" {style}>{significant(value, 3)}</text>' for y, value in ((14, high), (height - 12, low))
    )


def _svg(width: int, height: int, body: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="Helvetica, Arial, sans-serif">{body}</svg>'
    )
