"""Distributions over counts."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jax.scipy.special import gammainc, gammaincc, gammaln
from jaxtyping import Array, PRNGKeyArray
from numpyro.distributions import constraints
from numpyro.distributions.util import binomial as draw_binomial

from ppl.core.distributions.arguments import checked, count, floats, is_concrete, nonnegative, positive, probability
from ppl.core.distributions.errors import DistributionError
from ppl.core.distributions.gamma_draw import log_gamma_draw, logit_beta_draw
from ppl.core.distributions.guarded import guard
from ppl.core.distributions.incomplete_beta import betainc
from ppl.core.distributions.scalar import Scalar
from ppl.core.lanes import plain
from ppl.core.numerics import log_beta, log_choose, log_sigmoid, safe_log, safe_log1m, times_log


def _binomial_draw(key: PRNGKeyArray, n: Any, p: Any, shape: tuple[int, ...]) -> Array:
    return draw_binomial(key, jnp.asarray(p), n, shape).astype(jnp.result_type(int))


class _UpTo(Scalar):
    """Counts from 0 to ``n``."""

    @property
    def support(self) -> constraints.Constraint:
        return constraints.integer_interval(0, self.n)

    def support_values(self) -> Array | None:
        return jnp.arange(int(np.max(self.n)) + 1) if is_concrete(self.n) else None


class Binomial(_UpTo):
    """Successes in ``n`` trials; exact at p = 0 and p = 1."""

    pytree_data_fields = ("n", "p")

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        log_q = safe_log1m(self.p)
        return log_choose(self.n, value) + times_log(value, safe_log(self.p)) + times_log(self.n - value, log_q)

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        return _binomial_draw(key, self.n, self.p, sample_shape + self.batch_shape)

    def cdf(self, value: Any) -> Array:
        return betainc(self._rest(value), value + 1.0, 1.0 - jnp.asarray(self.p))

    def sf(self, value: Any) -> Array:
        return betainc(value + 1.0, self._rest(value), jnp.asarray(self.p))

    def _rest(self, value: Any) -> Array:
        return jnp.maximum(self.n - value, 1.0)  # at value = n the guard gives the answer


class BinomialLogit(_UpTo):
    """Binomial(n, sigmoid(logit))."""

    pytree_data_fields = ("n", "logit")

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        log_p, log_q = log_sigmoid(self.logit), log_sigmoid(-self.logit)
        return log_choose(self.n, value) + times_log(value, log_p) + times_log(self.n - value, log_q)

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        return _binomial_draw(key, self.n, jax.nn.sigmoid(self.logit), sample_shape + self.batch_shape)

    def cdf(self, value: Any) -> Array:
        return Binomial(n=self.n, p=jax.nn.sigmoid(self.logit)).cdf(value)

    def sf(self, value: Any) -> Array:
        return Binomial(n=self.n, p=jax.nn.sigmoid(self.logit)).sf(value)


class BetaBinomial(_UpTo):
    """Binomial(n, p) with p from Beta(a, b)."""

    pytree_data_fields = ("n", "a", "b")

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        return log_choose(self.n, value) + log_beta(value + self.a, self.n - value + self.b) - log_beta(self.a, self.b)

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        shape = sample_shape + self.batch_shape
        key_p, key_n = jax.random.split(key)
        p = jax.nn.sigmoid(logit_beta_draw(key_p, self.a, self.b, shape))
        return _binomial_draw(key_n, self.n, p, shape)

    def cdf(self, value: Any) -> Array:
        most = self.support_values()
        if most is None:
            raise DistributionError(
                "the cdf of BetaBinomial needs a number of trials that is known when the program is compiled",
                helps=("give n as a literal, a size or data",),
            )
        below = jnp.minimum(most, jnp.asarray(value)[..., None])  # repeats of the last value are masked
        n, a, b = (jnp.asarray(p)[..., None] for p in (self.n, self.a, self.b))
        each = jnp.exp(BetaBinomial(n=n, a=a, b=b).log_prob(below))
        return jnp.where(most <= jnp.asarray(value)[..., None], each, 0).sum(-1)


class _Unbounded(Scalar):
    support = constraints.nonnegative_integer


class Geometric(_Unbounded):
    """Failures before the first success."""

    pytree_data_fields = ("p",)

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        log_q = safe_log1m(self.p)
        return jnp.log(self.p) + times_log(value, log_q)

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        e = jax.random.exponential(key, sample_shape + self.batch_shape, jnp.result_type(float, self.p))
        most = jnp.iinfo(jnp.result_type(int)).max // 2
        return jnp.minimum(jnp.floor(e / -jnp.log1p(-jnp.asarray(self.p))), most).astype(jnp.result_type(int))

    def cdf(self, value: Any) -> Array:
        return -jnp.expm1(times_log(value + 1, safe_log1m(self.p)))

    def sf(self, value: Any) -> Array:
        return jnp.exp(times_log(value + 1, safe_log1m(self.p)))


class Poisson(_Unbounded):
    """Counts of mean ``rate``; all zero at rate 0."""

    pytree_data_fields = ("rate",)

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        return times_log(value, safe_log(self.rate)) - self.rate - gammaln(value + 1.0)

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        return jax.random.poisson(plain(key), self.rate, sample_shape + self.batch_shape).astype(jnp.result_type(int))

    def cdf(self, value: Any) -> Array:
        return gammaincc(value + 1.0, self.rate)

    def sf(self, value: Any) -> Array:
        return gammainc(value + 1.0, self.rate)


class PoissonLog(_Unbounded):
    """Poisson(exp(log_rate))."""

    pytree_data_fields = ("log_rate",)

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        return times_log(value, self.log_rate) - jnp.exp(self.log_rate) - gammaln(value + 1.0)

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        return Poisson(rate=jnp.exp(self.log_rate)).sample(key, sample_shape)

    def cdf(self, value: Any) -> Array:
        return Poisson(rate=jnp.exp(self.log_rate)).cdf(value)

    def sf(self, value: Any) -> Array:
        return Poisson(rate=jnp.exp(self.log_rate)).sf(value)


class NegativeBinomial(_Unbounded):
    """Counts of mean μ and variance μ + μ²/φ: Poisson with a rate from Gamma(φ, φ/μ)."""

    pytree_data_fields = ("mu", "phi")

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        log_coefficient = -jnp.log(self.phi + value) - log_beta(self.phi, value + 1.0)
        return (
            log_coefficient - self.phi * jnp.log1p(self.mu / self.phi) - times_log(value, jnp.log1p(self.phi / self.mu))
        )

    def sample(self, key: PRNGKeyArray, sample_shape: tuple[int, ...] = ()) -> Array:
        key_rate, key_count = jax.random.split(key)
        shape = sample_shape + self.batch_shape
        rate = jnp.exp(log_gamma_draw(key_rate, self.phi, shape)) * self.mu / self.phi
        return Poisson(rate=rate).sample(key_count)

    def cdf(self, value: Any) -> Array:
        return betainc(self.phi, value + 1.0, self.phi / (self.phi + self.mu))

    def sf(self, value: Any) -> Array:
        return betainc(value + 1.0, self.phi, self.mu / (self.phi + self.mu))


def _trials(n: Any) -> tuple[Any, Any]:
    n, valid = count(n if isinstance(n, jax.Array) else np.asarray(n))
    return n, valid


def binomial(n: Any, p: Any) -> dist.Distribution:
    (n, valid_n), (p, valid) = _trials(n), probability(*floats(p))
    return guard(Binomial(n=n, p=jnp.asarray(p)), valid & valid_n, constraints.integer_interval(0, n))


def binomial_logit(n: Any, logit: Any) -> dist.Distribution:
    n, valid = _trials(n)
    return guard(BinomialLogit(n=n, logit=jnp.asarray(floats(logit)[0])), valid, constraints.integer_interval(0, n))


def beta_binomial(n: Any, a: Any, b: Any) -> dist.Distribution:
    (n, valid_n), (a, b) = _trials(n), floats(a, b)
    (a, valid_a), (b, valid_b) = positive(a), positive(b)
    return guard(BetaBinomial(n=n, a=a, b=b), valid_n & valid_a & valid_b, constraints.integer_interval(0, n))


def geometric(p: Any) -> dist.Distribution:
    p, valid = checked(floats(p)[0], lambda x: (x > 0) & (x <= 1), 0.5)
    return guard(Geometric(p=jnp.asarray(p)), valid, constraints.nonnegative_integer)


def poisson(rate: Any) -> dist.Distribution:
    rate, valid = nonnegative(*floats(rate))
    return guard(Poisson(rate=rate), valid, constraints.nonnegative_integer)


def poisson_log(log_rate: Any) -> dist.Distribution:
    return guard(PoissonLog(log_rate=floats(log_rate)[0]), True, constraints.nonnegative_integer)


def negative_binomial(mean: Any, concentration: Any) -> dist.Distribution:
    mean, concentration = floats(mean, concentration)
    (mean, valid_mean), (concentration, valid) = positive(mean), positive(concentration)
    return guard(NegativeBinomial(mu=mean, phi=concentration), valid & valid_mean, constraints.nonnegative_integer)
