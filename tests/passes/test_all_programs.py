"""Every program of the repository that checks: well formed after the checker and after all passes, and printable."""

from pathlib import Path

import pytest

from ppl.compiler.ir.nodes import Role
from ppl.compiler.ir.printer import print_program
from ppl.compiler.ir.verify import verify
from ppl.compiler.passes.query import Query, prepare
from ppl.compiler.pipeline import check_file

ROOT = Path(__file__).parent.parent.parent
PROGRAMS = sorted((*ROOT.glob("examples/*/model.ppl"), *ROOT.glob("tests/syntax/models/*.ppl")))


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_program_goes_through_all_passes(path):
    program = check_file(path).program
    if program is None:
        pytest.skip("has errors, on purpose")
    assert verify(program) == []
    assert print_program(program, levels=True)
    for model in program.models:
        if model.kind == "model":
            observed = frozenset(s.name for s in model.sites if s.role is Role.DATA)
            for given in (observed, frozenset()):
                plan = prepare(program, Query(model.name, given, marginalise=True))
                assert print_program(plan.program)
