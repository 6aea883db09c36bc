"""Discrete variables that cannot be summed out: the reason names the statement in the way, and the model stays as it
is."""

import pytest

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.nodes import Level, Role
from ppl.compiler.ir.sizes import ONE
from ppl.compiler.ir.supports import Interval
from ppl.compiler.passes.eliminate_chain import eliminate_chains
from ppl.compiler.passes.enumerate_local import enumerate_local
from ppl.compiler.passes.schedule import run_passes
from tests.passes.build import Body, N, T, array, index, model, param, program, real
from tests.passes.models import INDEX2, ZERO_INDEX, hmm


def coin(b: Body, *indices: ir.Atom, **more) -> ir.Var:
    return b.draw("z", "z", b.dist("Bernoulli", ty.BOOL, p=real(0.5)), *indices, level=Level.DISCRETE, **more)


def with_sites(b: Body, *more, z: ty.Type = ty.BOOL, params=()) -> ir.Model:
    return model("m", b.block(), params, [("z", z, Role.LATENT), *more], ["N"])


def read_in_another_plate() -> ir.Model:
    b, first, second = Body(), Body("e"), Body("f")
    i, k = index("i"), index("k")
    z = b.plate(i, N, first, z_s=coin(first, i))["z_s"]
    z_k = second.let("z_k", ir.IndexOp(z, (k,), checked=True), ty.BOOL)
    second.normal("y_k", "y", second.prim("m", "where", z_k, real(0), real(1)), real(1), k, role=Role.DATA)
    b.plate(k, N, second)
    return with_sites(b, ("y", array(N), Role.DATA), z=array(N, of=ty.BOOL))


def countable() -> ir.Model:
    b = Body()
    b.draw("z", "z", b.dist("Poisson", ty.INT, rate=real(2)), level=Level.DISCRETE)
    return with_sites(b, z=ty.INT)


def trials_from_data() -> ir.Model:
    b, n = Body(), param("n", ty.INT)
    b.draw("z", "z", b.dist("Binomial", ty.INT, n=n.var, p=real(0.5)), level=Level.DISCRETE)
    return with_sites(b, z=ty.INT, params=[n])


def whole_array() -> ir.Model:
    b, p = Body(), param("p", array(N))
    b.draw("z", "z", b.dist("Bernoulli", array(N, of=ty.BOOL), p=p.var), level=Level.DISCRETE)
    return with_sites(b, z=array(N, of=ty.BOOL), params=[p])


def moving_bounds() -> ir.Model:
    b = Body()
    high = b.prim("high", "where", coin(b), real(1), real(2))
    d = b.dist("Uniform", low=real(0), high=high)
    x = ir.Var("x", ty.REAL, Interval(0.0, 2.0, dynamic=True), Level.CONTINUOUS)
    b.add(ir.Draw(x, "x", d))
    return with_sites(b, ("x", ty.REAL, Role.LATENT))


def different_branches() -> ir.Model:
    b, then = Body(), Body("e")
    z = coin(b)
    then.normal("x", "x", real(0), real(1))
    b.add(ir.If(z, then.block(), ir.Block(())))
    return with_sites(b, ("x", ty.REAL, Role.LATENT))


def partly_observed() -> ir.Model:
    b = Body()
    coin(b, missing=True)
    return with_sites(b)


REASONS = {
    read_in_another_plate: "`z` cannot be summed out locally: it is read outside the iteration that draws it, by the "
    "distribution of `y`",
    countable: "`z` has the distribution Poisson, whose values are not finitely many",
    trials_from_data: "`z` has a number of trials that is not constant",
    whole_array: "`z` is drawn as a whole array, not element by element in a plate",
    moving_bounds: "`z` cannot be summed out: the bounds of `x` depend on it",
    different_branches: "`z` cannot be summed out: it decides which variables are drawn",
    partly_observed: "`z` is discrete and only partly observed",
}


@pytest.mark.parametrize("make", REASONS, ids=lambda f: f.__name__)
def test_the_reason(make):
    m = make()
    found = enumerate_local(m)
    assert [(r.site, r.reason) for r in found.refusals] == [("z", REASONS[make])]
    assert found.model == m and found.sites == ()


def test_a_chain_alone_is_not_local():
    m = run_passes(hmm().program, "hmm").program.model("hmm")
    (refusal,) = enumerate_local(m, {"y"}).refusals
    assert refusal.reason == (
        "`z` cannot be summed out locally: an iteration reads the one before, by the distribution of `z`"
    )


def chain(after_loop: bool = False, second_carry: bool = False) -> ir.Model:
    """A chain whose last element is observed behind the loop, or which changes a state variable that is conditioned
    on."""
    b, inner, t = Body(), Body("e"), index("t")
    P = param("P", array(ONE + 1, ONE + 1))
    p0 = param("p0", array(ONE + 1))
    z0 = b.draw("z_0", "z", b.dist("Categorical", INDEX2, p=p0.var), ZERO_INDEX, level=Level.DISCRETE)
    lag = inner.let("z_lag", ir.Lag("z", 1, "t"), INDEX2)
    row = inner.let("row", ir.IndexOp(P.var, (lag,), checked=True), array(ONE + 1))
    z = inner.draw("z_t", "z", inner.dist("Categorical", INDEX2, p=row), t, level=Level.DISCRETE)
    carries = []
    if second_carry:
        s = ir.Var("s", ty.REAL)
        inner.add(ir.Factor(s))
        carries = [ir.Carry(s, real(0), inner.prim("s2", "+", s, z))]
    out = b.loop(t, ONE, T, inner, carries=carries, windows=[ir.Window("z", z, (z0,))], z_s=z)
    if after_loop:
        last = b.let("last", ir.IndexOp(out["z_s"], (ir.SizeAtom(T - 2),), checked=True), INDEX2)
        b.add(ir.Factor(b.prim("weight", "real", last)))
    m = model("chain", b.block(), [P, p0], [("z", array(T, of=INDEX2), Role.LATENT)], ["T"])
    return run_passes(program(m), "chain").program.model("chain")


def test_a_chain_that_only_it_reads_is_eliminated():
    assert eliminate_chains(chain()).sites == ("z",)


@pytest.mark.parametrize("more", ["after_loop", "second_carry"])
def test_a_chain_that_something_else_depends_on_is_left(more):
    m = chain(**{more: True})
    found = eliminate_chains(m)
    assert found.sites == () and found.model == m


def test_a_chain_of_order_two_is_left():
    b, inner, t = Body(), Body("e"), index("t")
    P, p0 = param("P", array(ONE + 1, ONE + 1)), param("p0", array(ONE + 1))
    first = [
        b.draw(f"z_{k}", "z", b.dist("Categorical", INDEX2, p=p0.var), ir.Lit(k, ty.INT), level=Level.DISCRETE)
        for k in (0, 1)
    ]
    lag = inner.let("z_lag", ir.Lag("z", 2, "t"), INDEX2)
    row = inner.let("row", ir.IndexOp(P.var, (lag,), checked=True), array(ONE + 1))
    z = inner.draw("z_t", "z", inner.dist("Categorical", INDEX2, p=row), t, level=Level.DISCRETE)
    b.loop(t, ONE + 1, T, inner, windows=[ir.Window("z", z, tuple(reversed(first)))], z_s=z)
    m = model("chain", b.block(), [P, p0], [("z", array(T, of=INDEX2), Role.LATENT)], ["T"])
    m = run_passes(program(m), "chain").program.model("chain")
    assert eliminate_chains(m).sites == ()
    assert [r.site for r in enumerate_local(m).refusals] == ["z"]
