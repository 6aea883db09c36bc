"""What a run will need of memory, estimated before it starts."""

from __future__ import annotations

import math
import os
from typing import Any

import jax

from ppl.core.errors import ResourceError
from ppl.inference.program import Program, typed_key


def tree_bytes(shapes: Any) -> int:
    """Bytes of all arrays of a PyTree of shapes."""
    return sum(
        math.prod(s.shape) * jax.dtypes.canonicalize_dtype(s.dtype).itemsize
        for s in jax.tree.leaves(shapes)
        if hasattr(s, "dtype")
    )


def bytes_per_draw(program: Program) -> int:
    """Bytes of one draw of one chain while it is recorded and after it is completed."""
    sample = program.sample_shape()
    key = jax.eval_shape(lambda: typed_key(jax.numpy.zeros(2, jax.numpy.uint32)))
    whole = jax.eval_shape(program.complete, key, sample)
    statistics = 64
    # The completed draws exist twice while they come back from the device.
    return tree_bytes(sample) + statistics + 2 * tree_bytes(whole)


def available_bytes() -> int:
    """Memory that a new process may take: what the system has free, within the limit of the control group."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path, scale in (("/proc/meminfo", 1024), ("/sys/fs/cgroup/memory.max", 1)):
        try:
            with open(path, encoding="ascii") as file:
                text = file.read()
        except OSError:
            continue
        if path == "/proc/meminfo":
            found += [int(line.split()[1]) * scale for line in text.splitlines() if line.startswith("MemAvailable")]
        elif text.strip().isdigit():
            found.append(int(text))
    return min(found)


def require_memory(program: Program, per_draw: int, limit: int | None = None) -> int:
    """The estimate in bytes. ResourceError (exit code 6) where it exceeds ``limit`` (by default four fifths of what is
    available), with the number of draws that would fit."""
    limit = limit if limit is not None else int(0.8 * available_bytes())
    kept = program.kept
    needed = kept * per_draw
    if needed > limit:
        fits = max(0, limit // max(1, per_draw * program.width))
        per_chain = f" in each of {program.width} chains" if program.width > 1 else ""
        raise ResourceError(
            f"the run would need about {_shown(needed)} for {kept:,} draws of {_shown(per_draw)}, "
            f"and {_shown(limit)} may be used",
            helps=(f"ask for at most {_round_down(fits):,} draws{per_chain}",)
            if fits
            else ("the values of one draw alone are too large: keep fewer outputs",),
        )
    return needed


def _shown(size: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            return f"{size:.3g} {unit}"
        size /= 1000
    raise AssertionError("unreachable")


def _round_down(n: int) -> int:
    """To two figures."""
    digits = 10 ** max(0, len(str(n)) - 2)
    return n // digits * digits
