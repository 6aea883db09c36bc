"""The distributions over scalars, each beside scipy's: what densities, samplers and distribution functions are tested
on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from ppl.core.distributions import make


@dataclass(frozen=True)
class Case:
    """``reference`` is a frozen scipy distribution; ``points`` lie inside of its support."""

    name: str
    args: dict[str, Any]
    reference: Any
    discrete: bool = False

    def __str__(self) -> str:
        return f"{self.name}({', '.join(f'{k}={v}' for k, v in self.args.items())})"

    def make(self) -> Any:
        return make(self.name, self.args)

    @property
    def points(self) -> np.ndarray:
        """16 quantiles, tails included."""
        tails = np.array([1e-6, 1e-4, 1e-2])
        x = self.reference.ppf(np.concatenate([tails, np.linspace(0.05, 0.95, 10), 1 - tails]))
        return x.astype(int) if self.discrete else x

    def log_density(self, x: np.ndarray) -> np.ndarray:
        return self.reference.logpmf(x) if self.discrete else self.reference.logpdf(x)


def _discrete(values: list[float], p: list[float]) -> Any:
    return stats.rv_discrete(values=(values, p))


def _ordered_logistic(eta: float, cutpoints: list[float]) -> Any:
    edges = np.concatenate([[0.0], 1 / (1 + np.exp(-(np.array(cutpoints) - eta))), [1.0]])
    return _discrete(list(range(len(cutpoints) + 1)), list(np.diff(edges)))


def _softmax(x: list[float]) -> list[float]:
    w = np.exp(x)
    return list(w / w.sum())


def _abs_t(df: float, scale: float) -> Any:
    class HalfT(stats.rv_continuous):
        def _pdf(self, x: np.ndarray) -> np.ndarray:
            return 2 * stats.t.pdf(x, df)

        def _logpdf(self, x: np.ndarray) -> np.ndarray:
            return np.log(2) + stats.t.logpdf(x, df)

        def _cdf(self, x: np.ndarray) -> np.ndarray:
            return 2 * stats.t.cdf(x, df) - 1

        def _ppf(self, q: np.ndarray) -> np.ndarray:
            return stats.t.ppf((1 + q) / 2, df)

    return HalfT(a=0)(scale=scale)


def _negative_binomial(mean: float, concentration: float) -> Any:
    return stats.nbinom(concentration, concentration / (concentration + mean))


CONTINUOUS = [
    Case("Normal", {"loc": 1.5, "scale": 0.3}, stats.norm(1.5, 0.3)),
    Case("Normal", {"loc": -2.0, "scale": 1e4}, stats.norm(-2.0, 1e4)),
    Case("StudentT", {"df": 3.0, "loc": 1.0, "scale": 2.0}, stats.t(3.0, 1.0, 2.0)),
    Case("Cauchy", {"loc": 1.0, "scale": 2.0}, stats.cauchy(1.0, 2.0)),
    Case("Laplace", {"loc": 1.0, "scale": 2.0}, stats.laplace(1.0, 2.0)),
    Case("Logistic", {"loc": 1.0, "scale": 2.0}, stats.logistic(1.0, 2.0)),
    Case("Gumbel", {"loc": 1.0, "scale": 2.0}, stats.gumbel_r(1.0, 2.0)),
    Case("LogNormal", {"loc": 0.5, "scale": 0.8}, stats.lognorm(0.8, scale=np.exp(0.5))),
    Case("HalfNormal", {"scale": 2.0}, stats.halfnorm(scale=2.0)),
    Case("HalfCauchy", {"scale": 2.0}, stats.halfcauchy(scale=2.0)),
    Case("HalfStudentT", {"df": 4.0, "scale": 2.0}, _abs_t(4.0, 2.0)),
    Case("Exponential", {"rate": 2.5}, stats.expon(scale=1 / 2.5)),
    Case("Gamma", {"shape": 2.5, "rate": 3.0}, stats.gamma(2.5, scale=1 / 3.0)),
    Case("Gamma", {"shape": 0.3, "rate": 0.2}, stats.gamma(0.3, scale=5.0)),
    Case("InverseGamma", {"shape": 2.5, "scale": 3.0}, stats.invgamma(2.5, scale=3.0)),
    Case("ChiSquared", {"df": 3.5}, stats.chi2(3.5)),
    Case("Weibull", {"shape": 1.7, "scale": 3.0}, stats.weibull_min(1.7, scale=3.0)),
    Case("Pareto", {"scale": 2.0, "shape": 3.0}, stats.pareto(3.0, scale=2.0)),
    Case("Beta", {"a": 2.5, "b": 0.7}, stats.beta(2.5, 0.7)),
    Case("BetaMean", {"mean": 0.3, "concentration": 8.0}, stats.beta(2.4, 5.6)),
    Case("Uniform", {"low": -1.0, "high": 3.0}, stats.uniform(-1.0, 4.0)),
    Case("VonMises", {"loc": 0.0, "concentration": 2.5}, stats.vonmises(2.5)),
]

DISCRETE = [
    Case("Bernoulli", {"p": 0.3}, stats.bernoulli(0.3), True),
    Case("BernoulliLogit", {"logit": -1.2}, stats.bernoulli(1 / (1 + np.exp(1.2))), True),
    Case("Binomial", {"n": 12, "p": 0.3}, stats.binom(12, 0.3), True),
    Case("Binomial", {"n": 1000, "p": 0.9}, stats.binom(1000, 0.9), True),
    Case("BinomialLogit", {"n": 12, "logit": 0.4}, stats.binom(12, 1 / (1 + np.exp(-0.4))), True),
    Case("BetaBinomial", {"n": 12, "a": 2.0, "b": 0.5}, stats.betabinom(12, 2.0, 0.5), True),
    Case("Geometric", {"p": 0.2}, stats.geom(0.2, loc=-1), True),
    Case("Poisson", {"rate": 4.5}, stats.poisson(4.5), True),
    Case("PoissonLog", {"log_rate": 3.0}, stats.poisson(np.exp(3.0)), True),
    Case("NegativeBinomial", {"mean": 4.5, "concentration": 3.0}, _negative_binomial(4.5, 3.0), True),
    Case("NegativeBinomial", {"mean": 50.0, "concentration": 0.5}, _negative_binomial(50.0, 0.5), True),
    Case("Categorical", {"p": np.array([0.2, 0.5, 0.3])}, _discrete([0, 1, 2], [0.2, 0.5, 0.3]), True),
    Case(
        "CategoricalLogit",
        {"logits": np.array([0.2, -1.5, 2.0])},
        _discrete([0, 1, 2], _softmax([0.2, -1.5, 2.0])),
        True,
    ),
    Case("DiscreteUniform", {"low": -3, "high": 8}, stats.randint(-3, 9), True),
    Case(
        "Discrete",
        {"values": np.array([2, 5, 9]), "p": np.array([0.2, 0.5, 0.3])},
        _discrete([2, 5, 9], [0.2, 0.5, 0.3]),
        True,
    ),
    Case(
        "OrderedLogistic",
        {"eta": 0.3, "cutpoints": np.array([-1.0, 0.5, 2.0])},
        _ordered_logistic(0.3, [-1.0, 0.5, 2.0]),
        True,
    ),
]

SCALAR = CONTINUOUS + DISCRETE

ONE_OF_EACH = list({c.name: c for c in reversed(SCALAR)}.values())[::-1]
