"""Functions of functions and of distributions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpyro.distributions as dist
from jax import lax
from jaxtyping import Array, Float

from ppl.core.distributions.errors import DistributionError
from ppl.core.errors import UsageError
from ppl.core.functions.arithmetic import as_real


def log_prob(d: dist.Distribution, x: Any) -> Float[Array, ""]:
    """The log density of the whole value: summed over the batch axes of ``d``."""
    return jnp.sum(d.log_prob(x))


def cdf(d: dist.Distribution, x: Any) -> Array:
    """P(X ≤ x) of a distribution over scalars; over an array of independent scalars, the product."""
    try:
        probability = d.cdf(x)
    except NotImplementedError as error:
        raise DistributionError(f"the distribution function of {type(d).__name__} is not known") from error
    return jnp.prod(probability)


def stop_gradient(x: Any) -> Any:
    """x, as a constant for derivatives."""
    return jax.tree.map(lambda leaf: lax.stop_gradient(leaf) if isinstance(leaf, jax.Array) else leaf, x)


def _apply(f: Callable[[Any, Any], Any], i: Any, state: Any) -> Any:
    return f(i, state)


def fori(lower: Any, upper: Any, f: Callable[[Any, Any], Any], init: Any) -> Any:
    """f(upper − 1, … f(lower, init)). Bounds known when the program is compiled keep it differentiable in reverse."""
    init = jax.tree.map(jnp.asarray, init)
    step = partial(_apply, f)  # a closure with captured values is not hashable itself
    like = jax.eval_shape(step, jnp.asarray(lower, int), init)
    init = jax.tree.map(lambda x, y: x.astype(jnp.promote_types(x.dtype, y.dtype)), init, like)
    static = not any(isinstance(b, jax.core.Tracer) for b in (lower, upper))
    if static:
        lower, upper = int(lower), int(upper)
    return lax.fori_loop(lower, upper, step, init)


def ode_solve(f: Callable[[Array, Array], Array], y0: Any, t0: Any, ts: Any) -> Float[Array, "m n"]:
    """The states at the increasing times ``ts`` (≥ t0) of y' = f(t, y), y(t0) = y0, by Tsitouras' 5(4) method with
    adaptive steps (relative tolerance 1e-6, absolute 1e-8; 1e-5 and 1e-6 in single precision). NaN where the solver
    fails. Differentiable in reverse mode.

    Raises UsageError where diffrax, the optional extra ``ode``, is missing."""
    try:
        import diffrax
    except ImportError as error:
        raise UsageError("ode_solve needs diffrax, which is not installed", helps=("pip install ppl[ode]",)) from error
    y0, t0, ts = as_real(y0), as_real(t0), as_real(ts)
    double = y0.dtype == jnp.float64
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, y, _: as_real(f(jnp.asarray(t), y))),
        diffrax.Tsit5(),
        t0=t0,
        t1=jnp.maximum(ts[-1], t0),
        dt0=None,
        y0=y0,
        saveat=diffrax.SaveAt(ts=ts),
        stepsize_controller=diffrax.PIDController(rtol=1e-6 if double else 1e-5, atol=1e-8 if double else 1e-6),
        max_steps=16**4,
        throw=False,
    )
    ok = solution.result == diffrax.RESULTS.successful
    return jnp.where(ok, solution.ys, jnp.nan)


CONTROL: dict[str, Callable[..., Any]] = {
    "logpdf": log_prob,
    "logprob": log_prob,
    "cdf": cdf,
    "fori": fori,
    "stop_gradient": stop_gradient,
    "ode_solve": ode_solve,
}
