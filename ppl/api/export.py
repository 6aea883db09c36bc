"""A model's log density and gradient as text or as a serialised function."""

from __future__ import annotations

import jax

from ppl.api.applied import Applied
from ppl.api.compile import posterior_target
from ppl.runtime.environment import environment


def exported(applied: Applied, form: str, device: str = "auto", precision: int | None = None) -> bytes:
    """``form``: jaxpr, stablehlo (text) or export (``jax.export``, for ``jax.export.deserialize``).

    The function takes a dict of the unconstrained variables and gives log density and gradient."""
    with environment(device, precision):
        target = posterior_target(applied, marginalise=True).target

        def log_density_and_gradient(unconstrained):
            return jax.value_and_grad(target.log_density_unconstrained)(unconstrained)

        point = jax.eval_shape(lambda key: target.unconstrain(target.generate(key, {}).trace), jax.random.key(0))
        if form == "jaxpr":
            return (str(jax.make_jaxpr(log_density_and_gradient)(point)) + "\n").encode()
        function = jax.jit(log_density_and_gradient)
        if form == "stablehlo":
            return function.lower(point).as_text().encode()
        from jax import export

        return bytes(export.export(function)(point).serialize())
