"""Each reference sampler against its own density.

Continuous: the DKW inequality, P(sup |F_n − F| > ε) ≤ 2 exp(−2nε²), with F by integration of the density where there is
no closed form. n = 2000 and false-alarm rate 1e-8 a check (below 1e-6 in all): ε = 0.069. Discrete: the same with the
sums of the density. Seeds are fixed."""

import numpy as np
import pytest
from scipy import special

from ppl.reference.distributions import make
from ppl.reference.functions import FUNCTIONS
from ppl.reference.values import FunctionValue, stack
from tests.reference.test_densities import CONTINUOUS, COV, DISCRETE, L

N = 2000
EPSILON = np.sqrt(np.log(2 / 1e-8) / (2 * N))


def _check_against_cdf(sample, cdf):
    x = np.sort(sample)
    F = np.array([float(cdf(v)) for v in x])
    steps = np.arange(N + 1) / N
    assert max(np.max(steps[1:] - F), np.max(F - steps[:-1])) < EPSILON


def _scalars():
    normal = make("Normal", dict(loc=0.5, scale=2.0))
    yield from ((name, make(name, params)) for name, params, _ in CONTINUOUS if name != "VonMises")
    yield "HalfStudentT", make("HalfStudentT", dict(df=4.0, scale=1.5))
    yield "truncated", make("truncated", dict(D=normal, lower=1.0))
    yield "truncated both", make("truncated", dict(D=normal, lower=-1.0, upper=1.5))
    yield (
        "mixture",
        make("mixture", dict(weights=[0.3, 0.7], D=stack([normal, make("Normal", dict(loc=5.0, scale=0.5))]))),
    )


@pytest.mark.parametrize(("name", "d"), list(_scalars()), ids=[n for n, _ in _scalars()])
def test_continuous_samplers(name, d):
    rng = np.random.default_rng(1)
    _check_against_cdf([d.sample(rng) for _ in range(N)], d.cdf)


def test_von_mises_sampler():
    rng, d = np.random.default_rng(2), make("VonMises", dict(loc=0.5, concentration=2.0))
    grid = np.linspace(-np.pi, np.pi, 2001)
    p = np.exp([d.log_density(v) for v in grid])
    F = np.concatenate([[0], np.cumsum((p[1:] + p[:-1]) / 2 * np.diff(grid))])
    assert F[-1] == pytest.approx(1, abs=1e-9)
    _check_against_cdf([d.sample(rng) for _ in range(N)], lambda v: np.interp(v, grid, F))


def test_transformed_sampler():
    rng = np.random.default_rng(3)
    inner = make("Normal", dict(loc=0.5, scale=1.0))
    d = make("transformed", dict(D=inner, f=FunctionValue("sigmoid", FUNCTIONS["sigmoid"])))
    _check_against_cdf([d.sample(rng) for _ in range(N)], lambda v: inner.cdf(special.logit(v)))


def _discrete():
    yield from ((name, make(name, params)) for name, params, _ in DISCRETE)
    yield "CategoricalLogit", make("CategoricalLogit", dict(logits=np.array([0.1, -1.0, 0.5])))
    yield "OrderedLogistic", make("OrderedLogistic", dict(eta=0.3, cutpoints=np.array([-1.0, 0.5])))
    yield "Discrete", make("Discrete", dict(values=np.array([1.5, 2.0, -1.0]), p=np.array([0.2, 0.5, 0.3])))
    yield "ZeroInflated", make("ZeroInflated", dict(p=0.3, D=make("Poisson", dict(rate=2.0))))
    yield "truncated", make("truncated", dict(D=make("Poisson", dict(rate=2.0)), lower=1, upper=4))


@pytest.mark.parametrize(("name", "d"), list(_discrete()), ids=[n for n, _ in _discrete()])
def test_discrete_samplers(name, d):
    rng = np.random.default_rng(4)
    sample = np.array([d.sample(rng) for _ in range(N)], dtype=float)
    values = sorted(float(v) for v in d.atoms(1e-9))
    F = np.cumsum(np.exp([d.log_density(v) for v in values]))
    assert max(abs(np.mean(sample <= v) - f) for v, f in zip(values, F, strict=True)) < EPSILON


def test_vector_samplers_by_their_marginals():
    """One coordinate (or a function) of each draw has a known distribution."""
    rng = np.random.default_rng(5)
    loc = np.array([0.5, -1.0])
    second = make("Normal", dict(loc=-1.0, scale=1.0))
    for name, more in [
        ("MultiNormal", dict(cov=COV)),
        ("MultiNormalChol", dict(L=L)),
        ("MultiNormalPrec", dict(precision=np.linalg.inv(COV))),
    ]:
        d = make(name, dict(loc=loc, **more))
        draws = np.array([d.sample(rng) for _ in range(N)])
        _check_against_cdf(draws[:, 1], second.cdf)
        along = make("Normal", dict(loc=-0.5, scale=np.sqrt(COV.sum())))
        _check_against_cdf(draws.sum(1), along.cdf)
    t = make("MultiStudentT", dict(df=4.0, loc=loc, L=L))
    _check_against_cdf([t.sample(rng)[1] for _ in range(N)], make("StudentT", dict(df=4.0, loc=-1.0, scale=1.0)).cdf)
    a = np.array([0.7, 1.0, 2.0])
    dirichlet = make("Dirichlet", dict(concentration=a))
    _check_against_cdf([dirichlet.sample(rng)[2] for _ in range(N)], make("Beta", dict(a=2.0, b=1.7)).cdf)
    wishart = make("Wishart", dict(df=4.5, scale=COV))
    _check_against_cdf([wishart.sample(rng)[0, 0] / 2.0 for _ in range(N)], make("ChiSquared", dict(df=4.5)).cdf)
    walk = make("GaussianRandomWalk", dict(scale=1.5, T=4))
    _check_against_cdf([walk.sample(rng)[3] for _ in range(N)], make("Normal", dict(loc=0.0, scale=3.0)).cdf)
    ordered = make("ordered", dict(D=make("Uniform", dict(low=0.0, high=1.0)), K=3))
    _check_against_cdf([ordered.sample(rng)[1] for _ in range(N)], make("Beta", dict(a=2.0, b=2.0)).cdf)


@pytest.mark.parametrize("name", ["LKJ", "LKJCholesky"])
def test_every_correlation_of_lkj_has_its_beta_marginal(name):
    """(r + 1)/2 ~ Beta(b, b) with b = eta + (K − 2)/2, for every entry."""
    rng, d = np.random.default_rng(6), make(name, dict(K=4, eta=1.3))
    draws = [d.sample(rng) for _ in range(N)]
    if name == "LKJCholesky":
        draws = [x @ x.T for x in draws]
    marginal = make("Beta", dict(a=2.3, b=2.3))
    for i, j in [(0, 1), (0, 3), (2, 3)]:
        _check_against_cdf([(x[i, j] + 1) / 2 for x in draws], marginal.cdf)


def test_multinomial_counts_are_binomial():
    rng, d = np.random.default_rng(7), make("Multinomial", dict(n=4, p=[0.2, 0.3, 0.5]))
    counts, binomial = np.array([d.sample(rng)[1] for _ in range(N)]), make("Binomial", dict(n=4, p=0.3))
    assert max(abs(np.mean(counts <= k) - float(binomial.cdf(k))) for k in range(5)) < EPSILON
