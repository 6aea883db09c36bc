"""Whether a stochastic optimisation still gains: windows of steps, shorter steps where it does not, the average at
the end."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

PATIENCE = 3  # windows without a gain before the steps are halved

State = dict[str, Any]


def begin(params: Any, dtype: Any) -> State:
    """``origin``, ``sum``, ``square``, ``average``: of the objective (from its first value on) and the parameters in
    the open window; ``best``, ``best_se``:
    mean and standard error of the best window closed; ``stale``: windows since then; ``halvings`` of the step so far;
    ``windows`` closed; ``final``: parameters averaged over the last window closed; ``converged``."""
    zero = jnp.zeros((), dtype)
    return {
        "origin": zero,
        "sum": zero,
        "square": zero,
        "average": jax.tree.map(jnp.zeros_like, params),
        "best": jnp.full((), -jnp.inf, dtype),
        "best_se": zero,
        "stale": jnp.int32(0),
        "halvings": jnp.int32(0),
        "windows": jnp.int32(0),
        "final": params,
        "converged": jnp.bool_(False),
    }


def scale(state: State) -> Float[Array, ""]:
    """What steps are multiplied by."""
    return 0.5 ** state["halvings"].astype(state["sum"].dtype)


def record(
    state: State,
    value: Float[Array, ""],
    params: Any,
    step: Int[Array, ""],
    window: int,
    halvings: int,
    tolerance: float,
) -> State:
    """After step number ``step``. At the end of a window its mean counts as a gain where it exceeds the best window's
    by more
    than the standard error of their difference and by ``tolerance``. ``PATIENCE`` windows without a gain halve the
    steps; where that happens after ``halvings`` halvings, the fit has converged."""
    # Deviations from the first value of the window keep the variance when the objective is large.
    begins = step % window == 0
    origin = jnp.where(begins, value, state["origin"])
    deviation = value - origin
    state = {
        **state,
        "origin": origin,
        "sum": jnp.where(begins, 0.0, state["sum"]) + deviation,
        "square": jnp.where(begins, 0.0, state["square"]) + deviation**2,
        "average": jax.tree.map(lambda a, p: jnp.where(begins, 0.0, a) + p / window, state["average"], params),
    }
    return jax.lax.cond((step + 1) % window == 0, lambda s: _close(s, window, halvings, tolerance), lambda s: s, state)


def _close(state: State, window: int, halvings: int, tolerance: float) -> State:
    mean, se = mean_and_error(state, window)
    noise = jnp.sqrt(se**2 + state["best_se"] ** 2)
    gained: Bool[Array, ""] = mean > state["best"] + jnp.maximum(noise, tolerance)
    stale = jnp.where(gained, 0, state["stale"] + 1)
    halve = (stale >= PATIENCE) & (halvings > 0)
    return {
        **state,
        "best": jnp.where(gained, mean, state["best"]),
        "best_se": jnp.where(gained, se, state["best_se"]),
        "stale": jnp.where(halve, 0, stale).astype(jnp.int32),
        "halvings": (state["halvings"] + halve).astype(jnp.int32),
        "windows": (state["windows"] + 1).astype(jnp.int32),
        "final": state["average"],
        "converged": halve & (state["halvings"] >= halvings),
    }


def mean_and_error(state: State, window: int) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Mean of the objective in the window, and its standard error."""
    mean = state["sum"] / window
    variance = jnp.maximum(state["square"] / window - mean**2, 0.0)
    return state["origin"] + mean, jnp.sqrt(variance / max(1, window - 1))
