"""Objectives as Python functions: ``estimate(target, guide, params, key)`` is a surrogate.

Its value estimates the objective and its gradient by ``params`` the objective's gradient, as
``ObjectiveProgram.surrogate`` demands. With w = γ(z)/q(z), z ~ q:

| estimate | maximises | gradient |
|---|---|---|
| ``elbo`` | E log w ≤ log Z | unbiased |
| ``stl`` | E log w | unbiased; its variance vanishes where q is the posterior |
| ``iwelbo(K)`` | E log (1/K) Σ wₖ ≤ log Z | unbiased |
| ``dreg(K)`` | the same | unbiased; its variance does not grow with K |
| ``renyi(α, K)`` | E (1/(1 − α)) log (1/K) Σ wₖ^(1 − α) | unbiased |
| ``chi(n, K)`` | −(1/n) E log (1/K) Σ wₖⁿ, minus an upper bound on log Z as K → ∞ | unbiased |
| ``wake(K)`` | −KL(posterior ‖ q), up to a constant | biased, of order 1/K |

The guide draws by reparameterisation; programs in the language choose otherwise per draw (``objectives.ppl``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.lax import stop_gradient
from jax.scipy.special import logsumexp
from jaxtyping import Array, Float, PRNGKeyArray

from ppl.core.errors import UsageError
from ppl.core.objective import DrawStrategy, GuideProgram, ObjectiveProgram
from ppl.core.target import Target, Trace

Estimate = Callable[[Target, GuideProgram, Any, PRNGKeyArray], Float[Array, ""]]


class PythonObjective(ObjectiveProgram):
    """``estimate`` of a target without learnable parameters and a guide; all parameters are the guide's."""

    target: Target
    guide: GuideProgram
    estimate: Estimate = eqx.field(static=True)
    strategies: tuple[DrawStrategy, ...] = eqx.field(static=True)

    def __init__(self, target: Target, guide: GuideProgram, estimate: Estimate):
        self.target, self.guide, self.estimate = target, guide, estimate
        reason = "the guide's draws are smooth functions of its parameters"
        self.strategies = tuple(DrawStrategy(v.name, "reparam", reason, "unbiased") for v in target.latents)

    def initial(self, key: PRNGKeyArray) -> Any:
        return self.guide.initial(key)

    def surrogate(self, params: Any, key: PRNGKeyArray) -> Float[Array, ""]:
        return self.estimate(self.target, self.guide, params, key)

    def constrain(self, params: Any) -> dict[str, Array]:
        named = getattr(self.guide, "named", None)
        return {} if named is None else named(params)

    def sample(self, params: Any, key: PRNGKeyArray) -> Trace:
        return self.guide.sim(params, key)[0]

    def log_weight(self, params: Any, key: PRNGKeyArray) -> tuple[Trace, Float[Array, ""]]:
        """z ~ q and log γ(z) − log q(z)."""
        trace, log_q = self.guide.sim(params, key)
        return trace, self.target.log_density(trace) - log_q


def elbo(target: Target, guide: GuideProgram, params: Any, key: PRNGKeyArray) -> Float[Array, ""]:
    """log w: the evidence lower bound."""
    trace, log_q = guide.sim(params, key)
    return target.log_density(trace) - log_q


def stl(target: Target, guide: GuideProgram, params: Any, key: PRNGKeyArray) -> Float[Array, ""]:
    """The same value, without the score term of mean zero in its gradient: sticking the landing (Roeder, Wu, Duvenaud
    2017)."""
    trace, _ = guide.sim(params, key)
    return target.log_density(trace) - guide.log_density(stop_gradient(params), trace)


def iwelbo(K: int) -> Estimate:
    """log (1/K) Σ wₖ (Burda, Grosse, Salakhutdinov 2016)."""
    return _of_weights(elbo, _positive("K", K), lambda log_w: logsumexp(log_w) - jnp.log(K))


def dreg(K: int) -> Estimate:
    """The value of ``iwelbo`` with doubly reparameterised gradients, Σ (wₖ/Σw)² ∂log wₖ/∂zₖ · ∂zₖ/∂λ (Tucker et al.
    2019)."""

    def combine(log_w: Float[Array, " k"]) -> Float[Array, ""]:
        slope = stop_gradient(jax.nn.softmax(log_w) ** 2) @ log_w
        return stop_gradient(logsumexp(log_w) - jnp.log(K)) + slope - stop_gradient(slope)

    return _of_weights(stl, _positive("K", K), combine)


def renyi(alpha: float, K: int = 10) -> Estimate:
    """The variational Rényi bound (Li and Turner 2016): the ELBO as α → 1, the IWELBO at α = 0."""
    if alpha == 1:
        raise UsageError("renyi(1, K) is the ELBO", helps=("write objective=elbo",))
    return _of_weights(elbo, _positive("K", K), lambda log_w: _power_mean(log_w, 1 - alpha))


def chi(n: float = 2, K: int = 10) -> Estimate:
    """Minus the χ upper bound (Dieng, Tran, Ranganath, Paisley, Blei 2017): guides that cover the posterior."""
    if not n > 1:
        raise UsageError(f"chi({n:g}, …) is no upper bound: its order must be greater than 1", helps=("chi(2, 10)",))
    return _of_weights(elbo, _positive("K", K), lambda log_w: -_power_mean(log_w, n))


def wake(K: int = 10) -> Estimate:
    """Σ (wₖ/Σw) log q(zₖ) with weights and draws held fixed: the wake-φ phase of reweighted wake–sleep (Bornschein and
    Bengio 2015), which fits the guide to the posterior by the forward divergence."""
    K = _positive("K", K)

    def estimate(target: Target, guide: GuideProgram, params: Any, key: PRNGKeyArray) -> Float[Array, ""]:
        def one(k: PRNGKeyArray) -> tuple[Array, Array]:
            trace, log_q = stop_gradient(guide.sim(params, k))
            return target.log_density(trace) - log_q, guide.log_density(params, trace)

        log_w, log_q = jax.vmap(one)(jax.random.split(key, K))
        return stop_gradient(jax.nn.softmax(log_w)) @ log_q

    return estimate


def _power_mean(log_w: Float[Array, " k"], power: float) -> Float[Array, ""]:
    """(1/p) log (1/K) Σ wₖᵖ."""
    return (logsumexp(power * log_w) - jnp.log(log_w.size)) / power


def _of_weights(log_weight: Estimate, K: int, combine: Callable[[Array], Array]) -> Estimate:
    def estimate(target: Target, guide: GuideProgram, params: Any, key: PRNGKeyArray) -> Float[Array, ""]:
        return combine(jax.vmap(lambda k: log_weight(target, guide, params, k))(jax.random.split(key, K)))

    return estimate


def _positive(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise UsageError(f"`{name}` of an objective is {value}, and must be a whole number of at least 1")
    return value


LOWER_BOUNDS = frozenset({"elbo", "stl", "iwelbo", "dreg"})
ESTIMATES: dict[str, Callable[..., Estimate]] = {
    "elbo": lambda: elbo,
    "stl": lambda: stl,
    "iwelbo": iwelbo,
    "dreg": dreg,
    "renyi": renyi,
    "chi": chi,
    "wake": wake,
}
"""By the names of method expressions."""
