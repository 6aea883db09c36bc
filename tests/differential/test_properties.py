"""Random programs as a library: programs that mean the same, passes, the emitted code; failures made small."""

from dataclasses import replace

import numpy as np
import pytest

import ppl
from ppl.compiler.ir import nodes as ir
from ppl.compiler.passes.base import replace_model
from ppl.compiler.passes.schedule import PASSES
from ppl.programs.generate import random_program
from ppl.programs.properties import check_programs, compiled, invariant, kept_by, prepared, same_meaning, typed
from ppl.programs.shrink import shrink, valid
from ppl.programs.variants import variants


def test_programs_are_valid_and_the_same_for_a_seed():
    for seed in range(40):
        assert valid(random_program(seed))
    assert random_program(3).text == random_program(3).text


def test_what_means_the_same():
    assert check_programs(invariant, "metamorphic", n=10).outcome == "passed"


@pytest.mark.slow
def test_what_means_the_same_in_many_programs():
    assert check_programs(invariant, "metamorphic", n=150, seed=1000).outcome == "passed"


def test_every_rewriting_is_tried():
    tried = {what for seed in range(30) for what, _ in variants(random_program(seed))}
    assert tried == {"exchange", "inline", "plate as loop", "observe as factor", "split factor", "rename"}


@pytest.mark.parametrize("name", [p.name for p in PASSES])
def test_each_pass_of_ours_through_the_public_door(name):
    (part,) = (p for p in PASSES if p.name == name)
    assert ppl.validate(part, n=4).outcome == "passed"


@pytest.mark.slow
def test_all_passes_and_elimination_on_many_programs():
    assert check_programs(kept_by(prepared), "keeps the measure", n=150, seed=2000).outcome == "passed"


@pytest.mark.slow
def test_the_emitted_code_on_many_programs():
    assert check_programs(compiled, "density of every trace", n=40, seed=3000).outcome == "passed"


def test_the_emitted_code():
    assert check_programs(compiled, "density of every trace", n=3, seed=7).outcome == "passed"


def without(kind):
    """A pass that leaves out the statements of a kind at the top level."""

    def dropping(program, model):
        m = program.model(model)
        kept = tuple(s for s in m.body.statements if not isinstance(s, kind))
        return replace_model(program, replace(m, body=replace(m.body, statements=kept)))

    return dropping


def test_a_pass_that_drops_factors_is_refuted_by_a_smallest_program():
    check = ppl.validate(without(ir.Factor), kind="pass").checks[0]
    assert check.outcome == "refuted" and check.seed is not None
    assert check.statistic["program"] == "model main() -> real {\n  factor 0.3\n  return 0.3 + 0.0\n}\n"


def test_a_pass_that_negates_a_factor_only_in_branches():
    def negating(program, model):
        m = program.model(model)

        def visit(block):
            return replace(block, statements=tuple(s for s in block.statements if not isinstance(s, ir.Factor)))

        changed = tuple(
            replace(s, then=visit(s.then)) if isinstance(s, ir.If) else s for s in m.body.statements
        )  # fmt: skip
        return replace_model(program, replace(m, body=replace(m.body, statements=changed)))

    check = ppl.validate(negating, kind="pass", n=100).checks[0]
    assert check.outcome == "refuted"
    assert 5 <= check.statistic["program"].count("\n") <= 8  # an `if` with a factor in its first arm, and little else


def test_shrinking_ends_at_a_program_that_cannot_be_made_smaller():
    found = shrink(random_program(5), lambda p: "observe" in p.text)
    assert found.text.count("\n") == 4 and "observe" in found.text


def test_a_meaning_that_differs_is_told():
    assert same_meaning(np.zeros(3), typed(random_program(1))).startswith("log Z")
