"""Each check of the verifier fails on a program that breaks it, and on no other."""

from dataclasses import replace

import pytest

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.sizes import ONE, ZERO, Size
from ppl.compiler.ir.verify import check_block, verify
from ppl.compiler.passes.base import replace_model
from tests.passes.build import Body, N, array, index, param, real
from tests.passes.models import CONTINUOUS, DISCRETE, random_walk, schools


def var(name: str, type_: ty.Type = ty.REAL) -> ir.Var:
    return ir.Var(name, type_)


X, Y, P = var("x"), var("y"), var("p", ty.Dist(ty.REAL))
B, A = var("b", ty.BOOL), var("a", array(N))
T = index("t")
COPY = ir.Let(X, ir.Prim("copy", (real(1),)))


def draw(**more) -> ir.Draw:
    return ir.Draw(X, "x", P, **more)


def block(*stmts: ir.Stmt, results: tuple[ir.Atom, ...] = ()) -> ir.Block:
    return ir.Block(stmts, results)


def loop(kind=ir.Plate, body: ir.Block = block(), **more):
    return kind(T, ZERO, N, body, **more)


BROKEN = {
    "`y` is used where it is not defined": block(ir.Let(X, ir.Prim("copy", (Y,)))),
    "`x` is used where it is not defined": block(loop(body=block(COPY)), ir.Factor(X)),
    "`x` is defined twice": block(COPY, loop(body=block(COPY))),
    "`a` has type real[N] but is used as real": block(ir.Factor(replace(A, type=ty.REAL))),
    "`y` has no type": block(ir.Let(replace(Y, type=None), ir.Prim("copy", (real(1),)))),
    "the then branch has 0 results where 1 are received": block(ir.If(B, block(), block(results=(real(1),)), (X,))),
    "the else branch has 2 results where 1 are received": block(
        ir.If(B, block(results=(real(1),)), block(results=(real(1), real(2))), (X,))
    ),
    "a match without cases": block(ir.Match(A, ())),
    "the case _ has 0 results where 1 are received": block(ir.Match(A, (ir.Case(None, (), block()),), (X,))),
    '`x` reads a lag of "z" outside its loop `t`': block(ir.Let(X, ir.Lag("z", 1, "t"))),
    '`x` reads "z" 2 back: more than the window of the loop over `t` holds': block(
        loop(ir.For, block(COPY_Y := ir.Let(Y, ir.Prim("copy", (real(1),))), ir.Let(X, ir.Lag("z", 2, "t"))),
             windows=(ir.Window("z", Y, (real(0),)),))
    ),
    "the initial value of the carry `x` of type real has type real[N]": block(
        loop(ir.Scan, carries=(ir.Carry(X, A, real(1)),))
    ),
    "the next value of the carry `x` of type real has type real[N]": block(
        loop(ir.Scan, carries=(ir.Carry(X, real(1), A),))
    ),
    'the lags of "z" in the loop over `t` are [2]: not a window': block(
        loop(ir.Scan, carries=(ir.Carry(X, real(1), real(1), None, ("z", 2)),))
    ),
    "`x` of type real stacks N values of type real": block(loop(body=block(COPY_Y), stacked=(ir.Stacked(X, Y),))),
    '"x" is drawn from a value of type real[N], not from a distribution': block(ir.Draw(X, "x", A)),
    'the draw of "x" has 1 indices and 0 affine forms': block(draw(indices=(real(0),))),
    '"x" is assembled from no pieces': block(ir.Let(X, ir.Assemble("x", ()))),
    'the pieces of "x" have different numbers of axes: [1, 2]': block(
        ir.Let(X, ir.Assemble("x", (ir.Piece(((ZERO, ONE),), A), ir.Piece(((ZERO, ONE),) * 2, A))))
    ),
    "the map that gives `x` has 0 results": block(ir.Let(X, ir.Map(T, ZERO, N, block()))),
    "Draw in a block that must be pure": block(ir.Let(Y, ir.Map(T, ZERO, N, block(draw(), results=(X,))))),
    "Factor in a block that must be pure": block(
        ir.Let(Y, ir.Closure((), block(ir.Factor(real(1)), results=(real(1),))))
    ),
    "`x` is mapped from a value without axes": block(loop(mapped=(ir.MappedRead(X, Y_READ := var("q"), ZERO),))),
    "the offset of `x` depends on the loop's own index": block(loop(mapped=(ir.MappedRead(X, A, Size.var("t")),))),
    "`x` is summed out, but its draw is not in the body": block(ir.SumOut(X, ir.FiniteValues(ONE), block())),
}  # fmt: skip


@pytest.mark.parametrize("expected", BROKEN)
def test_each_check_fails_on_its_program(expected):
    problems = [p.text for p in check_block(BROKEN[expected], (P, A, B, var("q")))]
    assert expected in problems
    assert problems == [expected] or expected.startswith("`x` reads")


@pytest.mark.parametrize("name", [*CONTINUOUS, *DISCRETE])
def test_good_programs_have_no_problems(name):
    assert verify({**CONTINUOUS, **DISCRETE}[name].program) == []


def test_a_mapped_array_must_be_outside_the_loop():
    inner = Body()
    inside = inner.let("inside", ir.Prim("zeros", (ir.SizeAtom(N),)), array(N))
    bad = block(ir.Plate(T, ZERO, N, inner.block(), mapped=(ir.MappedRead(X, inside, ZERO),)))
    assert "`inside` is used where it is not defined" in [p.text for p in check_block(bad)]


def test_draws_must_be_of_declared_variables():
    case = schools()
    broken = replace_model(case.program, replace(case.model, sites=case.model.sites[1:]))
    assert [str(p) for p in verify(broken)] == ['schools: "mu" is drawn but is not a random variable of the model']


def test_functions_must_be_pure_and_closed():
    body = block(ir.Require(B), results=(Y,))
    f = ir.Function("f", (), (param("b", ty.BOOL),), ty.REAL, body)
    problems = {p.text for p in verify(ir.Program(functions=(f,)))}
    assert problems == {"Require in a block that must be pure", "`y` is used where it is not defined"}


def test_an_unknown_model_is_a_problem():
    app = ir.ApplyModel(ir.ModelRef("nobody", ty.UNIT), ())
    case = random_walk()
    body = ir.Block((*case.model.body.statements, ir.Let(var("app", ty.Dist(ty.REAL)), app)))
    assert "there is no model `nobody`" in [
        p.text for p in verify(replace_model(case.program, replace(case.model, body=body)))
    ]
