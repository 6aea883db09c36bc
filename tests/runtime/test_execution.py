"""Runs: chunks, resumption, interruption, counts of traces and compilations."""

import os
import signal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ppl.core.errors import MethodError
from ppl.core.functional import FunctionalTarget, real
from ppl.inference.methods.auto import Auto
from ppl.inference.methods.hmc import Hmc
from ppl.inference.methods.importance import Importance
from ppl.inference.methods.mode import Map
from ppl.inference.methods.nuts import Nuts
from ppl.runtime import execution
from ppl.runtime.checkpoints import CheckpointError, previous, read
from ppl.runtime.execution import execute
from ppl.runtime.interrupt import Interrupted
from ppl.runtime.recompilation import forget
from tests.inference.targets import conjugate, gaussian_and_gamma, two_coins

METHOD = Hmc(chains=2, warmup=60, draws=90, steps=3)
IDENTITY = {"model": "m", "data": "d"}


class Stop:
    """A listener that sends Ctrl-C once ``phase`` has come to ``done`` iterations."""

    def __init__(self, done: int):
        self.done, self.seen = done, []

    def __call__(self, progress):
        self.seen.append(progress)
        if progress.phase != "compile" and progress.done >= self.done:
            self.done = np.inf
            os.kill(os.getpid(), signal.SIGINT)


def same(a, b):
    for left, right in ((a.draws, b.draws), (a.stats, b.stats), (a.outputs, b.outputs)):
        assert left.keys() == right.keys()
        for name in left:
            np.testing.assert_array_equal(left[name], right[name])


