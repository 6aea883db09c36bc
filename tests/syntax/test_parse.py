"""What texts mean: precedence, traps, spans, docs."""

from __future__ import annotations

import pytest

from ppl.compiler.diagnostics.span import Source
from ppl.compiler.syntax import ast
from ppl.compiler.syntax.parser import parse
from tests.syntax.helpers import MODELS, expression, findings, module, name_of, shape, statement


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("a + b * c", "(a + (b * c))"),
        ("a - b - c", "((a - b) - c)"),
        ("a / b * c", "((a / b) * c)"),
        ("-x^2", "(- (x ^ 2))"),
        ("2^-x", "(2 ^ (- x))"),
        ("2^3^2", "(2 ^ (3 ^ 2))"),
        ("-a * b", "((- a) * b)"),
        ("a - -b", "(a - (- b))"),
        ("not a == b", "(not (a == b))"),
        ("not a and b or c", "(((not a) and b) or c)"),
        ("a or b and c", "(a or (b and c))"),
        ("0..N - 1", "(0 .. (N - 1))"),
        ("1..N", "(1 .. N)"),
        ("1.5..2", "(1.5 .. 2)"),
        ("a < b + 1", "(a < (b + 1))"),
        ("a @ b.T", "(a @ b.T)"),
        ("f(x)[0].y(z)^2", "(f(x)[0].y(z) ^ 2)"),
        ("a + m(x) given {y = 1}", "(a + (m(x) given))"),
        ("if a then b else c + 1", "(if a then b else (c + 1))"),
        ("if a then b else if c then d else e", "(if a then b else (if c then d else e))"),
        ("a % b * c", "((a % b) * c)"),
    ],
)
def test_precedence(text, meaning):
    assert shape(expression(text)) == meaning


def test_a_bound_and_its_default_without_a_space():
    (model,) = module("model m(a: real<lower=0>= 2) { x ~ D }").declarations
    (param,) = model.params
    assert param.type == ast.NamedType("real", bounds=(("lower", ast.IntLit(0)),))
    assert param.default == ast.IntLit(2)


def test_between_angles_a_name_is_a_type_and_arithmetic_a_size():
    draw = statement("x: index<K> ~ D")
    assert draw.type == ast.NamedType("index", (ast.NamedType("K"),))
    draw = statement("x: index<2 * K> ~ D")
    assert draw.type == ast.NamedType("index", (ast.Binary("*", ast.IntLit(2), ast.Name("K")),))
    draw = statement("x: real<upper=a.b[0]> ~ D")
    bound = ast.Index(ast.Attribute(ast.Name("a"), "b"), (ast.IntLit(0),))
    assert draw.type == ast.NamedType("real", bounds=(("upper", bound),))


def test_slices():
    value = statement("let v = a[1..3, :, i]").value
    assert value.subscripts == (ast.Slice(ast.IntLit(1), ast.IntLit(3)), ast.Slice(None, None), ast.Name("i"))


def test_else_if_is_an_if_in_a_block():
    assert statement("if a { x ~ D } else if b { y ~ D }") == statement("if a { x ~ D } else { if b { y ~ D } }")


def test_roles():
    assert [statement(t).role for t in ("x ~ D", "data x ~ D", "aux x ~ D")] == ["latent", "data", "aux"]


def test_docs_belong_to_what_follows():
    parsed = module("## The model.\n## More.\nmodel m() {\n  ## The mean.\n  x ~ D # not a doc\n  y ~ D\n}\n")
    (model,) = parsed.declarations
    assert model.doc == "The model.\nMore."
    assert [s.doc for s in model.body.statements] == ["The mean.", None]
    assert [(c.text, c.trailing) for c in parsed.comments][-1] == ("# not a doc", True)


def test_spans_are_the_text_of_the_node():
    text = "model m() {\n  data y[i]: real ~ Normal(f(x[i]), 0.1) via reparam\n}\n"
    source = Source.of("a", text)
    draw = module(text).declarations[0].body.statements[0]
    assert source.slice(draw.span) == "data y[i]: real ~ Normal(f(x[i]), 0.1) via reparam"
    assert source.slice(draw.dist.span) == "Normal(f(x[i]), 0.1)"
    assert source.slice(draw.dist.args[0].span) == "f(x[i])"
    assert source.slice(draw.type.span) == "real"


@pytest.mark.parametrize(
    "change", [lambda t: t.replace("\n", "\r\n"), lambda t: "\ufeff" + t, lambda t: t.replace("  ", "\t")]
)
@pytest.mark.parametrize("path", MODELS[:3], ids=name_of)
def test_line_ends_byte_order_marks_and_tabs_are_accepted(path, change):
    text = path.read_text(encoding="utf-8")
    assert module(change(text)) == module(text)


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n"])
def test_an_empty_file_is_an_empty_module(text):
    assert module(text).declarations == ()


@pytest.mark.parametrize(
    "text",
    [
        "const a = __import__(1)",
        'const a = exec "x"',
        "const a = x.__class__",
        "const a = `x`",
        "const a = x if y else z",
    ],
)
def test_there_is_no_way_out_into_python(text):
    assert findings(text)


def test_a_number_too_large_is_said_so():
    assert [d.code for d in findings("const a = 1e400")] == ["E020"]


def test_a_broken_file_keeps_its_healthy_parts():
    parsed, found = parse(Source.of("a", "fn f( { }\n\nmodel b() {\n  let y = 1 2 3 )\n  x ~ Normal(0, 1)\n}\n"))
    assert found and parsed is not None
    (*_, model) = parsed.declarations
    assert model.name == "b" and any(isinstance(s, ast.Draw) for s in model.body.statements)
