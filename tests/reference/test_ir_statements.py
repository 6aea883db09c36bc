"""The interpreter on IR built by hand: what each kind of statement means, against enumeration and closed forms."""

import numpy as np
import pytest
from scipy import special, stats

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.sizes import ONE, ZERO, Size
from ppl.reference import (
    DomainError,
    InvalidProgram,
    MissingValue,
    Unsupported,
    density,
    enumerate_exact,
    generate,
    simulate,
)

T = Size.var("T")
INDEX2 = ty.IndexType(Size.const(2))
REAL_DIST, INDEX_DIST = ty.Dist(ty.REAL), ty.Dist(INDEX2)


def real(name):
    return ir.Var(name, ty.REAL)


def lit(x):
    return ir.Lit(x, ty.REAL if isinstance(x, float) else ty.INT)


def let(name, op, type=ty.REAL):
    return ir.Let(ir.Var(name, type), op)


def dist(name, which, type=REAL_DIST, **args):
    return ir.Let(ir.Var(name, type), ir.MakeDist(which, tuple(args.items())))


def program(*statements, params=(), sizes=(), sites=(), results=()):
    body = ir.Block(tuple(statements), tuple(results))
    return ir.Program(models=(ir.Model("main", "model", tuple(sizes), tuple(params), None, body, tuple(sites)),))


def site(name, type, role=ir.Role.LATENT, discrete=False):
    return ir.SiteInfo(name, type, ir.Var("_", type).support, role, discrete)


# A hidden Markov chain of two states:
# z[0] ~ Categorical(p), z[t] ~ Categorical(P[z[t-1]]), y[t] ~ Normal(m[z[t]], 1)
P, START, MEANS = np.array([[0.7, 0.3], [0.2, 0.8]]), np.array([0.6, 0.4]), np.array([-1.0, 1.5])
Y = np.array([0.3, -1.2, 2.0, 0.4])
PARAMS = tuple(
    ir.Parameter(n, ir.Var(n, ty.array(ty.REAL, *[Size.const(2)] * k))) for n, k in [("start", 1), ("P", 2), ("m", 1)]
)
ARGS = {"start": START, "P": P, "m": MEANS}
SITES = (site("z", ty.array(INDEX2, T), discrete=True), site("y", ty.array(ty.REAL, T), ir.Role.DATA))


def _index(name, base, *subscripts, shape=0):
    return let(name, ir.IndexOp(base, subscripts), ty.array(ty.REAL, *[Size.const(2)] * shape))


def _first(prefix="0"):
    z0 = ir.Var("z_0", INDEX2)
    return [
        dist("d_0", "Categorical", INDEX_DIST, p=PARAMS[0].var),
        ir.Draw(z0, "z", ir.Var("d_0", INDEX_DIST), indices=(lit(0),), affine=(ZERO,)),
        _index("m_0", PARAMS[2].var, z0),
        dist("e_0", "Normal", loc=real("m_0"), scale=lit(1.0)),
        ir.Draw(real("y_0"), "y", ir.Var("e_0", REAL_DIST), ir.Role.DATA, (lit(0),), (ZERO,)),
    ]


def _later(previous):
    t, z = ir.Var("t", ty.INT), ir.Var("z_t", INDEX2)
    return [
        _index("row", PARAMS[1].var, previous, shape=1),
        dist("d_t", "Categorical", INDEX_DIST, p=ir.Var("row", ty.array(ty.REAL, Size.const(2)))),
        ir.Draw(z, "z", ir.Var("d_t", INDEX_DIST), indices=(t,), affine=(Size.var("t"),)),
        _index("m_t", PARAMS[2].var, z),
        dist("e_t", "Normal", loc=real("m_t"), scale=lit(1.0)),
        ir.Draw(real("y_t"), "y", ir.Var("e_t", REAL_DIST), ir.Role.DATA, (t,), (Size.var("t"),)),
    ]


def with_lags():
    window = ir.Window("z", ir.Var("z_t", INDEX2), (ir.Var("z_0", INDEX2),))
    lag = let("z_p", ir.Lag("z", 1, "t"), INDEX2)
    loop = ir.For(ir.Var("t", ty.INT), ONE, T, ir.Block((lag, *_later(ir.Var("z_p", INDEX2)))), windows=(window,))
    return program(*_first(), loop, params=PARAMS, sizes=("T",), sites=SITES)


def with_carries():
    p = ir.Var("z_p", INDEX2)
    carry = ir.Carry(p, ir.Var("z_0", INDEX2), ir.Var("z_t", INDEX2), lag=("z", 1))
    loop = ir.Scan(ir.Var("t", ty.INT), ONE, T, ir.Block(tuple(_later(p))), (carry,))
    return program(*_first(), loop, params=PARAMS, sizes=("T",), sites=SITES)


def with_forward_sum():
    p = ir.Var("z_p", INDEX2)
    chain = ir.ForwardSum(
        ir.Var("z_0", INDEX2), p, ir.Var("z_t", INDEX2), ir.FiniteValues(Size.const(2)), ir.Block(tuple(_first())),
        ir.Var("t", ty.INT), ONE, T, ir.Block(tuple(_later(p))),
    )  # fmt: skip
    return program(chain, params=PARAMS, sizes=("T",), sites=SITES)


