"""Every example is a program that checks, with data that fit: its density is finite at a draw from the prior."""

import json
from pathlib import Path

import numpy as np
import pytest

from ppl.compiler.pipeline import check_text
from ppl.reference import density, simulate

EXAMPLES = sorted(p.parent for p in (Path(__file__).parents[2] / "examples").glob("*/model.ppl"))


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda p: p.name)
def test_example(folder):
    program = check_text((folder / "model.ppl").read_text(encoding="utf-8")).program
    data = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    called = {name for m in program.models for name in m.calls}
    (model,) = (m.name for m in program.models if m.kind == "model" and m.name not in called)
    run = simulate(program, model, None, data, rng=0)
    value = density(program, model, None, data, run.trace)
    assert np.isfinite(value)
    assert "Answer" in (folder / "README.md").read_text(encoding="utf-8")
