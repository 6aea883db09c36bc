"""Devices, precision, seeds, memory, checkpoint files."""

import json

import jax
import numpy as np
import pytest

from ppl.core.errors import ResourceError, UsageError
from ppl.core.functional import FunctionalTarget, real
from ppl.inference.methods.nuts import Nuts
from ppl.runtime.cache import directory
from ppl.runtime.checkpoints import Checkpoint, CheckpointError, previous, read, write
from ppl.runtime.environment import environment
from ppl.runtime.execution import execute
from ppl.runtime.progress import Line, Progress, listener, silent
from ppl.runtime.seeds import key_data


def test_precision_holds_within_the_context_only():
    before = jax.config.jax_enable_x64
    with environment("cpu", 32) as found:
        assert jax.numpy.zeros(()).dtype == np.float32 and found.bits == 32
    with environment("cpu") as found:
        assert jax.numpy.zeros(()).dtype == np.float64 and found.bits == 64
    assert jax.config.jax_enable_x64 == before
    with pytest.raises(UsageError, match="32 or 64"), environment("cpu", 16):
        pass


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(UsageError, match="JAX finds none") as error, environment("gpu"):
        pass
    assert error.value.exit_code == 2
    with pytest.raises(UsageError, match="no device `tpux`"), environment("tpux"):
        pass


@pytest.mark.parametrize("seed", [-1, 2**64, 2**70])
def test_seeds_have_64_bits(seed):
    with pytest.raises(UsageError, match="2\\^64"):
        key_data(seed)


def test_too_many_draws_are_refused_before_anything_is_made():
    target = FunctionalTarget({"x": real(1000)}, lambda t: -0.5 * (t["x"] ** 2).sum())
    with pytest.raises(ResourceError, match="ask for at most .* draws in each of 4 chains") as error:
        execute(target, Nuts(draws=10**9))
    assert error.value.exit_code == 6
    with pytest.raises(ResourceError, match="may be used"):
        execute(target, Nuts(draws=1000), memory_limit=10**6)


STATE = {"a": np.arange(3), "b": (np.float64(2.5), {"c": np.zeros((2, 0))})}


def test_a_checkpoint_reads_back(tmp_path):
    path = tmp_path / "c"
    write(path, Checkpoint({"model": "m"}, 7, STATE, None, (1.0, 2.0)))
    write(path, Checkpoint({"model": "m"}, 9, STATE, {"x": np.ones(2)}, (1.0, 2.0)))
    found, warning = read(path, {"model": "m"})
    assert not warning and found.iteration == 9 and found.records["x"].tolist() == [1, 1]
    assert found.state["b"][1]["c"].shape == (2, 0) and found.state["b"][0] == 2.5
    assert read(previous(path))[0].iteration == 7 and not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    "damage", [lambda b: b[:50], lambda b: b"", lambda b: b[:-1] + b"?", lambda b: b"{}\n" + b, lambda b: b"\xff\n" + b]
)
def test_damage_is_noticed(tmp_path, damage):
    path = tmp_path / "c"
    write(path, Checkpoint({}, 7, STATE, None, (0.0, 0.0)))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(CheckpointError, match="damaged"):
        read(path)


def test_no_checkpoint(tmp_path):
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        read(tmp_path / "none")


def test_a_field_that_is_missing_differs(tmp_path):
    path = tmp_path / "c"
    write(path, Checkpoint({"model": "m", "jax": "1"}, 7, STATE, None, (0.0, 0.0)))
    with pytest.raises(CheckpointError, match="jax differs") as error:
        read(path, {"model": "m"})
    assert "this run has none" in str(error.value)
    header = json.loads(path.read_bytes().partition(b"\n")[0])
    assert set(header) == {"format", "sha256"}


def test_the_cache_can_be_moved_and_switched_off(tmp_path, monkeypatch):
    monkeypatch.setenv("PPL_CACHE_DIR", str(tmp_path / "here"))
    assert directory() == tmp_path / "here"
    monkeypatch.setenv("PPL_CACHE_DIR", "")
    assert directory() is None
    monkeypatch.setenv("PPL_CACHE_DIR", "/dev/null/no")
    assert directory() is None


def test_progress_is_for_terminals(capsys):
    class Terminal:
        def __init__(self):
            self.text = ""

        def write(self, text):
            self.text += text

        def flush(self):
            pass

        def isatty(self):
            return True

    assert listener() is silent
    terminal = Terminal()
    show = listener(terminal)
    assert isinstance(show, Line)
    show(Progress("warmup", 50, 100, 1.0))
    assert "50/100" in terminal.text
    show(Progress("sample", 100, 100, 2.0))
    assert terminal.text.endswith("\x1b[2K")
