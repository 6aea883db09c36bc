"""Output files: checked before any work is done, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from ppl.core.errors import UsageError


def check_output(path: str, force: bool) -> None:
    """UsageError (exit code 2) if ``path`` cannot be written, or exists and ``force`` is not set. Run before any
    work."""
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.isdir(path):
        raise UsageError(
            f"the output {path} is a directory", helps=(f"name a file in it: {os.path.join(path, 'run.nc')}",)
        )
    if not os.path.isdir(folder):
        raise UsageError(f"the directory of the output does not exist: {folder}", helps=(f"mkdir -p {folder}",))
    if os.path.exists(path) and not force:
        raise UsageError(
            f"the output {path} exists already", helps=("choose another name, or overwrite it with --force",)
        )
    try:
        handle, probe = tempfile.mkstemp(dir=folder, prefix=".ppl-")
    except OSError as e:
        raise UsageError(f"the directory {folder} cannot be written to: {e.strerror}") from None
    os.close(handle)
    os.unlink(probe)


def write_whole(path: str, write: Callable[[str], None]) -> None:
    """``write`` makes a temporary file beside ``path``, which then takes its place at once."""
    folder = os.path.dirname(os.path.abspath(path))
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".ppl-", suffix=Path(path).suffix)
    os.close(handle)
    try:
        write(temporary)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def write_bytes(path: str, content: bytes) -> None:
    write_whole(path, lambda p: _write(p, content))


def _write(path: str, content: bytes) -> None:
    Path(path).write_bytes(content)
