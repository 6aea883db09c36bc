"""Deliberately broken passes must be caught: by the driver's accounting of effects, and by the density where that is
blind."""

from dataclasses import replace

import numpy as np
import pytest

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.rewrite import substitute
from ppl.compiler.ir.verify import VerifierError, verify
from ppl.compiler.ir.walk import map_blocks, rebuild
from ppl.compiler.passes import enumerate_local
from ppl.compiler.passes.base import Pass, on_blocks, replace_model
from ppl.compiler.passes.fold import FOLD
from ppl.compiler.passes.schedule import checked, run_passes
from ppl.reference import density, enumerate_exact
from tests.passes.build import Body, model, program, real
from tests.passes.models import DISCRETE, mixture, schools


def two_coins() -> ir.Program:
    """a + b of two coins drawn by the same text: 0, 1, 2 with probabilities 1/4, 1/2, 1/4."""
    b = Body()
    coin = b.dist("Bernoulli", ty.BOOL, p=real(0.5))
    first, second = b.draw("first", "c1", coin), b.draw("second", "c2", coin)
    ones = [b.prim(f"n{k}", "where", v, real(1), real(0)) for k, v in enumerate((first, second))]
    total = b.prim("total", "+", *ones)
    return program(
        model("coins", b.block(total), (), [("c1", ty.BOOL, ir.Role.LATENT), ("c2", ty.BOOL, ir.Role.LATENT)])
    )


def merge_draws(block: ir.Block, given=()) -> tuple[ir.Block, tuple]:
    """Mutant C01: two identical sample statements merged by common subexpression elimination."""
    seen: dict[ir.Atom, ir.Var] = {}
    atoms: dict[str, ir.Atom] = {}
    out = []
    for stmt in block.statements:
        stmt = substitute(stmt, atoms)
        if isinstance(stmt, ir.Draw) and stmt.dist in seen:
            atoms[stmt.var.id] = seen[stmt.dist]
            continue
        if isinstance(stmt, ir.Draw):
            seen[stmt.dist] = stmt.var
        out.append(stmt)
    return ir.Block(tuple(out), substitute(block.results, atoms)), ()


def drop(kind: type) -> Pass:
    """Mutant C03: a statement that gives no value is removed as dead code."""

    def rewrite(block: ir.Block, given=()) -> tuple[ir.Block, tuple]:
        kept = (map_blocks(s, lambda b: rewrite(b)[0]) for s in block.statements if not isinstance(s, kind))
        return ir.Block(tuple(kept), block.results), ()

    return Pass(f"drop {kind.__name__}", on_blocks(rewrite), "a mutant")


MERGE = Pass("merge draws", on_blocks(merge_draws), "a mutant")


def test_the_real_pass_keeps_both_coins():
    paths = enumerate_exact(run_passes(two_coins(), "coins").program, "coins")
    assert [paths.pmf("return", n) for n in (0, 1, 2)] == pytest.approx([0.25, 0.5, 0.25])


def test_merged_draws_are_caught_by_the_driver():
    with pytest.raises(VerifierError, match='the pass `merge draws`.*\n.*lost: 1 × draw of "c2"'):
        checked(MERGE, two_coins(), "coins")


def test_merged_draws_change_the_distribution():
    """The same mutant, past the driver: the exact law of the sum shows it."""
    broken, _ = MERGE.run(two_coins(), "coins")
    assert enumerate_exact(broken, "coins").pmf("return", 1) == 0.0


@pytest.mark.parametrize("kind", [ir.Factor, ir.Observe, ir.Require, ir.Output, ir.Draw])
def test_a_dropped_effect_is_caught_by_the_driver(kind):
    b = Body()
    x = b.normal("x", "x", real(0), real(1))
    b.add(ir.Factor(x))
    b.add(ir.Observe(x, b.dist("Normal", loc=real(1), scale=real(1))))
    b.add(ir.Require(b.prim("positive", ">", x, real(-5), type_=ty.BOOL)))
    b.add(ir.Output("twice", b.prim("twice", "*", x, real(2))))
    p = program(model("m", b.block(), (), [("x", ty.REAL, ir.Role.LATENT)]))
    assert run_passes(p, "m").program.model("m").sites == p.models[0].sites
    with pytest.raises(VerifierError, match="lost: 1"):
        checked(drop(kind), p, "m")


def test_a_dropped_factor_changes_the_density():
    case = DISCRETE["flips"]
    broken, _ = drop(ir.Factor).run(case.program, case.name)
    trace = {"z1": True, "z2": False}
    now = density(broken, case.name, case.args, case.data, trace)
    assert now != pytest.approx(density(case.program, case.name, case.args, case.data, trace))


def merge_by_name(block: ir.Block, given=(), seen=None) -> tuple[ir.Block, tuple]:
    """Common subexpressions found by the name of the distribution alone: well formed, same effects."""
    seen = dict(seen or {})
    atoms: dict[str, ir.Atom] = {}
    out = []
    for stmt in block.statements:
        stmt = substitute(map_blocks(stmt, lambda b: merge_by_name(b, (), seen)[0]), atoms)
        if isinstance(stmt, ir.Let) and isinstance(stmt.op, ir.MakeDist):
            if stmt.op.name in seen:
                atoms[stmt.var.id] = seen[stmt.op.name]
                continue
            seen[stmt.op.name] = stmt.var
        out.append(stmt)
    return ir.Block(tuple(out), substitute(block.results, atoms)), ()


def test_a_merge_that_forgets_arguments_is_caught_by_the_density():
    case = schools()
    broken, _ = checked(Pass("by name", on_blocks(merge_by_name), "a mutant"), case.program, case.name)
    before = density(case.program, case.name, case.args, case.data, case.trace)
    assert density(broken, case.name, case.args, case.data, case.trace) != pytest.approx(before)


def test_a_sum_over_the_wrong_count_is_caught_by_enumeration():
    """Mutant C08: the marginalisation leaves a value out."""
    case = mixture()
    found = enumerate_local.enumerate_local(case.model, case.data)
    exact = enumerate_exact(case.program, case.name, case.args, case.data).log_evidence

    def shorten(n):
        if isinstance(n, ir.FiniteValues):
            return replace(n, count=n.count - 1)
        return n if isinstance(n, ir.Atom) else rebuild(n, shorten)

    good = replace_model(case.program, found.model)
    bad = replace_model(case.program, shorten(found.model))
    assert verify(bad) == []
    assert density(good, case.name, case.args, case.data) == pytest.approx(exact)
    assert not np.isclose(density(bad, case.name, case.args, case.data), exact)


def test_folding_twice_is_folding_once():
    for case in (schools(), mixture()):
        once, _ = FOLD.run(case.program, case.name)
        assert FOLD.run(once, case.name)[0] == once
