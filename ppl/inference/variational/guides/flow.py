"""A normalising flow of spline couplings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from ppl.core.target import Target
from ppl.inference.flat import Layout
from ppl.inference.variational.guides import spline
from ppl.inference.variational.guides.base import AutomaticGuide, by_latent, diagonal, standard_normal
from ppl.inference.variational.start import Start

_BOUND = 4.0  # the splines bend the standard normal on (−4, 4)

Params = dict[str, Any]  # loc [d], log_scale [d]; with a leading axis of layers: own [d, 3 bins − 1], and networks


class Flow(AutomaticGuide):
    """u = m + s · (f_L ∘ … ∘ f_1)(ε), ε ~ Normal(0, I). Each f is a coupling layer (Dinh, Sohl-Dickstein, Bengio
    2017) of increasing
    splines (Durkan et al. 2019): every second coordinate has a spline of its own, the others' knots come from a network
    (Equinox's MLP, one hidden layer) that reads the first ones; layers alternate. Starts as the mean-field Gaussian.
    With one coordinate it is a chain of splines: any density on the line."""

    target: Target
    layout: Layout = eqx.field(static=True)
    start: Start = eqx.field(static=True)
    layers: int = eqx.field(static=True)
    bins: int = eqx.field(static=True)
    width: int = eqx.field(static=True)

    def at(self, centre: Array, factor: Array, key: PRNGKeyArray) -> Params:
        networks = eqx.filter_vmap(self._network)(jax.random.split(key, self.layers))
        return {
            "loc": centre,
            "log_scale": jnp.log(diagonal(factor)),
            "own": jnp.zeros((self.layers, self.layout.size, 3 * self.bins - 1), centre.dtype),
            "networks": eqx.filter(networks, eqx.is_array),
        }

    def _network(self, key: PRNGKeyArray) -> eqx.nn.MLP:
        """From d coordinates to the knots of d splines. Its last layer starts at zero, so that the flow starts as the
        identity."""
        d, each = self.layout.size, 3 * self.bins - 1
        mlp = eqx.nn.MLP(d, d * each, self.width, 1, activation=jnp.tanh, dtype=self.layout.dtype, key=key)
        last = mlp.layers[-1]
        zero = (jnp.zeros_like(last.weight), jnp.zeros(d * each, self.layout.dtype))
        return eqx.tree_at(lambda m: (m.layers[-1].weight, m.layers[-1].bias), mlp, zero)

    def _layers(self, params: Params) -> tuple[Any, Callable[[Any, Array], Array]]:
        """What a scan over layers reads, and the knots' raw numbers [d, 3 bins − 1] of a layer, of which those of its
        conditioned coordinates depend on the others in ``x`` [d]."""
        static = eqx.filter(eqx.filter_eval_shape(self._network, jax.random.key(0)), _is_shape, inverse=True)
        conditions = jnp.arange(self.layout.size) % 2 == (jnp.arange(self.layers) % 2)[:, None]

        def raw(layer: Any, x: Array) -> Array:
            own, arrays, first = layer
            shifts = eqx.combine(arrays, static)(jnp.where(first, x, 0.0)).reshape(own.shape)
            return own + jnp.where(first[:, None], 0.0, shifts)

        return (params["own"], params["networks"], conditions), raw

    def draw(self, params: Params, key: PRNGKeyArray) -> tuple[Array, Array]:
        e = jax.random.normal(key, params["loc"].shape, params["loc"].dtype)
        layers, raw = self._layers(params)

        def through(carry: tuple[Array, Array], layer: Any) -> tuple[tuple[Array, Array], None]:
            x, log_q = carry
            y, slope = spline.forward(spline.knots(raw(layer, x), self.bins, _BOUND), x)
            return (y, log_q - jnp.sum(slope)), None

        (x, log_q), _ = jax.lax.scan(through, (e, standard_normal(e)), layers)
        return params["loc"] + jnp.exp(params["log_scale"]) * x, log_q - jnp.sum(params["log_scale"])

    def log_density_free(self, params: Params, u: Float[Array, " d"]) -> Array:
        layers, raw = self._layers(params)

        def back(carry: tuple[Array, Array], layer: Any) -> tuple[tuple[Array, Array], None]:
            y, log_det = carry
            first = spline.inverse(spline.knots(layer[0], self.bins, _BOUND), y)[0]
            x, slope = spline.inverse(spline.knots(raw(layer, first), self.bins, _BOUND), y)
            return (x, log_det + jnp.sum(slope)), None

        x = (u - params["loc"]) * jnp.exp(-params["log_scale"])
        (e, log_det), _ = jax.lax.scan(back, (x, jnp.sum(params["log_scale"])), layers, reverse=True)
        return standard_normal(e) - log_det

    def named(self, params: Params) -> dict[str, Array]:
        return by_latent(self.layout, loc=params["loc"], scale=jnp.exp(params["log_scale"]))


def _is_shape(leaf: Any) -> bool:
    return isinstance(leaf, jax.ShapeDtypeStruct)
