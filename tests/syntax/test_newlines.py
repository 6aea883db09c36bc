"""Which newlines end a statement."""

from __future__ import annotations

import pytest

from ppl.compiler.diagnostics.span import Source
from ppl.compiler.syntax.parse.lexer import lex
from ppl.compiler.syntax.parse.newlines import significant
from ppl.compiler.syntax.parse.table import table
from tests.syntax.helpers import findings, module


def ends(text: str) -> int:
    """How many statement ends the text has."""
    return sum(t.type == "NL" for t in significant(lex(Source.of("a", text), table()).tokens))


@pytest.mark.parametrize(
    "text",
    [
        "a\nb", "a;b", "a\n\n\nb", "a;\n;b", "a # comment\nb", "a\n# comment\nb", "f(a)\nb", "a?\nb", "x: index<K>\nb",
        "type A = Dist<Dist<real>>\nb", "a\n- 1", "a\n+ 1", "a\n(b)", "a\n[b]", "a\nand b", "return\nb", "{ a\nb }",
        "f(fn() {\na\nb\n})", "[infer {\na\nb\n}]", "match x { A => {\na\n}\nB => {} }",
        "match x with {\nA => 1\nB => 2\n}",
        "if c then 1 else 2\nb",
    ],
)  # fmt: skip
def test_one_end(text):
    assert ends(text) == 1


@pytest.mark.parametrize(
    "text",
    [
        "\na\n", "f(\na,\nb\n)", "[\na\n,\nb]", "= {\na = 1,\nb = 2\n}", "a +\nb", "a *\nb", "a ^\nb", "a ==\nb",
        "a >=\nb", "a <\nb",
        "a and\nb", "not\na", "let x =\na", "x ~\nD", "f() ->\nreal", "A =>\nb", "type A =\n| B\n| C", "a |\nb",
        "if c { }\nelse { }",
        "infer { }\nby enumerate", "x ~ D\nvia reparam", "a\n.b", "a,\nb", "{\na\n}", "a > b and c >\nd",
        "given {\na = 1\n}",
        "m(x) given\n{y = 1}", "if c then\na\nelse\nb", "1..\nN", "f(x) = if c then {a = 1\n} else {a = 2\n}",
    ],
)  # fmt: skip
def test_no_end(text):
    assert ends(text) == 0


def test_a_comparison_goes_on_but_a_type_ends():
    assert ends("let c = a < b and c >\nd") == 0
    assert ends("let c = a >\nb") == 0
    assert ends("x: real<lower=0, upper=f(1)>\nb") == 1


def test_blocks_inside_parentheses_are_blocks():
    module(
        "model m() {\n  let s = f(\n    fn(t) {\n      let a = t\n      return a\n    },\n    {a = 1,\n     b}\n  )\n}"
    )


def test_a_record_in_a_branch_of_an_expression():
    module("model m() {\n  let s = if c then {a = 1,\n b = 2} else {a = 2,\n b = 3}\n  let t = s\n}")


def test_an_operator_does_not_begin_a_line():
    (found,) = findings("model m() {\n  let x = 2\n  - 1\n}")
    assert found.code == "E019"
