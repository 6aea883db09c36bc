"""Random starts in the unconstrained space, retried until density and gradient are finite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ppl.core.errors import NumericalError
from ppl.core.target import Target
from ppl.inference.flat import Layout

ATTEMPTS = 100
_SHOWN = 3


def random_points(
    key: PRNGKeyArray,
    evaluate: Callable[[Float[Array, " d"]], dict[str, Array]],
    chains: int,
    dimension: int,
    radius: float,
    dtype: Any,
) -> dict[str, Any]:
    """A point for each chain, uniform on (−radius, radius)^d as Stan's starts are, drawn anew up to ``ATTEMPTS`` times
    for the chains that have no finite density and gradient yet.

    ``{"point": position, log_density, gradient, each [chain, …]; "ok": [chain]; "tried": the last ``_SHOWN``
    positions and their densities, [_SHOWN, …], of the first chain without a start}``."""

    def propose(attempt: Array) -> Float[Array, "chain d"]:
        draw = jax.random.uniform(jax.random.fold_in(key, attempt), (chains, dimension), dtype, -1.0, 1.0)
        return draw * radius

    def attempt_once(carry: tuple[Array, dict[str, Array], Array, dict[str, Array]]) -> Any:
        attempt, point, ok, tried = carry
        new = jax.vmap(evaluate)(propose(attempt))
        fine = jnp.isfinite(new["log_density"]) & jnp.all(jnp.isfinite(new["gradient"]), axis=-1)
        stuck = jnp.argmin(ok | fine)
        tried = {k: tried[k].at[attempt % _SHOWN].set(new[k][stuck]) for k in tried}
        point = jax.tree.map(lambda a, b: jnp.where(ok.reshape(ok.shape + (1,) * (a.ndim - 1)), a, b), point, new)
        return attempt + 1, point, ok | fine, tried

    vector, scalar = (lambda n: jnp.zeros((n, dimension), dtype)), (lambda n: jnp.zeros((n,), dtype))
    point = {"position": vector(chains), "log_density": scalar(chains), "gradient": vector(chains)}
    tried = {"position": vector(_SHOWN), "log_density": scalar(_SHOWN), "gradient": vector(_SHOWN)}
    carry = (jnp.int32(0), point, jnp.zeros((chains,), bool), tried)
    _, point, ok, tried = jax.lax.while_loop(lambda c: (c[0] < ATTEMPTS) & ~jnp.all(c[2]), attempt_once, carry)
    return {"point": point, "ok": ok, "tried": tried}


def require_start(target: Target, where: Layout, start: dict[str, Any], radius: float) -> dict[str, Array]:
    """The points of a start in which every chain has one; NumericalError (exit code 5) otherwise, with the sites that
    are not finite, the points that were tried and their gradients."""
    ok = np.asarray(start["ok"])
    if ok.all():
        return start["point"]
    tried = jax.tree.map(np.asarray, start["tried"])
    notes = []
    for position, density, gradient in zip(tried["position"], tried["log_density"], tried["gradient"], strict=True):
        trace = target.constrain(where.unravel(jnp.asarray(position)))[0]
        culprits = _culprits(target, trace, where, density, gradient)
        notes.append(f"tried {_shown(trace)}: log density {density:g}" + (f"; {culprits}" if culprits else ""))
    raise NumericalError(
        f"no finite start: {int((~ok).sum())} of {ok.size} chains found none in {ATTEMPTS} attempts, "
        f"uniform on (−{radius:g}, {radius:g}) "
        "in the unconstrained space",
        notes=tuple(dict.fromkeys(notes)),
        helps=(
            "look for a value that the model cannot produce, a division by zero, or a scale that underflows",
            "or start closer to zero: --method 'nuts(init_radius=0.1)'",
        ),
    )


def _culprits(target: Target, trace: dict[str, Array], where: Layout, density: float, gradient: np.ndarray) -> str:
    """The sites that give −∞ or NaN, or whose gradient is not finite."""
    if not np.isfinite(density):
        values = {name: float(np.sum(np.asarray(v))) for name, v in target.log_density_terms(trace).items()}
        return ", ".join(f"`{name}` gives {v:g}" for name, v in values.items() if not np.isfinite(v))
    parts = where.unravel(jnp.asarray(gradient))
    bad = [name for name, g in parts.items() if not np.all(np.isfinite(np.asarray(g)))]
    return "the gradient is not finite in " + ", ".join(f"`{n}`" for n in bad) if bad else ""


def _shown(trace: dict[str, Array]) -> str:
    parts = []
    for name, value in list(trace.items())[:6]:
        flat = np.asarray(value).ravel()
        text = ", ".join(f"{x:.4g}" for x in flat[:3]) + (", …" if flat.size > 3 else "")
        parts.append(f"{name} = {text}" if np.ndim(value) == 0 else f"{name} = [{text}]")
    return ", ".join(parts) + (", …" if len(trace) > 6 else "")
