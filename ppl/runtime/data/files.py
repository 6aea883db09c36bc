"""Opening data files: plain readable files only, every failure a finding with the path and the system's reason."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ppl.runtime.data.problems import DataProblem, Problems
from ppl.runtime.data.suggest import suggest

MAX_BYTES = 4 << 30


def readable(path: str, problems: Problems) -> bool:
    """True if ``path`` is a regular file that can be opened; otherwise the finding is added (E701)."""

    def refuse(found: str, help: str = "") -> bool:
        problems.add(DataProblem("E701", path, found, "a readable data file", help=help))
        return False

    try:
        mode = os.stat(path).st_mode
    except OSError as e:
        return refuse(f"cannot be opened: {e.strerror} (errno {e.errno})", _near(path))
    if stat.S_ISDIR(mode):
        return refuse("is a directory (errno 21)", "name a file in it")
    if not stat.S_ISREG(mode):
        kind = "a FIFO" if stat.S_ISFIFO(mode) else "not a regular file"
        return refuse(f"is {kind}, which is not read", "write the data to a file first")
    try:
        with open(path, "rb"):
            pass
    except OSError as e:
        return refuse(f"cannot be opened: {e.strerror} (errno {e.errno})")
    if os.path.getsize(path) > MAX_BYTES:
        return refuse(f"has {os.path.getsize(path)} bytes, more than {MAX_BYTES}", "thin or split the data")
    return True


def text(path: str, problems: Problems) -> str | None:
    """The UTF-8 text of a readable file, or None with a finding (E702)."""
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as e:
        found = f"is not UTF-8 text (byte {e.start})"
        problems.add(DataProblem("E702", path, found, "UTF-8 text", help="save the file in UTF-8"))
        return None


def _near(path: str) -> str:
    folder = Path(path).parent
    names = [p.name for p in folder.iterdir()] if folder.is_dir() else []
    close = suggest(Path(path).name, names)
    return f"did you mean `{folder / close}`?" if close else ""
