"""The one door to Optax: L-BFGS with a line search, one step at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
