"""Golden programs: what the checker makes of ``golden/*.ppl``. ``PPL_UPDATE_GOLDEN=1`` writes the files anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ppl.compiler.ir.printer import print_program
from ppl.compiler.ir.verify import verify
from ppl.compiler.pipeline import check_file

PROGRAMS = sorted(Path(__file__).parent.glob("golden/*.ppl"))


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_program(path: Path):
    result = check_file(path)
    assert [d.message for d in result.diagnostics.items] == []
    assert verify(result.program) == []
    printed = print_program(result.program)
    golden = path.with_suffix(".ir")
    if os.environ.get("PPL_UPDATE_GOLDEN"):
        golden.write_text(printed)
    assert printed == golden.read_text()