@pytest.fixture(autouse=True)
def programs(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("PPL_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "programs"))


@pytest.fixture(scope="module")
def whole():
    return execute(gaussian_and_gamma(), METHOD, seed=4)


def test_chunks_do_not_change_the_draws(whole, monkeypatch):
    monkeypatch.setattr(execution, "_SECONDS_PER_CALL", 0.0)  # one iteration a call, after the first
    stop = Stop(10**9)
    same(whole, execute(gaussian_and_gamma(), METHOD, seed=4, progress=stop, identity=IDENTITY))
    assert len(stop.seen) > 100


def test_a_seed_fixes_the_draws_and_another_one_changes_them(whole):
    same(whole, execute(gaussian_and_gamma(), METHOD, seed=4, identity=IDENTITY))
    other = execute(gaussian_and_gamma(), METHOD, seed=5, identity=IDENTITY)
    assert not np.any(other.draws["s"] == whole.draws["s"])


def test_an_interrupted_run_keeps_its_draws_and_goes_on_to_the_same_end(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(execution, "_SECONDS_PER_CALL", 0.0)
    path = tmp_path / "run.checkpoint"
    part = execute(gaussian_and_gamma(), METHOD, seed=4, identity=IDENTITY, checkpoint=path, progress=Stop(80))
    assert not part.complete and part.shape[0] == 2 and 0 < part.shape[1] < 90
    np.testing.assert_array_equal(part.draws["s"], whole.draws["s"][:, : part.shape[1]])
    rest = execute(gaussian_and_gamma(), METHOD, seed=4, identity=IDENTITY, checkpoint=path, resume=path)
    assert rest.complete
    same(whole, rest)


def test_interrupted_during_warm_up(whole, tmp_path):
    path = tmp_path / "run.checkpoint"
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted, match="--resume") as error:
        execute(gaussian_and_gamma(), METHOD, seed=4, identity=IDENTITY, checkpoint=path, progress=Stop(1))
    assert error.value.exit_code == 130
    same(whole, execute(gaussian_and_gamma(), METHOD, seed=4, identity=IDENTITY, resume=path))
    assert signal.getsignal(signal.SIGINT) is handler


def test_resuming_another_run_names_the_fields(tmp_path):
    path = tmp_path / "run.checkpoint"
    with pytest.raises(Interrupted):
        execute(gaussian_and_gamma(), METHOD, seed=4, identity=IDENTITY, checkpoint=path, progress=Stop(1))
    with pytest.raises(CheckpointError, match="data, seed differ") as error:
        execute(gaussian_and_gamma(), METHOD, seed=5, identity={"model": "m", "data": "e"}, resume=path)
    assert error.value.exit_code == 4 and "the checkpoint has 4, this run has 5" in str(error.value)


def test_a_damaged_checkpoint_falls_back_to_the_one_before(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(execution, "_SAVING_SHARE", np.inf)
    path = tmp_path / "run.checkpoint"
    execute(gaussian_and_gamma(), METHOD, seed=4, identity=IDENTITY, checkpoint=path, progress=Stop(70))
    assert previous(path).exists() and read(path)[0].iteration > read(previous(path))[0].iteration
    path.write_bytes(path.read_bytes()[:-100])
    again = execute(gaussian_and_gamma(), METHOD, seed=4, identity=IDENTITY, resume=path)
    same(whole, again)
    assert "checksum does not match; going on from the one before it" in again.warnings[0]


def test_a_run_traces_the_density_once_and_compiles_three_programs(tmp_path, monkeypatch):
    monkeypatch.setenv("PPL_CACHE_DIR", str(tmp_path))
    made = []
    original = execution.compiled
    monkeypatch.setattr(execution, "compiled", lambda *a: made.append(original(*a)) or made[-1])
    calls: list = []
    method = Hmc(chains=2, warmup=20, draws=5, steps=2)
    first = execute(gaussian_and_gamma(calls), method, identity=IDENTITY)
    assert len(calls) == 1 and len(made[0].compiler.compiled) == 3 and not made[0].compiler.loaded
    second = execute(gaussian_and_gamma(calls), method, identity=IDENTITY, seed=0)
    assert (
        len(calls) == 1 and not made[1].compiler.compiled and len(made[1].compiler.loaded) == 3
    )  # nothing traced again
    same(first, second)
    execute(gaussian_and_gamma(calls), method, identity={"model": "other", "data": "d"})
    assert len(calls) == 2 and len(made[2].compiler.compiled) == 3


def test_nuts_traces_the_density_once(monkeypatch):
    calls: list = []
    execute(gaussian_and_gamma(calls), Nuts(chains=2, warmup=5, draws=5))
    assert len(calls) == 1


def test_data_are_arguments_of_the_programs_and_not_constants():
    calls = []

    def log_density(y, trace):
        calls.append(type(y))
        return -0.5 * jnp.sum((y - trace["m"]) ** 2)

    target = FunctionalTarget({"m": real()}, eqx.Partial(log_density, jnp.arange(3.0)))
    posterior = execute(target, Hmc(chains=2, warmup=50, draws=50))
    assert len(calls) == 1 and issubclass(calls[0], jax.core.Tracer)
    assert abs(posterior.draws["m"].mean() - 1) < 1
    assert execute(target, Map()).draws["m"].item() == pytest.approx(1)


def test_data_of_ever_new_shapes_are_warned_about():
    forget()
    warnings = []
    for n in (2, 3, 3, 4, 5):
        target = FunctionalTarget(
            {"m": real()}, eqx.Partial(lambda y, t: -0.5 * jnp.sum((y - t["m"]) ** 2), jnp.ones(n)), **_standard_prior
        )
        warnings.append(execute(target, Importance(10), identity={"model": "grows", "data": str(n)}).warnings)
    assert not any(warnings[:4])
    assert "compiled for 4 shapes of data" in warnings[4][0] and "array 0, axis 0: 2, 3, 4, 5" in warnings[4][0]


_standard_prior = {"prior": lambda key: {"m": jax.random.normal(key)}, "log_likelihood": lambda t: 0.0 * t["m"]}


def test_a_kept_program_that_is_damaged_is_compiled_again(tmp_path, monkeypatch):
    monkeypatch.setenv("PPL_CACHE_DIR", str(tmp_path))
    target, *_ = conjugate()
    first = execute(target, Importance(10), identity=IDENTITY)
    for path in (tmp_path / "programs").iterdir():
        path.write_bytes(b"nonsense")
    same(first, execute(target, Importance(10), identity=IDENTITY))


def test_progress_counts_up():
    stop = Stop(10**9)
    execute(gaussian_and_gamma(), METHOD, progress=stop, identity=IDENTITY)
    assert [p.phase for p in stop.seen if p.phase != "sample"] == ["compile"] + ["warmup"] * sum(
        p.phase == "warmup" for p in stop.seen
    )
    done = [p.done for p in stop.seen]
    assert done == sorted(done) and done[-1] == 150


def test_auto_is_recorded():
    posterior = execute(two_coins(), Auto())
    assert posterior.method == "enumerate" and "auto chose enumerate" in posterior.notes[0]


def test_nothing_to_sample():
    with pytest.raises(MethodError, match="nothing to sample"):
        execute(FunctionalTarget({}, lambda t: 0.0), Nuts())


def test_draws_are_completed_in_blocks(monkeypatch):
    from ppl.runtime import compilation

    target, *_ = conjugate()
    whole = execute(target, Importance(50), seed=1)
    monkeypatch.setattr(compilation, "_BLOCK", 16)
    same(whole, execute(target, Importance(50), seed=1))


def test_the_environment_is_recorded():
    posterior = execute(conjugate()[0], Importance(10))
    assert posterior.environment["jax"] == jax.__version__ and posterior.environment["precision"] == "64"