def _log_joint(z):
    steps = np.log(START[z[0]]) + sum(np.log(P[a, b]) for a, b in zip(z, z[1:], strict=False))
    return steps + stats.norm(MEANS[np.array(z)], 1).logpdf(Y).sum()


def _forward():
    a = np.log(START) + stats.norm(MEANS, 1).logpdf(Y[0])
    for y in Y[1:]:
        a = special.logsumexp(a[:, None] + np.log(P), axis=0) + stats.norm(MEANS, 1).logpdf(y)
    return special.logsumexp(a)


@pytest.mark.parametrize("build", [with_lags, with_carries])
def test_ordered_loops_before_and_after_the_pass_mean_the_same(build):
    for z in [(0, 0, 0, 0), (1, 0, 1, 1)]:
        assert density(build(), "main", ARGS, {"y": Y}, {"z": np.array(z)}) == pytest.approx(_log_joint(z), rel=1e-13)


@pytest.mark.parametrize("build", [with_lags, with_carries, with_forward_sum])
def test_enumeration_of_a_chain_is_the_forward_algorithm(build):
    paths = enumerate_exact(build(), "main", ARGS, {"y": Y})
    assert len(paths) == 16
    assert paths.log_evidence == pytest.approx(_forward(), rel=1e-13)


def test_a_forward_sum_is_the_density_of_the_data():
    assert density(with_forward_sum(), "main", ARGS, {"y": Y}, {}) == pytest.approx(_forward(), rel=1e-13)


def test_a_sum_is_over_the_weights_of_its_body():
    x = ir.Var("x", INDEX2)
    body = ir.Block((
        dist("d", "Categorical", INDEX_DIST, p=PARAMS[0].var),
        ir.Draw(x, "x", ir.Var("d", INDEX_DIST)),
        _index("mx", PARAMS[2].var, x),
        dist("e", "Normal", loc=real("mx"), scale=lit(1.0)),
        ir.Draw(real("y"), "y", ir.Var("e", REAL_DIST), ir.Role.DATA),
    ), (real("y"),))  # fmt: skip
    p = program(
        ir.SumOut(x, ir.FiniteValues(Size.const(2)), body, (real("kept"),)),
        ir.Factor(real("kept")),
        params=PARAMS, sites=(site("x", INDEX2), site("y", ty.REAL, ir.Role.DATA)),
    )  # fmt: skip
    expected = np.log(START @ stats.norm(MEANS, 1).pdf(0.3)) + 0.3
    assert density(p, "main", ARGS, {"y": 0.3}, {}) == pytest.approx(expected, rel=1e-13)
    assert enumerate_exact(p, "main", ARGS, {"y": 0.3}).log_evidence == pytest.approx(expected, rel=1e-13)


def test_simulation_draws_everything_and_weighs_the_data():
    joint = simulate(with_lags(), "main", ARGS, {"T": 4}, rng=1)
    assert joint.trace["z"].shape == joint.data["y"].shape == (4,) and joint.log_weight == 0
    given = simulate(with_lags(), "main", ARGS, {"y": Y}, rng=1)
    z = given.trace["z"].astype(int)
    assert given.log_weight == pytest.approx(stats.norm(MEANS[z], 1).logpdf(Y).sum(), rel=1e-13)
    fixed = generate(with_lags(), "main", ARGS, {"y": Y}, {"z": z})
    assert fixed.log_weight == pytest.approx(_log_joint(tuple(z)), rel=1e-13)


def test_missing_entries_are_chosen():
    y = np.array([0.3, np.nan, 2.0, 0.4])
    run = simulate(with_lags(), "main", ARGS, {"y": y}, rng=3)
    z = run.trace["z"].astype(int)
    assert np.isfinite(run.data["y"]).all()
    assert run.log_weight == pytest.approx(stats.norm(MEANS[z], 1).logpdf(y)[[0, 2, 3]].sum(), rel=1e-13)


def test_a_trace_without_the_value_is_an_error():
    with pytest.raises(MissingValue, match=r"z\[0\]"):
        density(with_lags(), "main", ARGS, {"y": Y}, {})


def test_infinite_supports_are_not_enumerated_without_a_bound():
    p = program(
        dist("d", "Poisson", ty.Dist(ty.INT), rate=lit(2.0)),
        ir.Draw(ir.Var("n", ty.INT), "n", ir.Var("d", ty.Dist(ty.INT))),
    )
    with pytest.raises(Unsupported, match="n"):
        enumerate_exact(p, "main")
    assert enumerate_exact(p, "main", least=1e-12).mean("n") == pytest.approx(2, abs=1e-9)


def test_a_bad_argument_makes_the_density_zero_and_the_simulation_an_error():
    p = program(dist("d", "Normal", loc=lit(0.0), scale=lit(-1.0)), ir.Draw(real("x"), "x", ir.Var("d", REAL_DIST)))
    assert density(p, "main", trace={"x": 0.0}) == -np.inf
    with pytest.raises(DomainError):
        simulate(p, "main")


def test_drawing_an_address_twice_is_an_error():
    draw = ir.Draw(real("x"), "x", ir.Var("d", REAL_DIST))
    with pytest.raises(InvalidProgram, match="twice"):
        simulate(program(dist("d", "Normal", loc=lit(0.0), scale=lit(1.0)), draw, draw), "main")
