"""Commands are run in this process: what a shell would see, without starting an interpreter each time."""

from pathlib import Path
from typing import NamedTuple

import pytest

from ppl.cli.main import run

COIN = """model coin[N](a: pos = 1) {
  p ~ Beta(a, a)
  plate i in N {
    data y[i]: bool ~ Bernoulli(p)
  }
  output odds = p / (1 - p)
}
"""


class Done(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def ppl(capfd, tmp_path, monkeypatch):
    """``ppl("run", "coin.ppl", …)`` in a fresh directory with coin.ppl and coin.json; no traceback may ever be
    shown."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PPL_CACHE_DIR", str(Path(__file__).parents[2] / ".cache" / "ppl"))
    (tmp_path / "coin.ppl").write_text(COIN)
    (tmp_path / "coin.json").write_text('{"y": [1, 1, 1, 0, 1]}')

    def call(*argv):
        code = run([str(a) for a in argv])
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err and "internal error" not in err
        return Done(code, out, err)

    return call
