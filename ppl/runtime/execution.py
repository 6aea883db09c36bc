"""One run: compile, advance in chunks, complete the draws."""

from __future__ import annotations

import importlib.metadata
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np

from ppl.core.errors import MethodError
from ppl.core.target import Target
from ppl.inference.methods.base import Method
from ppl.inference.program import Finished, Program, Records, State
from ppl.inference.run import Posterior, Timing
from ppl.runtime import ambient, checkpoints, resources
from ppl.runtime.checkpoints import Checkpoint
from ppl.runtime.compilation import Compiled, compiled
from ppl.runtime.interrupt import Interrupted, Interruption
from ppl.runtime.progress import Listener, Progress, silent
from ppl.runtime.recompilation import noticed
from ppl.runtime.seeds import key_data

_SECONDS_PER_CALL = 1.0  # how long one call of a compiled program may keep the run from being seen, saved or stopped
_SAVING_SHARE = 0.05  # of the time of a run that may go into checkpoints


def execute(
    target: Target,
    method: Method,
    *,
    seed: int = 0,
    identity: dict[str, str] | None = None,
    progress: Listener = silent,
    checkpoint: Path | None = None,
    periodic: bool = True,
    resume: Path | None = None,
    memory_limit: int | None = None,
) -> Posterior:
    """Runs ``method`` on ``target``, in the environment in force (``ppl.runtime.environment``).

    ``identity`` identifies the model and its data by digests (``{"model": …, "data": …}``): with it compiled programs
    are kept on disk, and checkpoints know what they are of. ``checkpoint`` is written as the run goes (without
    ``periodic``: only when it is interrupted); ``resume`` continues one (and may be the same path). ``memory_limit`` in
    bytes.

    Ctrl-C ends the run after the chunk in progress: the result then has ``complete=False``, or, where no draw was
    kept yet, Interrupted is raised (exit code 130). Raises MethodError (3), CheckpointError (4), NumericalError (5),
    ResourceError (6)."""
    chosen, reason = method.resolve(target)
    chosen.check(target)
    if chosen.needs.gradient and not target.latents:
        raise MethodError(
            f"{chosen.name} has nothing to sample: the model has no latent random variables",
            helps=("--method 'enumerate'",),
        )
    program = chosen.program(target)
    who = {**(identity or {}), "method": chosen.expression(), "seed": str(seed), **_surroundings()}
    fingerprint = None if identity is None else repr(sorted({**who, "seed": ""}.items()))

    began = time.perf_counter()
    progress(Progress("compile", 0, program.total, 0.0))
    if memory_limit is not None:
        resources.require_memory(program, resources.bytes_per_draw(program), memory_limit)
    programs = compiled(program, fingerprint, lambda: _require_memory(program))
    warnings: tuple[str, ...] = ()
    if identity is not None and programs.compiler.compiled:
        warnings = noticed(repr((identity.get("model"), chosen.expression())), [a.shape for a in program.arrays])
    compile_s = time.perf_counter() - began

    run = _Run(program, programs, key_data(seed), who, progress, checkpoint, periodic)
    if resume is None:
        run.start()
    else:
        warnings += run.resume(resume)
    run.advance()
    finished, whole = run.finish()
    notes = (f"{method.name} chose {chosen.name}: {reason}",) if reason else ()
    return Posterior(
        method=chosen.name,
        expression=chosen.expression(),
        seed=seed,
        draws=target.in_order(whole["trace"]),
        data=whole["data"],
        outputs=target.in_order(whole["outputs"]),
        value=whole["value"],
        stats=finished.stats,
        log_weights=finished.log_weights,
        log_evidence=finished.evidence,
        warnings=warnings + finished.warnings,
        notes=notes + finished.notes,
        timing=Timing(compile_s, *run.seconds),
        complete=run.iteration >= program.total or program.done(run.state),
        fit=finished.fit,
        environment=_surroundings(),
    )


