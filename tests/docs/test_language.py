"""What the documentation says of the language is what the checker does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ppl.api.refusals import refusals
from ppl.cli.main import run
from ppl.compiler.diagnostics.diagnostic import Severity
from ppl.compiler.diagnostics.span import Source
from ppl.compiler.ir.printer import print_program
from ppl.compiler.pipeline import CheckResult, check_text
from ppl.compiler.syntax.format import format_source
from tests.docs.blocks import DOCS, PAGES, Block, blocks
from tests.docs.generated import MADE, filled

EXAMPLES = sorted(DOCS.parent.glob("examples/*/model.ppl"))


def checked(block: Block, folder: Path) -> CheckResult:
    """The block as a file of ``folder``, beside the files of its page."""
    for other in blocks("ppl", block.page):
        if other.file is not None:
            (folder / other.file).write_text(other.text, encoding="utf-8")
    return check_text(block.program, str(folder / "block.ppl"), root=folder)


@pytest.mark.parametrize("block", blocks("ppl"), ids=str)
def test_every_block_is_what_it_says(block: Block, tmp_path: Path):
    result = checked(block, tmp_path)
    promised = block.promised
    severities = {Severity.ERROR} | {Severity.WARNING for _, code in promised if code.startswith("W")}
    found = {
        (result.source.position(d.primary.span.start)[0], d.code)
        for d in result.diagnostics.items
        if d.severity in severities
    }
    assert found == promised
    if result.program is not None:
        models = [m.name for m in result.program.models if m.kind == "model" and "." not in m.name]
        assert {d.code for name in models for d in refusals(result.program, name)} == block.not_executable


@pytest.mark.parametrize(
    "block", [b for b in blocks("ppl") if b.program == b.text and not b.promised and b.page.stem != "text"], ids=str
)
def test_the_layout_of_whole_programs_is_canonical(block: Block):
    """All but those of the page that shows what else the parser takes."""
    assert format_source(Source.of("block.ppl", block.text)) == block.text


COMPILER = re.compile(r"\$ ppl (explain [EW]|ir |info |check |fmt )")


@pytest.mark.parametrize("block", [b for b in blocks("console") if COMPILER.match(b.text)], ids=str)
def test_commands_print_what_the_page_shows(block: Block, tmp_path: Path, monkeypatch, capsys):
    """Commands of the compiler only; the others take longer, and print times. The files of the page are at hand."""
    monkeypatch.chdir(tmp_path)
    for other in blocks("ppl", block.page):
        if other.file is not None:
            Path(other.file).write_text(other.text, encoding="utf-8")
    command, _, shown = block.text.partition("\n")
    run(command.removeprefix("$ ppl ").split())
    printed = capsys.readouterr()
    assert (printed.out + printed.err).rstrip() == shown.rstrip()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_generated_tables_are_up_to_date(page: Path):
    """``python -m tests.docs.generated`` writes them."""
    text = page.read_text(encoding="utf-8")
    assert filled(text) == text


def test_each_table_of_the_compiler_is_in_the_documentation():
    text = "".join(p.read_text(encoding="utf-8") for p in PAGES)
    assert {name for name in MADE if f"<!-- generated: {name} -->" in text} == set(MADE)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_links_lead_somewhere(page: Path):
    prose = re.sub(r"^```.*?^```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", prose):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.parent.name)
def test_the_layout_of_the_examples_is_canonical(path: Path):
    text = path.read_text(encoding="utf-8")
    assert format_source(Source.of(path.name, text)) == text


def test_the_printed_ir_of_the_page_about_it():
    page = DOCS / "internals" / "ir.md"
    (model,), (shown,) = blocks("ppl", page), blocks("text", page)
    program = check_text(model.text).program
    assert program is not None
    assert print_program(program) == shown.text
