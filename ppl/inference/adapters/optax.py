"""The one door to Optax: L-BFGS with a line search, and steps of stochastic gradients, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float


class Lbfgs:
    """Minimises ``cost`` on vectors. ``memory`` past steps form the estimate of the curvature; the line search is
    Moré and Thuente's zoom, so the cost never grows."""

    def __init__(self, cost: Callable[[Float[Array, " d"]], Float[Array, ""]], memory: int = 10):
        self.cost = cost
        self._step = optax.lbfgs(memory_size=memory)
        self._value_and_grad = optax.value_and_grad_from_state(cost)

    def init(self, position: Float[Array, " d"]) -> Any:
        return self._step.init(position)

    def step(
        self, position: Float[Array, " d"], state: Any
    ) -> tuple[Float[Array, " d"], Any, Float[Array, ""], Float[Array, " d"]]:
        """The next position and state, with cost and gradient at the position *before* the step."""
        value, gradient = self._value_and_grad(position, state=state)
        updates, state = self._step.update(gradient, state, position, value=value, grad=gradient, value_fn=self.cost)
        return optax.apply_updates(position, updates), state, value, gradient


class Ascent:
    """Maximises by the steps of any Optax transformation. ``scale`` shortens a step without touching its memory."""

    def __init__(self, transformation: optax.GradientTransformation):
        self._transformation = transformation

    def init(self, params: Any) -> Any:
        return self._transformation.init(params)

    def step(self, params: Any, gradient: Any, memory: Any, scale: Float[Array, ""]) -> tuple[Any, Any]:
        """The next parameters and memory, from the gradient of what is to grow."""
        downhill = jax.tree.map(jnp.negative, gradient)
        updates, memory = self._transformation.update(downhill, memory, params)
        return optax.apply_updates(params, jax.tree.map(lambda u: scale.astype(u.dtype) * u, updates)), memory


OPTIMISERS: dict[str, Callable[..., optax.GradientTransformation]] = {
    "adam": lambda rate=0.01: optax.adam(rate),
    "adamw": lambda rate=0.01, decay=1e-4: optax.adamw(rate, weight_decay=decay),
    "sgd": lambda rate=0.01, momentum=None: optax.sgd(rate, momentum),
    "rmsprop": lambda rate=0.01: optax.rmsprop(rate),
    "adagrad": lambda rate=0.1: optax.adagrad(rate),
    "lion": lambda rate=1e-3: optax.lion(rate),
}
"""By the names of method expressions; from Python any transformation may be given."""


def is_transformation(value: Any) -> bool:
    return isinstance(value, optax.GradientTransformation)
