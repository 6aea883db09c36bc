"""What an oracle says of a bound target, and the functions that are compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from ppl.core.target import Target

_SHOWN = 8  # coordinates


class Oracle(NamedTuple):
    """``functions(trace)``: bounded test functions; ``expected``: their posterior means; ``error``: of log Z and of
    the means."""

    name: str
    log_evidence: float
    functions: Callable[[Any], Any]
    expected: np.ndarray
    error: float


def vector(target: Target, names: tuple[str, ...] | None = None) -> Callable[[Any], Any]:
    """Trace → the values of the latents ``names`` (of all, if None) as one vector of reals."""
    kept = [v.name for v in target.latents if names is None or v.name in names]
    return lambda trace: jnp.concatenate([jnp.ravel(trace[n]).astype(float) for n in kept])


def moments(read: Callable[[Any], Any], values: np.ndarray, weights: np.ndarray) -> Callable[[Any], Any]:
    """Squashed moments of each of the first coordinates that ``read`` gives, and of neighbouring products; centred and
    scaled by weighted ``values``, one row each."""
    centre = weights @ values
    scale = np.sqrt(np.maximum(weights @ (values - centre) ** 2, 1e-12))

    def functions(trace: Any) -> Any:
        t = jnp.tanh((read(trace) - centre) / scale)[:_SHOWN]
        return jnp.concatenate([t, t**2, jnp.cos(2 * t), t[:-1] * t[1:]])

    return functions
