"""Every explained code: its wrong program gives the code, its right program gives no error."""

from __future__ import annotations

import re

import pytest

from ppl.compiler.diagnostics.codes import CODES, merge
from ppl.compiler.diagnostics.codes.explanation import Explanation
from ppl.compiler.diagnostics.diagnostic import Diagnostic, Severity
from ppl.compiler.diagnostics.span import Source
from ppl.compiler.syntax.parser import parse

#: Codes that no program text alone can give: data, command line, numerical trouble, a mistake of our own.
WITHOUT_PROGRAM = re.compile(r"[EW][789]|E099|E106|E107")


def syntax_findings(text: str) -> list[Diagnostic]:
    return parse(Source.of("explained.ppl", text))[1]


def all_findings(text: str) -> list[Diagnostic]:
    """What ``ppl check`` says of the text."""
    from ppl.compiler.pipeline import check_text

    return list(check_text(text, "explained.ppl").diagnostics.items)


def findings_when_run(text: str) -> list[Diagnostic]:
    """What is said of the last model of the text when it is to be run."""
    from ppl.api.refusals import refusals
    from ppl.compiler.pipeline import check_text

    program = check_text(text, "explained.ppl").program
    return refusals(program, program.models[-1].name)


def findings(code: str, text: str) -> list[Diagnostic]:
    if code.startswith("E6"):
        return findings_when_run(text)
    return syntax_findings(text) if code.startswith("E0") else all_findings(text)


@pytest.mark.parametrize("code", CODES)
def test_explanation_is_complete(code: str):
    explained = CODES[code]
    assert re.fullmatch(r"[EW]\d{3}", code)
    assert explained.title and explained.title[0].islower() or explained.title[0] == "`"
    assert explained.text.endswith(".") or explained.text.endswith("`")
    assert bool(explained.wrong) == bool(explained.right)
    assert explained.wrong or WITHOUT_PROGRAM.match(code), "a wrong and a right program are needed"


@pytest.mark.parametrize("code", [code for code, explained in CODES.items() if explained.wrong])
def test_wrong_program_gives_the_code(code: str):
    found = findings(code, CODES[code].wrong)
    assert code in {d.code for d in found}, [f"{d.code} {d.message}" for d in found]


@pytest.mark.parametrize("code", [code for code, explained in CODES.items() if explained.right])
def test_right_program_gives_no_error(code: str):
    found = findings(code, CODES[code].right)
    errors = [f"{d.code} {d.message}" for d in found if d.severity is Severity.ERROR or d.code == code]
    assert not errors


def test_a_code_is_explained_once():
    one = Explanation("E001", "a", "b")
    with pytest.raises(ValueError, match="E001 is explained twice"):
        merge((one,), (one,))
