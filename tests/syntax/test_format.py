"""``ppl fmt``: one layout, the same program, every comment kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from ppl.compiler.diagnostics.diagnostic import ModelError
from ppl.compiler.diagnostics.span import Source
from ppl.compiler.syntax import format as formatting
from ppl.compiler.syntax.format import WIDTH, format_source
from ppl.compiler.syntax.format.doc import HARD, LINE, Group, Nest, render
from ppl.compiler.syntax.parse.lexer import lex
from ppl.compiler.syntax.parse.table import table
from tests.syntax.helpers import MODELS, module, name_of
from tests.syntax.language import PROGRAMS


def formatted(text: str) -> str:
    return format_source(Source.of("a", text))


def bare(text: str):
    return replace(module(text), comments=())


def check(text: str) -> str:
    """The laws: idempotent, the same tree, the same comments, no line too long that could be broken."""
    once = formatted(text)
    assert formatted(once) == once
    assert bare(once) == bare(text)
    assert Counter(c.text for c in module(once).comments) == Counter(c.text for c in module(text).comments)
    assert once == "" or (once.endswith("\n") and not once.endswith("\n\n"))
    assert not any(line != line.rstrip() for line in once.split("\n"))
    return once


@pytest.mark.parametrize("text", PROGRAMS)
def test_the_language_reference(text):
    check(text)


@pytest.mark.parametrize("path", MODELS, ids=name_of)
def test_models(path):
    check(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", [p for p in MODELS if p.name != "model.ppl"], ids=name_of)
def test_the_test_models_are_formatted(path):
    text = path.read_text(encoding="utf-8")
    assert formatted(text) == text


@pytest.mark.parametrize("path", MODELS, ids=name_of)
def test_a_comment_behind_every_line(path):
    """Wherever a comment stands, it is kept, and the program is the same."""
    lines = path.read_text(encoding="utf-8").split("\n")
    check("\n".join(f"{line} # c{k}" if "#" not in line and '"' not in line else line for k, line in enumerate(lines)))


@pytest.mark.parametrize("path", MODELS[:8], ids=name_of)
def test_every_token_on_its_own_line_inside_brackets(path):
    """Layout inside brackets means nothing; a comment at each place is kept."""
    text = path.read_text(encoding="utf-8")
    out, depth, number = [], 0, 0
    previous = 0
    for token in lex(Source("a", text), table()).tokens:
        out.append(text[previous : token.start])
        if depth and token.type in ("NAME", ")", "]"):
            out.append(f" # k{number}\n")
            number += 1
        depth = depth + 1 if token.type in ("(", "[") else depth - 1 if token.type in (")", "]") else depth
        if token.type == "{":
            break  # blocks inside parentheses keep their lines
        out.append(text[token.start : token.end])
        previous = token.end
    check("".join(out) + text[previous:])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("const a=((1+2))*3", "const a = (1 + 2) * 3"),
        ("const a = (1*2)+(3)", "const a = 1 * 2 + 3"),
        ("const a = 1-(2-3)", "const a = 1 - (2 - 3)"),
        ("const a = (1-2)-3", "const a = 1 - 2 - 3"),
        ("const a = -(x^2)", "const a = -x^2"),
        ("const a = (-x)^2", "const a = (-x)^2"),
        ("const a = (2^3)^2", "const a = (2^3)^2"),
        ("const a = 2^(-x)", "const a = 2^-x"),
        ("const a = not (a == b)", "const a = not a == b"),
        ("const a = (not a) == b", "const a = (not a) == b"),
        ("const a = (a or b) and c", "const a = (a or b) and c"),
        ("const a = (if a then b else c) + 1", "const a = (if a then b else c) + 1"),
        ("const a = (fn(x) => x)(1)", "const a = (fn(x) => x)(1)"),
        ("const a = (a + b).T", "const a = (a + b).T"),
        ("const a = f( x,y = 2, )", "const a = f(x, y = 2)"),
        ("const a = {b,c=1}", "const a = {b, c = 1}"),
        ("const a = [ 1,2 ]", "const a = [1, 2]"),
        ("const a = x[ 1 .. 2 , : ]", "const a = x[1..2, :]"),
        ("const a = 1.50e-3", "const a = 1.50e-3"),
        ('import   "a/b.ppl"', 'import "a/b.ppl"'),
        ('import "a/b.ppl" as b', 'import "a/b.ppl" as b'),
        ("type A=|B|C(real ,int)", "type A = | B | C(real, int)"),
        ("fn f(a:real<lower=0>=1)->real{return a}", "fn f(a: real<lower=0> = 1) -> real {\n  return a\n}"),
        ("model m(){}", "model m() {}"),
        ("model m() {\n\n\n  x~D;y ~ D\n\n\n  z ~ D\n\n}", "model m() {\n  x ~ D\n  y ~ D\n\n  z ~ D\n}"),
        ("fn f() { return 1 }\nfn g() { return 2 }", "fn f() {\n  return 1\n}\n\nfn g() {\n  return 2\n}"),
        ("const a = 1\n\n\n\nconst b = 2\nconst c = 3", "const a = 1\n\nconst b = 2\nconst c = 3"),
    ],
)
def test_layout(before, after):
    assert check(before) == after + "\n"


def test_long_lines_are_broken_behind_operators_and_inside_brackets():
    long = (
        "model m() {\n  data y ~ Normal(" + " + ".join(f"coefficient_{k} * x[{k}]" for k in range(8)) + ", sigma)\n}\n"
    )
    out = check(long)
    assert max(map(len, out.split("\n"))) <= WIDTH
    assert " +\n" in out and "Normal(\n" in out


def test_comments_stay_where_they_were():
    text = """\
# head

## doc
fn f(
  a: real, # the a
  b: real
) -> real { # body
  # first
  return a # last
  # end
} # after

# between
model m() {
  let x = foo(
    # before
    1, # one
    2
    # two
  )
  match x {
    # zero follows
    0 => { # zero
      y ~ D
    } # done
  }
}
# end of file
"""
    assert check(text) == text


def test_a_comment_without_a_place_goes_before_its_statement():
    assert check("fn f() {\n  return a + # why\n    b\n}") == "fn f() {\n  # why\n  return a + b\n}\n"


def test_a_comment_before_else_goes_behind_it():
    assert "} else {\n    # why\n    y ~ D" in check(
        "model m() {\n  if a {\n    x ~ D\n  } # why\n  else {\n    y ~ D\n  }\n}"
    )


def test_a_file_with_mistakes_is_left_alone():
    with pytest.raises(ModelError) as caught:
        formatted("model m( { }")
    assert caught.value.diagnostics.errors


def test_nothing_is_written_that_would_change_the_program(monkeypatch):
    monkeypatch.setattr(formatting, "render", lambda doc, width: "const a = 2\n")
    with pytest.raises(ModelError) as caught:
        formatted("const a = 1")
    assert [d.code for d in caught.value.diagnostics.errors] == ["E099"]


def test_the_printer_breaks_outer_groups_first():
    doc = Group(["f(", Nest([LINE, Group(["g(", Nest([LINE, "x"]), LINE, ")"])]), LINE, ")"])
    assert render(doc, 20) == "f( g( x ) )"
    assert render(doc, 7) == "f(\n  g(\n    x\n  )\n)"
    assert render(doc, 8) == "f(\n  g( x )\n)"
    assert render(Group(["a", Nest([HARD, "b"]), LINE, "c"])) == "a\n  b\nc"
