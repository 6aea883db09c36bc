"""The reference densities against scipy.stats, and against sums and integrals where SciPy has no such distribution."""

import numpy as np
import pytest
from scipy import integrate, special, stats

from ppl.compiler.ir.distributions import DISTRIBUTIONS
from ppl.reference.distributions import make
from ppl.reference.errors import DomainError
from ppl.reference.functions import FUNCTIONS
from ppl.reference.values import FunctionValue, stack

COV = np.array([[2.0, 0.6], [0.6, 1.0]])
L = np.linalg.cholesky(COV)

CONTINUOUS = [
    ("Normal", dict(loc=0.5, scale=2.0), stats.norm(0.5, 2.0)),
    ("StudentT", dict(df=3.5, loc=0.5, scale=2.0), stats.t(3.5, 0.5, 2.0)),
    ("Cauchy", dict(loc=0.5, scale=2.0), stats.cauchy(0.5, 2.0)),
    ("Laplace", dict(loc=0.5, scale=2.0), stats.laplace(0.5, 2.0)),
    ("Logistic", dict(loc=0.5, scale=2.0), stats.logistic(0.5, 2.0)),
    ("Gumbel", dict(loc=0.5, scale=2.0), stats.gumbel_r(0.5, 2.0)),
    ("LogNormal", dict(loc=0.5, scale=0.7), stats.lognorm(0.7, scale=np.exp(0.5))),
    ("HalfNormal", dict(scale=2.0), stats.halfnorm(scale=2.0)),
    ("HalfCauchy", dict(scale=2.0), stats.halfcauchy(scale=2.0)),
    ("Exponential", dict(rate=2.0), stats.expon(scale=0.5)),
    ("Gamma", dict(shape=1.7, rate=2.0), stats.gamma(1.7, scale=0.5)),
    ("InverseGamma", dict(shape=1.7, scale=2.0), stats.invgamma(1.7, scale=2.0)),
    ("ChiSquared", dict(df=3.0), stats.chi2(3.0)),
    ("Weibull", dict(shape=1.7, scale=2.0), stats.weibull_min(1.7, scale=2.0)),
    ("Pareto", dict(scale=2.0, shape=1.7), stats.pareto(1.7, scale=2.0)),
    ("Beta", dict(a=0.7, b=2.0), stats.beta(0.7, 2.0)),
    ("BetaMean", dict(mean=0.3, concentration=5.0), stats.beta(1.5, 3.5)),
    ("Uniform", dict(low=-1.0, high=3.0), stats.uniform(-1.0, 4.0)),
    ("VonMises", dict(loc=0.0, concentration=2.0), stats.vonmises(2.0)),
]
DISCRETE = [
    ("Bernoulli", dict(p=0.3), stats.bernoulli(0.3)),
    ("BernoulliLogit", dict(logit=-0.4), stats.bernoulli(special.expit(-0.4))),
    ("Binomial", dict(n=5, p=0.3), stats.binom(5, 0.3)),
    ("BinomialLogit", dict(n=5, logit=-0.4), stats.binom(5, special.expit(-0.4))),
    ("BetaBinomial", dict(n=5, a=0.7, b=2.0), stats.betabinom(5, 0.7, 2.0)),
    ("Geometric", dict(p=0.3), stats.geom(0.3, loc=-1)),
    ("Poisson", dict(rate=2.5), stats.poisson(2.5)),
    ("PoissonLog", dict(log_rate=0.9), stats.poisson(np.exp(0.9))),
    ("NegativeBinomial", dict(mean=3.0, concentration=1.5), stats.nbinom(1.5, 1.5 / 4.5)),
    ("DiscreteUniform", dict(low=-2, high=3), stats.randint(-2, 4)),
    ("Categorical", dict(p=[0.2, 0.5, 0.3]), stats.rv_discrete(values=([0, 1, 2], [0.2, 0.5, 0.3]))),
]


