"""“Did you mean”: the nearest of the names that would fit."""

from __future__ import annotations

from collections.abc import Iterable

from ppl.compiler.ir.distributions import DISTRIBUTIONS

# What people coming from Stan, NumPyro, PyMC or WebPPL write.
FOREIGN_DISTRIBUTIONS = {
    "student_t": "StudentT", "double_exponential": "Laplace", "inv_gamma": "InverseGamma",
    "chi_square": "ChiSquared", "bernoulli_logit": "BernoulliLogit", "neg_binomial_2": "NegativeBinomial",
    "poisson_log": "PoissonLog", "categorical_logit": "CategoricalLogit", "multi_normal": "MultiNormal",
    "lkj_corr": "LKJ", "multinormal": "MultiNormal", "multi_normal_cholesky": "MultiNormalChol",
    "lkj_corr_cholesky": "LKJCholesky", "MultivariateNormal": "MultiNormal", "MvNormal": "MultiNormal",
    "beta_proportion": "BetaMean", "von_mises": "VonMises", "Gaussian": "Normal", "LKJCorr": "LKJ",
    "gaussian": "Normal", "flip": "Bernoulli", "InverseGaussian": "InverseGamma",
    "BernoulliLogits": "BernoulliLogit", "BernoulliProbs": "Bernoulli", "NegativeBinomial2": "NegativeBinomial",
    "RandomInteger": "DiscreteUniform", "randomInteger": "DiscreteUniform", "TruncatedNormal": "truncated",
    "lognormal": "LogNormal", "half_normal": "HalfNormal", "half_cauchy": "HalfCauchy", "Lognormal": "LogNormal",
    "Chi2": "ChiSquared", "Improper": "Flat", "flat": "Flat",
}  # fmt: skip
FOREIGN_FUNCTIONS = {
    "inv_logit": "sigmoid", "expit": "sigmoid", "log_sum_exp": "logsumexp", "fabs": "abs", "Phi": "normal_cdf",
    "square": "", "inv_Phi": "normal_quantile", "ln": "log", "std": "sd", "stddev": "sd", "len": "length",
    "size": "length", "rep_vector": "full", "log_determinant": "logdet", "cholesky_decompose": "cholesky",
    "dot_product": "dot", "matmul": "", "fmin": "min", "fmax": "max", "if_else": "where", "range": "arange",
    "average": "mean", "variance": "var", "concatenate": "concat", "append_row": "concat", "power": "", "pow": "",
    "inv": "inverse", "identity": "eye", "ifelse": "where", "maximum": "max", "minimum": "min",
}  # fmt: skip


def distance(a: str, b: str, limit: int = 3) -> int:
    """Edits (insert, delete, replace, swap neighbours) between two names; more than ``limit`` counts as limit + 1."""
    if abs(len(a) - len(b)) > limit:
        return limit + 1
    row = list(range(len(b) + 1))
    previous = row
    for i, x in enumerate(a, 1):
        before, previous, row = previous, row, [i]
        for j, y in enumerate(b, 1):
            cost = min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
    return min(row[-1], limit + 1)


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that the name most likely stands for; None if none is near. Other case counts as half an edit."""
    best, best_cost = None, float("inf")
    limit = 1 if len(name) <= 3 else 2 if len(name) <= 7 else 3
    for candidate in candidates:
        if candidate.lower() == name.lower() or candidate.lower().replace("_", "") == name.lower().replace("_", ""):
            cost = 0.5
        else:
            cost = distance(name, candidate, limit)
        if cost <= limit and cost < best_cost and cost < max(len(name), len(candidate)):
            best, best_cost = candidate, cost
    return best


def distribution_for(name: str) -> str | None:
    if name in FOREIGN_DISTRIBUTIONS:
        return FOREIGN_DISTRIBUTIONS[name]
    return nearest(name, DISTRIBUTIONS)
