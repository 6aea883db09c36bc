"""The Python of each guide runs from top to bottom, and its assertions hold."""

import re
from pathlib import Path

import pytest

LONG = {"modular_inference", "validate_outside_parts", "your_own_parts"}  # many runs, many certificates
GUIDES = [
    pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if path.stem in LONG else [])
    for path in sorted((Path(__file__).parents[2] / "docs" / "guides").glob("*.md"))
]


@pytest.mark.parametrize("guide", GUIDES)
def test_the_guide_runs(guide):
    blocks = re.findall(r"^```python\n(.*?)^```", guide.read_text(encoding="utf-8"), re.M | re.S)
    if blocks:
        exec(compile("\n".join(blocks), str(guide), "exec"), {"__name__": guide.stem})
