"""The parameters of a suspended target as an unconstrained space with a prior, and the filter for each value of
them."""

from __future__ import annotations

from typing import Any

import jax
from jaxtyping import Array, Float

from ppl.core.errors import MethodError
from ppl.core.sequential import ConditionalSequentialTarget, SequentialTarget
from ppl.core.target import Target


class Parameters:
    """θ of a target whose suspended form is ``sequential``; values are dicts in R^k."""

    def __init__(self, target: Target, method: str):
        self.target = target
        self.sequential: ConditionalSequentialTarget = target.suspend()
        self.names = self.sequential.parameters
        if not self.names:
            raise MethodError(
                f"{method} samples parameters that are drawn before the first observation, and the model has none",
                helps=("for states alone use --method 'smc(1000)' or 'pimh(100)'",),
            )
        discrete = [v.name for v in target.latents if v.name in self.names and v.discrete]
        if discrete:
            raise MethodError(
                f"{method} moves parameters by a random walk, but `{'`, `'.join(discrete)}` is discrete",
                helps=("use --method 'pimh(100)' or 'smc(10000)'",),
            )

    def prior(self, key: Any) -> dict[str, Array]:
        """A draw of θ from its prior, in R^k."""
        trace = self.target.generate(key, {}).trace
        free = self.target.unconstrain(trace)
        return {n: free[n] for n in self.names}

    def log_prior(self, theta: dict[str, Array]) -> Float[Array, ""]:
        return self.sequential.log_prior(theta)

    def constrained(self, theta: dict[str, Array]) -> dict[str, Array]:
        return {n: v for n, v in self.target.constrain(theta)[0].items() if n in self.names}

    def model(self, theta: dict[str, Array]) -> SequentialTarget:
        return self.sequential.conditioned(self.constrained(theta))

    def size(self) -> int:
        shapes = jax.eval_shape(self.prior, jax.random.key(0))
        return sum(leaf.size for leaf in jax.tree.leaves(shapes))
