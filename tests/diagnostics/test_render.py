"""How findings are shown."""

from __future__ import annotations

import json

import pytest

from ppl.compiler.diagnostics.diagnostic import Diagnostic, Diagnostics, Edit, Help, Label
from ppl.compiler.diagnostics.render import FORMATS, render
from ppl.compiler.diagnostics.span import Source, Span

TEXT = """\
model m(n: size) {
  let sigma = 2
  x ~ Normal(mu,
             sgima)
  plate i in n {
    y[i] ~ D
  }
}
"""
SOURCE = Source.of("model.ppl", TEXT)


def place(piece: str, file: str = "model.ppl") -> Span:
    start = TEXT.index(piece)
    return Span(file, start, start + len(piece))


UNKNOWN = Diagnostic(
    "E101",
    "unknown name `sgima`",
    Label(place("sgima"), "not defined here"),
    (Label(place("sigma"), "`sigma` is defined here"),),
    ("a name is visible from the line where it is defined to the end of its block, and this note fills two lines",),
    (Help("did you mean `sigma`?", (Edit(place("sgima"), "sigma"),)),),
)
WHOLE = Diagnostic("W101", "this plate is odd", Label(place("plate i in n {\n    y[i] ~ D\n  }"), "all of it"))


def shown(*found: Diagnostic, format: str = "full", color: bool = False) -> str:
    return render(Diagnostics({"model.ppl": SOURCE}, list(found)), format, color)


def test_full():
    assert (
        shown(UNKNOWN)
        == """\
error[E101]: unknown name `sgima`
 --> model.ppl:4:14
  |
2 |   let sigma = 2
  |       ----- `sigma` is defined here
3 |   x ~ Normal(mu,
4 |              sgima)
  |              ^^^^^ not defined here
  = note: a name is visible from the line where it is defined to the end of its
          block, and this note fills two lines
  = help: did you mean `sigma`?
  |
4 |              sigma)
  |              +++++

1 error
"""
    )


def test_a_place_of_several_lines_is_marked_at_its_ends():
    assert (
        shown(WHOLE)
        == """\
warning[W101]: this plate is odd
 --> model.ppl:5:3
  |
5 |   plate i in n {
  |   ^^^^^^^^^^^^^^
6 |     y[i] ~ D
7 |   }
  |   ^ all of it

1 warning
"""
    )


def test_in_the_order_of_the_text_with_counts():
    out = shown(WHOLE, UNKNOWN, UNKNOWN)
    assert out.index("E101") < out.index("W101")
    assert out.endswith("\n2 errors and 1 warning\n")


def test_two_files_are_both_shown():
    other = Source.of("priors.ppl", "const sigma = 1\n")
    found = Diagnostic(
        "E103", "defined twice", Label(place("sigma"), "here"), (Label(Span("priors.ppl", 6, 11), "and here"),)
    )
    out = render(Diagnostics({"model.ppl": SOURCE, "priors.ppl": other}, [found]))
    assert " --> model.ppl:2:7" in out and " ::: priors.ppl:1:7" in out and "and here" in out


def test_color_only_when_asked():
    assert "\x1b[" not in shown(UNKNOWN)
    colored = shown(UNKNOWN, color=True)
    assert "\x1b[1;31merror[E101]\x1b[0m" in colored


def test_notes_fit_eighty_columns():
    long = Diagnostic("E101", "m", Label(place("sgima")), notes=("word " * 60,), helps=(Help("advice " * 40),))
    assert max(map(len, shown(long).split("\n"))) <= 80


def test_marks_follow_the_width_of_what_they_mark():
    source = Source.of("a", "let μ̂ = 漢字 + x\n")
    start = source.text.index("x")
    out = render(Diagnostics({"a": source}, [Diagnostic("E101", "m", Label(Span("a", start, start + 1), "here"))]))
    line, mark = out.split("\n")[3:5]
    assert mark.index("^") == 4 + len("let μ = ") + 4 + len(" + ")
    assert "x" in line


def test_an_edit_that_adds_and_removes_lines():
    added = Diagnostic("E005", "m", Label(place("sgima")), helps=(Help("h", (Edit(place("2").after(), "\n  }"),)),))
    assert "2 |   let sigma = 2\n3 |   }\n  | +++" in shown(added)


@pytest.mark.parametrize("format", FORMATS)
def test_the_end_of_a_file_and_an_unknown_file(format):
    end = len(TEXT)
    found = [
        Diagnostic("E003", "m", Label(Span("model.ppl", end, end))),
        Diagnostic("E701", "m", Label(Span("data.json", 0, 0))),
    ]
    assert "E003" in shown(*found, format=format) and "E701" in shown(*found, format=format)


def test_concise():
    assert shown(UNKNOWN, WHOLE, format="concise") == (
        "model.ppl:4:14: E101 unknown name `sgima`\nmodel.ppl:5:3: W101 this plate is odd\n"
    )


def test_json():
    (data,) = json.loads(shown(UNKNOWN, format="json"))
    assert (data["code"], data["severity"], data["message"]) == ("E101", "error", "unknown name `sgima`")
    assert {k: data["primary"][k] for k in ("file", "line", "column", "end_line", "end_column", "text")} == {
        "file": "model.ppl", "line": 4, "column": 14, "end_line": 4, "end_column": 19, "text": "not defined here",
    }  # fmt: skip
    assert TEXT[data["primary"]["start"] : data["primary"]["end"]] == "sgima"
    assert data["secondary"][0]["line"] == 2
    assert data["helps"][0]["edits"][0]["replacement"] == "sigma"
    assert json.loads(shown(format="json")) == []


def test_nothing_found_says_nothing():
    assert shown() == "" == shown(format="concise")


def test_an_unknown_format():
    with pytest.raises(ValueError, match="one of full, concise, json"):
        render(Diagnostics(), "xml")
