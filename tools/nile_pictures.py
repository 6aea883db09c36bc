"""Draws docs/pictures/nile_level.svg and nile_pmmh.svg from real runs on the flow of the Nile.

Run `python tools/nile_pictures.py` in the root of the repository; it takes a minute or two. The pictures are committed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import ppl
from ppl.inference.transformations import advance, finish, hoist, repeat, resample, spawn, watch

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "pictures"
FIXED = """
model level[T](noise: pos, drift: pos) {
  var x = 0.0
  for t in 0..T {
    step[t] ~ Normal(0, if t == 0 then 300 else drift)
    x = x + step[t]
    data flow[t]: real ~ Normal(1000 + x, noise)
  }
}
"""
FREE = FIXED.replace("(noise: pos, drift: pos)", "()").replace(
    "  var x", "  drift ~ HalfNormal(100)\n  noise ~ HalfNormal(200)\n  var x"
)
WIDTH, HEIGHT, MARGIN = 640, 260, 45
PROBABILITIES = (0.05, 0.5, 0.95)


def quantiles(particles: Any) -> dict[str, Any]:
    """Of the one live variable of the model, by weight."""
    (x,) = jax.tree.leaves(particles.values.live)
    order = jnp.argsort(x)
    at = jnp.searchsorted(jnp.cumsum(particles.weights[order]), jnp.asarray(PROBABILITIES))
    return {"quantiles": x[order][jnp.minimum(at, x.size - 1)]}


class Plot:
    """Axes in a box; data coordinates to pixels."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float], title: str, labels: tuple[str, str]):
        self.x, self.y = x, y
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="11">',
            f"<title>{title}</title>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        ]
        for value in np.linspace(*x, 5):
            px, _ = self.at(value, y[0])
            self.text(px, HEIGHT - MARGIN + 16, f"{value:.0f}")
        for value in np.linspace(*y, 5):
            _, py = self.at(x[0], value)
            self.text(MARGIN - 20, py + 4, f"{value:.0f}")
            self.parts.append(f'<path d="M{MARGIN} {py:.1f}H{WIDTH - 10}" stroke="#ddd"/>')
        self.text(WIDTH / 2, HEIGHT - 8, labels[0])
        self.text(WIDTH / 2, 14, labels[1])

    def at(self, x: float, y: float) -> tuple[float, float]:
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return MARGIN + across * (WIDTH - MARGIN - 10), HEIGHT - MARGIN - up * (HEIGHT - MARGIN - 25)

    def text(self, px: float, py: float, words: str) -> None:
        self.parts.append(f'<text x="{px:.0f}" y="{py:.0f}" text-anchor="middle" fill="#333">{words}</text>')

    def path(self, xs: Any, ys: Any, style: str) -> None:
        points = " ".join("{:.1f},{:.1f}".format(*self.at(float(x), float(y))) for x, y in zip(xs, ys, strict=True))
        self.parts.append(f'<polyline points="{points}" {style}/>')

    def dots(self, xs: Any, ys: Any, style: str) -> None:
        for x, y in zip(xs, ys, strict=True):
            px, py = self.at(float(x), float(y))
            self.parts.append(f'<circle cx="{px:.1f}" cy="{py:.1f}" {style}/>')

    def write(self, name: str) -> None:
        PICTURES.mkdir(exist_ok=True)
        (PICTURES / name).write_text("\n".join([*self.parts, "</svg>", ""]), encoding="utf-8")


def level(flow: list[float]) -> None:
    with ppl.environment("cpu"):
        program = ppl.suspend(ppl.parse(FIXED).level(noise=123.0, drift=38.0).given(flow=flow))
        step = hoist(watch(quantiles)) @ advance @ hoist(resample(ess=0.5))
        filtered = (finish @ repeat(step) @ hoist(spawn(20_000)))(program)
        low, middle, high = (
            1000 + np.asarray(jax.jit(lambda key: filtered.run(key))(jax.random.key(0))[1]["quantiles"]).T
        )
    years = 1871 + np.arange(len(flow))
    plot = Plot(
        (1870, 1970),
        (400, 1400),
        "Filtered level of the Nile",
        ("year", "flow at Aswan and its filtered level, 10⁸ m³"),
    )
    plot.path([*years, *years[::-1]], [*low, *high[::-1]], 'fill="#9ecae1" fill-opacity="0.6" stroke="none"')
    plot.path(years, middle, 'fill="none" stroke="#08519c" stroke-width="2"')
    plot.dots(years, flow, 'r="2" fill="#444"')
    plot.write("nile_level.svg")


def parameters(flow: list[float]) -> None:
    result = ppl.infer(
        ppl.parse(FREE).level().given(flow=flow), "pmmh(100, chains=4, warmup=300, draws=500)", seed=0, device="cpu"
    )
    noise, drift = np.ravel(result["noise"]), np.ravel(result["drift"])
    plot = Plot(
        (80, 180), (0, 120), "Posterior of the parameters by PMMH", ("noise", "drift: draws of PMMH with 100 particles")
    )
    plot.dots(noise[::4], drift[::4], 'r="1.8" fill="#08519c" fill-opacity="0.35"')
    plot.write("nile_pmmh.svg")
    print(f"noise {noise.mean():.1f} ± {noise.std():.1f}, drift {drift.mean():.1f} ± {drift.std():.1f}")


if __name__ == "__main__":
    series = json.loads((ROOT / "examples" / "nile" / "data.json").read_text(encoding="utf-8"))["flow"]
    level(series)
    parameters(series)
