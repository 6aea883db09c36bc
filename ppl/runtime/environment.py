"""Where and how precisely a run computes. Targets are made, and run, inside of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ppl.runtime import cache, devices
from ppl.runtime.precision import bits_for, precision


class Environment(NamedTuple):
    """``platform`` is JAX's name of it (``cpu``, ``gpu``), ``device`` the kind of device, ``bits`` the floating point
    precision."""

    platform: str
    device: str
    bits: int


@contextmanager
def environment(device: str = "auto", bits: int | None = None) -> Iterator[Environment]:
    """Device and precision for everything within, and XLA's compilation cache on disk. Nothing of it is in force
    before, or after, but the place of that cache. UsageError (exit code 2) for a device that is not there or an
    unknown precision."""
    import jax

    chosen = devices.choose(device)
    width = bits_for(chosen, bits)
    cache.enable_compilation_cache()
    with jax.default_device(chosen), precision(width):
        yield Environment(chosen.platform, chosen.device_kind, width)
