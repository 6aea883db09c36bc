"""Ctrl-C during a run: the chunk in progress is finished, then the run stops and keeps what it has."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

from ppl.core.errors import PplError


class Interrupted(PplError):
    """Stopped by the user before there was a result; what was saved and how to go on is in the helps."""

    exit_code = 130


class Interruption:
    """Within it the first SIGINT sets ``asked`` and the second is a KeyboardInterrupt. In other threads than the main
    one, signals are left alone."""

    def __init__(self) -> None:
        self.asked = False
        self._previous: Any = None

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