class _Run:
    """The part of a run that moves: ``iteration``, ``state``, the records kept so far, and the seconds of (warm-up,
    sampling)."""

    def __init__(
        self,
        program: Program,
        programs: Compiled,
        key: np.ndarray,
        identity: dict[str, str],
        progress: Listener,
        checkpoint: Path | None,
        periodic: bool,
    ):
        self.program, self.programs, self.key, self.identity = program, programs, key, identity
        self.progress, self.checkpoint, self.periodic = progress, checkpoint, periodic
        self.iteration = 0
        self.state: State = None
        self.kept: list[Records] = []
        self.seconds = (0.0, 0.0)
        self._divergences = 0
        self._saved_at, self._saving = time.perf_counter(), 0.0

    def start(self) -> None:
        began = time.perf_counter()
        first = self.programs.start(self.program.arrays, self.key)
        self.program.inspect(first)
        self.state = self.program.carry(first)
        self.seconds = (time.perf_counter() - began, 0.0)

    def resume(self, path: Path) -> tuple[str, ...]:
        """Continues from a checkpoint; says where an older generation had to be taken."""
        found, warning = checkpoints.read(path, self.identity)
        self.iteration, self.state, self.seconds = found.iteration, found.state, found.seconds
        self.kept = [] if found.records is None else [found.records]
        return (warning,) if warning else ()

    def advance(self) -> None:
        """To the end, or until Ctrl-C."""
        program, length = self.program, min(self.program.chunk, 16) if self.program.elastic else self.program.chunk
        began = time.perf_counter()
        with Interruption() as interruption:
            while self.iteration < program.total and not program.done(self.state):
                warming = self.iteration < program.warmup
                end = min(self.iteration + length, program.warmup if warming else program.total)
                length = self._call(end, warming, length)
                phase = "warmup" if warming else "sample"
                self.progress(Progress(phase, end, program.total, time.perf_counter() - began, self._divergences))
                if interruption.asked:
                    break
                self._save(now=False)
        if interruption.asked:
            self._save(now=True)
            self._require_result()
        self.progress(Progress("sample", program.total, program.total, time.perf_counter() - began, self._divergences))

    def _call(self, end: int, warming: bool, length: int) -> int:
        """One call of the compiled program; returns how many iterations the next one should have."""
        began, count = time.perf_counter(), end - self.iteration
        state, records = self.programs.advance(self.program.arrays, self.state, np.int32(self.iteration), np.int32(end))
        rows = jax.tree.map(lambda a: np.asarray(a)[:count], records)
        jax.block_until_ready(state)
        spent = time.perf_counter() - began
        if not warming:
            self.kept.append(rows)
            if "stats" in rows and "diverging" in rows["stats"]:
                self._divergences += int(rows["stats"]["diverging"].sum())
        warmup_s, sample_s = self.seconds
        self.state, self.iteration = state, end
        self.seconds = (warmup_s + spent, sample_s) if warming else (warmup_s, sample_s + spent)
        if not self.program.elastic:
            return length
        wanted = int(_SECONDS_PER_CALL * count / max(spent, 1e-9))
        return max(1, min(self.program.chunk, wanted))

    def _save(self, now: bool) -> None:
        """Writes the checkpoint, unless that has taken too much of the time already."""
        if self.checkpoint is None or not (now or self.periodic):
            return
        began = time.perf_counter()
        if not now and self._saving > _SAVING_SHARE * (began - self._saved_at):
            return
        state = jax.tree.map(np.asarray, self.state)
        records = _concatenated(self.kept) if self.kept else None
        self.kept = [] if records is None else [records]
        checkpoints.write(self.checkpoint, Checkpoint(self.identity, self.iteration, state, records, self.seconds))
        self._saved_at = time.perf_counter()
        self._saving = self._saved_at - began

    def _require_result(self) -> None:
        if self.kept and self.program.partial:
            return
        helps = (
            ()
            if self.checkpoint is None
            else (f"go on from iteration {self.iteration} with --resume {self.checkpoint}",)
        )
        raise Interrupted(
            f"interrupted at iteration {self.iteration} of {self.program.total}, before there was a result", helps=helps
        )

    def finish(self) -> tuple[Finished, dict[str, Any]]:
        """What the method found, and the draws made whole, arrays [chain, draw, …]."""
        began = time.perf_counter()
        state = jax.tree.map(np.asarray, self.state)
        finished = self.program.finish(state, _concatenated(self.kept) if self.kept else {})
        leading = _leading(finished)
        count, block = leading[0] * leading[1], self.programs.block
        flat = jax.tree.map(lambda a: np.reshape(a, (count, *np.shape(a)[2:])), finished.samples)
        parts = []
        for offset in range(0, count, block):
            batch = jax.tree.map(lambda a: _padded(np.asarray(a)[offset : offset + block], block), flat)  # noqa: B023
            part = self.programs.complete(self.program.arrays, self.key, np.int32(offset), batch)
            parts.append(jax.tree.map(lambda a: np.asarray(a)[: count - offset], part))  # noqa: B023
        whole = jax.tree.map(lambda *a: np.concatenate(a).reshape(*leading, *a[0].shape[1:]), *parts)
        self.seconds = (self.seconds[0], self.seconds[1] + time.perf_counter() - began)
        return finished, whole


def _leading(finished: Finished) -> tuple[int, int]:
    """(chains, draws), also of samples without any latent."""
    arrays = [*jax.tree.leaves(finished.samples), *finished.stats.values(), finished.log_weights]
    return next((np.shape(a)[:2] for a in arrays if a is not None), (1, 1))


def _require_memory(program: Program) -> None:
    resources.require_memory(program, resources.bytes_per_draw(program))


def _concatenated(kept: list[Records]) -> Records:
    return kept[0] if len(kept) == 1 else jax.tree.map(lambda *a: np.concatenate(a), *kept)


def _padded(rows: np.ndarray, length: int) -> np.ndarray:
    """``rows`` with the last one repeated up to ``length``."""
    short = length - rows.shape[0]
    return rows if short <= 0 else np.concatenate([rows, np.repeat(rows[-1:], short, axis=0)])


def _surroundings() -> dict[str, str]:
    """Versions, device and precision: what a run's draws depend on besides its identity."""
    try:
        own = importlib.metadata.version("ppl")
    except importlib.metadata.PackageNotFoundError:
        own = "source"
    return {
        "ppl": own,
        "jax": jax.__version__,
        "device": ambient.device().device_kind,
        "precision": str(ambient.bits()),
    }
