"""The table of distributions by name; the parameter names are those of the constructors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpyro.distributions as dist

from ppl.core.distributions import (
    categorical,
    continuous_real,
    copies,
    counts,
    degenerate,
    interval,
    matrix,
    mixture,
    multivariate,
    ordered,
    positive,
    timeseries,
    transformed,
    truncated,
)

DISTRIBUTIONS: dict[str, Callable[..., dist.Distribution]] = {
    "Normal": continuous_real.normal,
    "StudentT": continuous_real.student_t,
    "Cauchy": continuous_real.cauchy,
    "Laplace": continuous_real.laplace,
    "Logistic": continuous_real.logistic,
    "Gumbel": continuous_real.gumbel,
    "LogNormal": positive.log_normal,
    "HalfNormal": positive.half_normal,
    "HalfCauchy": positive.half_cauchy,
    "HalfStudentT": positive.half_student_t,
    "Exponential": positive.exponential,
    "Gamma": positive.gamma,
    "InverseGamma": positive.inverse_gamma,
    "ChiSquared": positive.chi_squared,
    "Weibull": positive.weibull,
    "Pareto": positive.pareto,
    "Beta": interval.beta,
    "BetaMean": interval.beta_mean,
    "Uniform": interval.uniform,
    "VonMises": interval.von_mises,
    "Bernoulli": categorical.bernoulli,
    "BernoulliLogit": categorical.bernoulli_logit,
    "Binomial": counts.binomial,
    "BinomialLogit": counts.binomial_logit,
    "BetaBinomial": counts.beta_binomial,
    "Geometric": counts.geometric,
    "Poisson": counts.poisson,
    "PoissonLog": counts.poisson_log,
    "NegativeBinomial": counts.negative_binomial,
    "Categorical": categorical.categorical,
    "CategoricalLogit": categorical.categorical_logit,
    "DiscreteUniform": categorical.discrete_uniform,
    "Discrete": categorical.discrete,
    "OrderedLogistic": categorical.ordered_logistic,
    "Multinomial": multivariate.multinomial,
    "Dirichlet": multivariate.dirichlet,
    "MultiNormal": multivariate.multi_normal,
    "MultiNormalChol": multivariate.multi_normal_chol,
    "MultiNormalPrec": multivariate.multi_normal_prec,
    "MultiStudentT": multivariate.multi_student_t,
    "LKJ": matrix.lkj,
    "LKJCholesky": matrix.lkj_cholesky,
    "Wishart": matrix.wishart,
    "GaussianRandomWalk": timeseries.gaussian_random_walk,
    "Delta": degenerate.delta,
    "Flat": degenerate.flat,
    "ZeroInflated": mixture.zero_inflated,
    "iid": copies.iid,
    "truncated": truncated.truncated,
    "ordered": ordered.ordered,
    "transformed": transformed.transformed,
    "mixture": mixture.mixture,
}


def make(name: str, args: Mapping[str, Any], batch: tuple[int, ...] = ()) -> dist.Distribution:
    """The distribution ``name`` with the arguments ``args``; ``batch`` puts independent copies in front as leading
    axes.

    Elementwise array arguments give batch axes by themselves. Arguments that are distributions are results of ``make``.
    The log density is −∞ for values outside of the support and for arguments outside of their constraint."""
    d = DISTRIBUTIONS[name](**args)
    return copies.Copies(d, tuple(batch)) if batch else d
