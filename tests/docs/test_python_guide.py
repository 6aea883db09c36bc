"""The Python blocks of the guide run, in their order, in one namespace."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_guide(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "guides" / "python.md").read_text(), re.DOTALL)
    source = ROOT / "docs" / "guides" / "python.md"
    names: dict = {}
    for block in blocks:
        exec(compile(block, str(source), "exec"), names)
    assert names["tree"]["log_likelihood"]["y"].shape == (2, 300, 8)
    assert "rate" in capsys.readouterr().out
