"""Trains the autoencoder and draws digits.svg: images, what the decoder makes of their coordinates, and images that it
makes of coordinates drawn from the prior.

    python examples/digits/pictures.py
"""

import json
import sys
from pathlib import Path

import jax
import numpy as np

import ppl

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER))
SIDE, PIXEL, GAP = 8, 5, 6


def picture(rows: list[tuple[str, np.ndarray]]) -> str:
    """Rows of images [image, 64] with grey values in [0, 1], each with a label, as SVG."""
    step = SIDE * PIXEL + GAP
    width, height = 110 + step * max(len(r) for _, r in rows), step * len(rows) + GAP
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif">']
    out.append(f'<rect width="{width}" height="{height}" fill="white"/>')
    for i, (label, images) in enumerate(rows):
        out.append(f'<text x="{GAP}" y="{GAP + i * step + 24}" font-size="12">{label}</text>')
        for j, image in enumerate(images):
            for k, value in enumerate(image):
                x, y = 105 + j * step + (k % SIDE) * PIXEL, GAP + i * step + (k // SIDE) * PIXEL
                grey = round(255 * (1 - float(value)))
                out.append(f'<rect x="{x}" y="{y}" width="{PIXEL}" height="{PIXEL}" fill="rgb({grey},{grey},{grey})"/>')
    return "\n".join([*out, "</svg>\n"])


def main() -> None:
    data = json.loads((FOLDER / "data.json").read_text(encoding="utf-8"))
    target = ppl.load(FOLDER / "vae.ppl").images().given(data)
    method = ppl.vi(guide="encode", batch=50, steps=8000, particles=1, optimiser="adam(0.003)", draws=50)
    result = ppl.infer(target, method)
    print(result.posterior.fit.bound)
    decoder = result.network("decoder")
    chosen = slice(0, 10)
    z = result["z"][0, 0, chosen]
    prior = np.random.default_rng(0).normal(size=(10, z.shape[-1]))
    made = [np.asarray(jax.nn.sigmoid(jax.vmap(decoder)(points))) for points in (z, prior)]
    images = np.asarray(data["x"])[chosen]
    rows = [("data", images), ("decoded", made[0]), ("from the prior", made[1])]
    (FOLDER / "digits.svg").write_text(picture(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
