"""The precision of a run: 64-bit on the CPU and 32-bit on accelerators unless asked for; in force within a context
only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ppl.core.errors import UsageError

if TYPE_CHECKING:
    import jax


def bits_for(device: jax.Device, asked: int | None = None) -> int:
    """32 or 64. UsageError (exit code 2) for another number."""
    if asked is None:
        return 64 if device.platform == "cpu" else 32
    if asked not in (32, 64):
        raise UsageError(f"the precision is {asked}, and must be 32 or 64", helps=("--precision 64",))
    return asked


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Within it, floating point numbers have ``bits`` bits."""
    import jax

    with jax.enable_x64(bits == 64):
        yield


def current_bits() -> int:
    """The precision in force."""
    import jax

    return 64 if jax.config.jax_enable_x64 else 32  # type: ignore[attr-defined]  # added when JAX starts
