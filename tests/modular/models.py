"""Small suspended programs with known answers, written by hand against the contract of ``ppl.core.sequential``."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.stats import norm

from ppl.core.random import categorical
from ppl.core.sequential import ConditionalSequentialTarget


class LinearGaussian(ConditionalSequentialTarget):
    """x₀ ~ N(0, 1), xₜ ~ N(a xₜ₋₁, 0.1), yₜ ~ N(xₜ, 0.2) (variances)."""

    y: jax.Array
    a: jax.Array
    length: int

    def start(self, key):
        return jnp.zeros(()), jnp.zeros(())

    def advance(self, key, state, step):
        noise = jax.random.normal(key)
        x = jnp.where(step == 0, noise, self.a * state + jnp.sqrt(0.1) * noise)
        return x, x, norm.logpdf(self.y[step], x, jnp.sqrt(0.2))

    def replay(self, state, record, step):
        return record, norm.logpdf(self.y[step], record, jnp.sqrt(0.2))

    def log_transition(self, state, record, step):
        mean, sd = jnp.where(step == 0, 0.0, self.a * state), jnp.where(step == 0, 1.0, jnp.sqrt(0.1))
        return norm.logpdf(record, mean, sd)


Y = jnp.array([0.5, 1.0, 0.2, -0.3, 0.4])


def linear_gaussian(a=0.9):
    return LinearGaussian(y=Y, a=jnp.asarray(a), length=5)


# Kalman filter and Rauch–Tung–Striebel smoother
LOG_EVIDENCE = -4.403068402813187
SMOOTHED_MEANS = np.array(
    [0.5218342144629967, 0.5397624915475837, 0.3080006249535795, 0.13966133472215908, 0.2171301341666288]
)
SMOOTHED_VARS = np.array(
    [0.10230443309912872, 0.07702647338812071, 0.07216792266950732, 0.07515593136145454, 0.0937228019567903]
)
# a ~ U(−1, 1) on top: Gauss–Legendre over a × Kalman
UNKNOWN_A = {
    "log_evidence": -4.563564783562859,
    "mean": 0.24938042304078192,
    "sd": 0.48346346993277856,
    "above_half": 0.3630777193802934,
}


class Hmm(ConditionalSequentialTarget):
    """Two states; ``emission[z, y]``. Its randomness is discrete, so that algorithms on it can be enumerated."""

    y: jax.Array
    initial: jax.Array
    transition: jax.Array
    emission: jax.Array
    length: int

    def start(self, key):
        return jnp.asarray(0), jnp.zeros(())

    def _row(self, state, step):
        return jnp.where(step == 0, self.initial, self.transition[state])

    def advance(self, key, state, step):
        z = categorical(key, jnp.log(self._row(state, step)))
        return z, z, jnp.log(self.emission[z, self.y[step]])

    def replay(self, state, record, step):
        return record, jnp.log(self.emission[record, self.y[step]])

    def log_transition(self, state, record, step):
        return jnp.log(self._row(state, step)[record])

    def paths(self):
        """All paths with their joint densities p(z, y): the oracle."""
        pi, a, b, y = (np.asarray(v) for v in (self.initial, self.transition, self.emission, self.y))
        out = {}
        for code in range(2**self.length):
            z = [(code >> t) & 1 for t in range(self.length)]
            p = pi[z[0]] * b[z[0], y[0]]
            for t in range(1, self.length):
                p *= a[z[t - 1], z[t]] * b[z[t], y[t]]
            out[tuple(z)] = p
        return out


def hmm(length):
    return Hmm(
        y=jnp.array([0, 1, 1, 0])[:length],
        initial=jnp.array([0.6, 0.4]),
        transition=jnp.array([[0.7, 0.3], [0.2, 0.8]]),
        emission=jnp.array([[0.9, 0.1], [0.3, 0.7]]),
        length=length,
    )
