"""The user's cache directory: XLA's compilation cache, and whole compiled programs.

A program that was compiled for the same model, data, method, versions and device is loaded without tracing the model,
without importing the sampler's library and without lowering: what is left of a second run is reading the file and
running it."""

from __future__ import annotations

import functools
import hashlib
import os
import pickle
import re
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jaxlib

from ppl.runtime import ambient

_KEPT = 256  # compiled programs; the oldest go first


def directory() -> Path | None:
    """``$PPL_CACHE_DIR``, else the usual place for caches of this system; None where caching is switched off by an
    empty ``PPL_CACHE_DIR`` or the directory cannot be made."""
    named = os.environ.get("PPL_CACHE_DIR")
    if named == "":
        return None
    if named is not None:
        path = Path(named)
    elif sys.platform == "darwin":
        path = Path.home() / "Library" / "Caches" / "ppl"
    else:
        path = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ppl"
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return None
    return path if os.access(path, os.W_OK) else None


def enable_compilation_cache() -> None:
    """Points XLA's compilation cache to our directory, unless the user has chosen a place for it."""
    path = directory()
    if path is None or jax.config.jax_compilation_cache_dir is not None:  # type: ignore[attr-defined]
        return
    jax.config.update("jax_compilation_cache_dir", str(path / "xla"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


@functools.cache
def _sources() -> str:
    """A digest of this package's files, so that a program compiled by other code is never used."""
    root = Path(__file__).parent.parent
    digest = hashlib.sha256()
    for path in sorted(p for p in root.rglob("*") if p.suffix in (".py", ".ppl", ".lark")):
        stat = path.stat()
        digest.update(f"{path.relative_to(root)} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


@functools.cache
def _prepare_lapack() -> None:
    """jaxlib looks LAPACK up when a program that uses it is lowered, which a program from disk is not: without this its
    first Cholesky factor on a CPU is a call through a null pointer."""
    try:
        from jaxlib.lapack import prepare_lapack_call
    except ImportError:  # a jaxlib that has moved it: the test of loaded programs says so
        return
    prepare_lapack_call("potrf_ffi", jax.numpy.dtype("float64"))


class Job(NamedTuple):
    """A program lowered and not yet compiled: ``options`` go to XLA, ``path`` is where it will be kept, or None."""

    name: str
    lowered: Any
    options: dict[str, Any]
    path: Path | None


class Compiler:
    """Compiles functions ahead of time and keeps the programs on disk.

    ``fingerprint`` identifies everything that the functions close over (model, data, method); without it nothing is
    kept. ``compiled`` and ``loaded``: the names of the programs made and found."""

    def __init__(self, fingerprint: str | None):
        self.fingerprint = fingerprint
        self.compiled: list[str] = []
        self.loaded: list[str] = []

    def load(self, name: str) -> Callable[..., Any] | None:
        """The program kept under ``name``, or None."""
        path = self._path(name)
        if path is None or not path.exists():
            return None
        from jax.experimental import serialize_executable

        _prepare_lapack()
        try:
            program = serialize_executable.deserialize_and_load(*pickle.loads(path.read_bytes()))
            os.utime(path)
        except Exception:  # noqa: BLE001 - whatever is wrong with a kept program, compiling it anew is right
            path.unlink(missing_ok=True)
            return None
        self.loaded.append(name)
        return program

    def trace(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        """``function`` traced for arguments like ``args`` (arrays or shapes); its ``jaxpr`` tells how large it is."""

        def program(*arguments: Any) -> Any:
            return function(*arguments)

        program.__name__ = re.sub(r"\W", "_", name)
        if self._path(name) is not None:
            # XLA cannot write a CPU program that it has read from its own cache ("Function … not found" when it runs):
            # a name that was never there before makes sure that the program is compiled.
            program.__name__ += "_" + secrets.token_hex(8)
        return jax.jit(program).trace(*args)

    def lower(self, name: str, traced: Any, options: dict[str, Any]) -> Job:
        return Job(name, traced.lower(), options, self._path(name))

    def compile(self, job: Job) -> Callable[..., Any]:
        """The program of a job, kept for the next run. May be called in another thread than ``lower``."""
        try:
            program = job.lowered.compile(compiler_options=job.options or None)
        except jax.errors.JaxRuntimeError as error:
            if "No such compile option" not in str(error):
                raise
            program = job.lowered.compile()  # an XLA that does not know these options, which save time and no more
        self.compiled.append(job.name)
        _keep(job.path, program)
        return program

    def _path(self, name: str) -> Path | None:
        place = directory()
        if self.fingerprint is None or place is None:
            return None
        device = ambient.device()
        parts = (
            self.fingerprint, name, _sources(), jax.__version__, jaxlib.__version__, sys.version,
            device.platform, device.device_kind,
            str(ambient.bits()), os.environ.get("XLA_FLAGS", ""),
        )  # fmt: skip
        return place / "programs" / hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _keep(path: Path | None, program: Any) -> None:
    if path is None:
        return
    from jax.experimental import serialize_executable

    try:
        content = pickle.dumps(serialize_executable.serialize(program))
    except (NotImplementedError, ValueError, TypeError, AttributeError, pickle.PicklingError):
        return  # results of user-defined classes, or a backend without serialisation: the program is used and not kept
    temporary = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary.write_bytes(content)
        os.replace(temporary, path)
        _forget(path.parent)
    except OSError:
        temporary.unlink(
            missing_ok=True
        )  # a full disk, a place that cannot be written: the run goes on without a kept program


def _forget(folder: Path) -> None:
    """Removes the oldest programs beyond the number that is kept. Other processes do the same at the same time."""

    def age(file: Path) -> float:
        try:
            return file.stat().st_mtime
        except FileNotFoundError:
            return 0.0

    for old in sorted(folder.iterdir(), key=age)[:-_KEPT]:
        old.unlink(missing_ok=True)
