"""Progress of a run: an event per chunk, and a line on standard error where that is a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import NamedTuple, TextIO


class Progress(NamedTuple):
    """``phase`` is ``compile``, ``warmup`` or ``sample``; ``done`` of ``total`` iterations; ``seconds`` since the
    start; ``divergences`` so far, after warm-up."""

    phase: str
    done: int
    total: int
    seconds: float
    divergences: int = 0


Listener = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """Shows nothing."""


class Line:
    """One line, rewritten in place at most ten times a second, removed at the end."""

    def __init__(self, stream: TextIO | None = None):
        self.stream = stream if stream is not None else sys.stderr
        self._last = 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._last < 0.1 and progress.done < progress.total:
            return
        self._last = now
        share = progress.done / max(1, progress.total)
        text = (
            f"{progress.phase:8}{'━' * int(30 * share):·<30} {progress.done}/{progress.total}  {progress.seconds:.1f} s"
        )
        if progress.divergences:
            text += f"  {progress.divergences} divergences"
        self.stream.write("\r\x1b[2K" + (text if progress.done < progress.total else ""))
        self.stream.flush()


def listener(stream: TextIO | None = None) -> Listener:
    """A line where ``stream`` (standard error) is a terminal; silence elsewhere."""
    stream = stream if stream is not None else sys.stderr
    return Line(stream) if stream.isatty() else silent