@pytest.mark.parametrize(("name", "params", "oracle"), CONTINUOUS, ids=[c[0] for c in CONTINUOUS])
def test_continuous_agrees_with_scipy(name, params, oracle):
    d = make(name, params)
    x = oracle.ppf([0.001, 0.05, 0.3, 0.5, 0.8, 0.99])
    np.testing.assert_allclose([d.log_density(v) for v in x], oracle.logpdf(x), rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose([float(d.cdf(v)) for v in x], oracle.cdf(x), rtol=1e-8)


@pytest.mark.parametrize(("name", "params", "oracle"), DISCRETE, ids=[c[0] for c in DISCRETE])
def test_discrete_agrees_with_scipy(name, params, oracle):
    d = make(name, params)
    k = np.arange(-3, 8)
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose([d.log_density(v) for v in k], np.log(oracle.pmf(k)), rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose([float(d.cdf(v)) for v in k], oracle.cdf(k), rtol=1e-11)
    assert d.log_density(0.5) == -np.inf


@pytest.mark.parametrize(("name", "params", "oracle"), DISCRETE, ids=[c[0] for c in DISCRETE])
def test_atoms_carry_all_the_mass(name, params, oracle):
    tail = 1e-9
    values = make(name, params).atoms(tail)
    assert 1 - tail <= np.exp([make(name, params).log_density(v) for v in values]).sum() <= 1 + 1e-12


def test_half_student_t():
    d, x = make("HalfStudentT", dict(df=4.0, scale=1.5)), 2.2
    assert d.log_density(x) == pytest.approx(np.log(2) + stats.t(4.0, scale=1.5).logpdf(x), rel=1e-12)
    assert d.log_density(-x) == -np.inf


def test_ordered_logistic_is_a_difference_of_sigmoids():
    d = make("OrderedLogistic", dict(eta=0.3, cutpoints=np.array([-1.0, 0.5])))
    s = special.expit
    expected = [1 - s(1.3), s(1.3) - s(-0.2), s(-0.2)]
    np.testing.assert_allclose(np.exp([d.log_density(k) for k in range(3)]), expected, rtol=1e-12)


def test_discrete_adds_equal_values_up():
    d = make("Discrete", dict(values=np.array([1.5, 2.0, 1.5]), p=np.array([0.2, 0.5, 0.3])))
    assert np.exp(d.log_density(1.5)) == pytest.approx(0.5) and d.atoms() == [1.5, 2.0]


def test_multivariate_agree_with_scipy():
    loc, x = np.array([0.5, -1.0]), np.array([1.0, 0.3])
    expected = stats.multivariate_normal(loc, COV).logpdf(x)
    for name, more in [
        ("MultiNormal", dict(cov=COV)),
        ("MultiNormalChol", dict(L=L)),
        ("MultiNormalPrec", dict(precision=np.linalg.inv(COV))),
    ]:
        assert make(name, dict(loc=loc, **more)).log_density(x) == pytest.approx(expected, rel=1e-12)
    t = make("MultiStudentT", dict(df=4.0, loc=loc, L=L))
    assert t.log_density(x) == pytest.approx(stats.multivariate_t(loc, COV, df=4.0).logpdf(x), rel=1e-12)
    p = np.array([0.2, 0.3, 0.5])
    a = np.array([0.7, 1.0, 2.0])
    assert make("Dirichlet", dict(concentration=a)).log_density(p) == pytest.approx(
        stats.dirichlet(a).logpdf(p), rel=1e-12
    )
    m = make("Multinomial", dict(n=4, p=p))
    assert m.log_density(np.array([1, 0, 3])) == pytest.approx(stats.multinomial(4, p).logpmf([1, 0, 3]), rel=1e-12)
    assert np.exp([m.log_density(v) for v in m.atoms()]).sum() == pytest.approx(1, abs=1e-12)
    w = make("Wishart", dict(df=4.5, scale=COV))
    S = np.array([[3.0, -0.5], [-0.5, 2.0]])
    assert w.log_density(S) == pytest.approx(stats.wishart(4.5, COV).logpdf(S), rel=1e-12)


@pytest.mark.parametrize("eta", [0.6, 1.0, 3.0])
def test_lkj_integrates_to_one_in_two_and_three_dimensions(eta):
    one = integrate.quad(
        lambda r: np.exp(make("LKJ", dict(K=2, eta=eta)).log_density(np.array([[1, r], [r, 1]]))), -1, 1, limit=400
    )[0]
    assert one == pytest.approx(1, abs=1e-5)
    if eta < 1:
        return
    d = make("LKJ", dict(K=3, eta=eta))
    nodes, weights = np.polynomial.legendre.leggauss(24)
    total = 0.0
    for a, wa in zip(nodes, weights, strict=True):
        for b, wb in zip(nodes, weights, strict=True):
            half = np.sqrt(
                (1 - a * a) * (1 - b * b)
            )  # c = ab ± half: the interval on which the matrix is a correlation
            for z, wz in zip(nodes, weights, strict=True):
                c = a * b + half * z
                total += wa * wb * wz * half * np.exp(d.log_density(np.array([[1, a, b], [a, 1, c], [b, c, 1]])))
    assert total == pytest.approx(1, abs=1e-3)


def test_lkj_cholesky_is_the_image_of_lkj():
    """p_L(L) = p_R(LLᵀ) |∂R/∂L|, the determinant taken by finite differences."""
    rng = np.random.default_rng(0)
    lkj, chol = make("LKJ", dict(K=4, eta=1.7)), make("LKJCholesky", dict(K=4, eta=1.7))
    below = np.tril_indices(4, -1)

    def matrix(v):
        out = np.zeros((4, 4))
        out[below] = v
        out[np.diag_indices(4)] = np.sqrt(1 - (out**2).sum(1))
        return out

    v = np.linalg.cholesky(lkj.sample(rng))[below]
    h = 1e-6
    J = [
        ((matrix(v + h * e) @ matrix(v + h * e).T - matrix(v - h * e) @ matrix(v - h * e).T) / (2 * h))[below]
        for e in np.eye(6)
    ]
    expected = lkj.log_density(matrix(v) @ matrix(v).T) + np.linalg.slogdet(np.array(J))[1]
    assert chol.log_density(matrix(v)) == pytest.approx(expected, abs=1e-6)


def test_gaussian_random_walk_is_a_product_of_steps():
    x = np.array([0.3, -0.2, 1.0])
    expected = stats.norm(0, 1.5).logpdf([0.3, -0.5, 1.2]).sum()
    assert make("GaussianRandomWalk", dict(scale=1.5, T=3)).log_density(x) == pytest.approx(expected, rel=1e-12)


def test_truncated_divides_by_the_mass_between_the_bounds():
    normal = make("Normal", dict(loc=0.0, scale=1.0))
    d = make("truncated", dict(D=normal, lower=-0.5, upper=2.0))
    assert d.log_density(0.3) == pytest.approx(stats.truncnorm(-0.5, 2.0).logpdf(0.3), rel=1e-12)
    assert d.log_density(2.1) == -np.inf
    poisson = make("truncated", dict(D=make("Poisson", dict(rate=2.0)), lower=1, upper=3))
    mass = stats.poisson(2.0).pmf([1, 2, 3])
    np.testing.assert_allclose(np.exp([poisson.log_density(k) for k in poisson.atoms()]), mass / mass.sum(), rtol=1e-12)


def test_combinators():
    normal = make("Normal", dict(loc=0.5, scale=2.0))
    x = np.array([-0.3, 0.2, 1.0])
    lp = stats.norm(0.5, 2.0).logpdf
    assert make("iid", dict(D=normal, n=3)).log_density(x) == pytest.approx(lp(x).sum(), rel=1e-12)
    assert make("ordered", dict(D=normal, K=3)).log_density(x) == pytest.approx(lp(x).sum() + np.log(6), rel=1e-12)
    assert make("ordered", dict(D=normal, K=3)).log_density(x[::-1]) == -np.inf
    inflated = make("ZeroInflated", dict(p=0.3, D=make("Poisson", dict(rate=2.0))))
    assert np.exp(inflated.log_density(0)) == pytest.approx(0.3 + 0.7 * np.exp(-2))
    two = stack([normal, make("Normal", dict(loc=-1.0, scale=0.5))])
    listed = make("mixture", dict(weights=[0.3, 0.7], D=two))
    batched = make(
        "mixture",
        dict(weights=[0.3, 0.7], D=make("Normal", dict(loc=np.array([0.5, -1.0]), scale=np.array([2.0, 0.5])))),
    )
    expected = np.log(0.3 * np.exp(lp(0.2)) + 0.7 * stats.norm(-1.0, 0.5).pdf(0.2))
    assert listed.log_density(0.2) == pytest.approx(expected, rel=1e-12) == batched.log_density(0.2)


@pytest.mark.parametrize(("f", "x"), [("exp", 2.3), ("sigmoid", 0.2), ("sinh", -1.7), ("neg", 0.4)])
def test_transformed_divides_by_the_slope(f, x):
    inverse = {"exp": np.log, "sigmoid": special.logit, "sinh": np.arcsinh, "neg": np.negative}[f]
    slope = {
        "exp": lambda u: np.exp(u),
        "sigmoid": lambda u: special.expit(u) * special.expit(-u),
        "sinh": np.cosh,
        "neg": lambda u: 1.0,
    }[f]
    d = make("transformed", dict(D=make("Normal", dict(loc=0.5, scale=2.0)), f=FunctionValue(f, FUNCTIONS[f])))
    u = inverse(x)
    assert d.log_density(x) == pytest.approx(stats.norm(0.5, 2.0).logpdf(u) - np.log(slope(u)), abs=1e-8)


def test_array_arguments_give_batch_axes_and_copies_come_in_front():
    d = make("Normal", dict(loc=np.array([0.0, 1.0]), scale=2.0), (3,))
    x = np.arange(6.0).reshape(3, 2)
    assert d.batch == (3, 2)
    np.testing.assert_allclose(d.log_densities(x), stats.norm([0.0, 1.0], 2.0).logpdf(x), rtol=1e-12)
    c = make("Categorical", dict(p=np.array([[0.2, 0.8], [0.5, 0.5]])))
    assert c.batch == (2,)
    assert c.log_density(np.array([1, 0])) == pytest.approx(np.log(0.4))


@pytest.mark.parametrize(("name", "params"), [
    ("Normal", dict(loc=0.0, scale=-1.0)), ("Uniform", dict(low=1.0, high=0.0)), ("Bernoulli", dict(p=1.2)),
    ("Categorical", dict(p=[0.5, 0.6])), ("MultiNormal", dict(loc=np.zeros(2), cov=np.array([[1.0, 2.0], [2.0, 1.0]]))),
    ("Dirichlet", dict(concentration=[1.0, 0.0])), ("Gamma", dict(shape=np.nan, rate=1.0)),
])  # fmt: skip
def test_arguments_outside_their_domain_are_errors(name, params):
    with pytest.raises(DomainError):
        make(name, params)


def test_every_distribution_of_the_language_is_here():
    from ppl.reference.distributions import _STRUCTURED, FAMILIES

    assert set(DISTRIBUTIONS) == {*FAMILIES, *_STRUCTURED, "mixture"}
    for name, family in FAMILIES.items():
        assert family.params == tuple(p.name for p in DISTRIBUTIONS[name].params)
