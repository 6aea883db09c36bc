"""What the checker knows of a program: types, supports, axes, sizes, levels; what can't be executed yet."""

from __future__ import annotations

import pytest

from ppl.api.refusals import refusals
from ppl.compiler.diagnostics.codes import CODES
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.nodes import Level
from ppl.compiler.ir.walk import statements
from ppl.compiler.pipeline import check_text


def model(text: str) -> ir.Model:
    result = check_text(text)
    assert result.ok, [d.message for d in result.diagnostics.errors]
    return result.program.models[-1]


def site(text: str, name: str = "x") -> ir.SiteInfo:
    return next(s for s in model(text).sites if s.name == name)


@pytest.mark.parametrize(
    ("draw", "type_", "support"),
    [
        ("x ~ Normal(0, 1)", "real", "a real"),
        ("x ~ HalfNormal(1)", "real", "a real > 0"),
        ("x ~ Uniform(-1, 2)", "real", "a real in [-1, 2]"),
        ("x ~ Beta(1, 1)", "real", "a real in (0, 1)"),
        ("x ~ Bernoulli(0.5)", "bool", "a bool"),
        ("x ~ Binomial(7, 0.5)", "int", "an integer >= 0 and <= 7"),
        ("x ~ Categorical([0.2, 0.3, 0.5])", "index<3>", "an integer >= 0 and <= 2"),
        ("x ~ Discrete([0.5, 2.0], [0.5, 0.5])", "real", "one of 0.5, 2"),
        ("x ~ Dirichlet(ones(K))", "real[K]", "a simplex"),
        ("x ~ LKJCholesky(K, 1)", "real[K, K]", "a value of type chol_corr"),
        ("x ~ GaussianRandomWalk(1, K)", "real[K]", "a real"),
        ("x: real[N, K] ~ Normal(0, 1)", "real[N, K]", "a real"),
        ("x: real[N, K] ~ Dirichlet(ones(K))", "real[N, K]", "a simplex"),
        ("x ~ Normal(zeros(N), 1)", "real[N]", "a real"),
        ("x ~ iid(Gamma(1, 1), N)", "real[N]", "a real > 0"),
        ("x ~ truncated(Normal(0, 1), upper=3)", "real", "a real <= 3"),
        ("x ~ ordered(Normal(0, 1), K)", "real[K]", "a value of type ordered"),
        ("x ~ transformed(Normal(0, 1), exp)", "real", "a real > 0"),
        ("x ~ transformed(Normal(0, 1), fn(z) => 1 + exp(z))", "real", "a real > 1"),
        ("x ~ mixture(full(K, 1 / K), Poisson(ones(K)))", "int", "an integer >= 0"),
        ("x ~ mixture([0.5, 0.5], [Normal(0, 1), Gamma(1, 1)])", "real", "a real"),
        ("x ~ ZeroInflated(0.1, Poisson(3))", "int", "an integer >= 0"),
        ("x ~ OrderedLogistic(0, [0.0, 1.0])", "index<3>", "an integer >= 0 and <= 2"),
        ("x ~ DiscreteUniform(0, N - 1)", "int", "an integer >= 0 and <= N - 1"),
        ("x ~ Multinomial(5, full(K, 1 / K))", "int[K]", "an integer >= 0 and <= 5"),
    ],
)
def test_what_is_drawn(draw: str, type_: str, support: str):
    found = site("model m[N, K]() {\n  " + draw + "\n}\n")
    assert (str(found.type), str(found.support)) == (type_, support)


def test_axes_are_named_after_sizes():
    m = model(
        "model m[N]() {\n  plate i in N, k in 3 { x[i, k] ~ Normal(0, 1) }\n"
        "  plate i in 1..N { y[i - 1] ~ Normal(0, 1) }\n}\n"
    )
    assert [s.axes for s in m.sites] == [("N", "x_dim_1"), ("y_dim_0",)]
    assert [str(s.type) for s in m.sites] == ["real[N, 3]", "real[N - 1]"]


def test_undecided_sizes_are_checked_with_the_data():
    m = model("model m[N, M](x: real[N], y: real[M]) {\n  data z ~ Normal(x + y, 1)\n  data w ~ Normal(x[2], 1)\n}\n")
    assert [(str(c.left), c.relation, str(c.right)) for c in m.size_checks] == [("N", "==", "M"), ("3", "<=", "N")]


def test_checks_of_a_function_become_those_of_its_caller():
    text = (
        "fn f[N, M](x: real[N], y: real[M]) -> real {\n  return sum(x + y)\n}\n\n"
        "model m[A, B](a: real[A], b: real[B + 1]) {\n  data y ~ Normal(f(a, b), 1)\n}\n"
    )
    assert [(str(c.left), str(c.right)) for c in model(text).size_checks] == [("A", "B + 1")]


def test_levels():
    m = model(
        "model m[N](x: real[N]) {\n  let a = sum(x)\n  k ~ Poisson(exp(a))\n  let b = k + 1\n  u ~ Normal(b, 1)\n"
        "  let c = u + a\n  data y ~ Normal(c, 1)\n}\n"
    )
    levels = {s.var.id: s.var.level for s in statements(m.body) if isinstance(s, ir.Let | ir.Draw)}
    assert levels["a"] == Level.DATA and levels["b"] == Level.DISCRETE and levels["c"] == Level.CONTINUOUS
    assert (levels["k"], levels["u"], levels["y"]) == (Level.DISCRETE, Level.CONTINUOUS, Level.DATA)


def test_a_plate_maps_over_what_it_reads():
    m = model("model m[N](x: real[N + 1]) {\n  plate i in N { data y[i] ~ Normal(x[i] + x[i + 1], 1) }\n}\n")
    [plate] = [s for s in statements(m.body) if isinstance(s, ir.Plate)]
    assert [(r.array.id, str(r.offset)) for r in plate.mapped] == [("x", "0"), ("x", "1")]


def test_outputs():
    m = model("model m[N]() -> int {\n  plate i in N { x[i] ~ Normal(0, 1); output twice = 2 * x[i] }\n  return 3\n}\n")
    assert [(n, str(t)) for n, t in m.outputs] == [("twice", "real[N]"), ("return", "int")]
    function = model("model f() -> (real) -> real {\n  a ~ Normal(0, 1)\n  return fn(x: real) => a * x\n}\n")
    assert function.outputs == ()


@pytest.mark.parametrize("code", [c for c in CODES if not c.startswith(("E0", "E6")) and CODES[c].right])
def test_only_plain_programs_are_executable(code: str):
    program = check_text(CODES[code].right).program
    for m in program.models:
        found = refusals(program, m.name)
        if m.kind != "model":
            assert [d.code for d in found] == ["E604"]
        else:
            assert all(d.code.startswith("E60") for d in found)


def test_what_a_callee_can_not_do_its_caller_can_not():
    text = (
        "model inner() -> real {\n  let e = expect { x ~ Normal(0, 1); return x }\n  return e\n}\n\n"
        "model m() {\n  x ~ inner()\n}\n"
    )
    program = check_text(text).program
    assert [d.code for d in refusals(program, "m")] == ["E604"]


def test_variables_of_nested_submodels():
    text = (
        "model inner(n: size) -> real {\n  v: real[n] ~ Normal(0, 1)\n  return sum(v)\n}\n\n"
        "model middle[N]() -> real {\n  plate i in N { q[i] ~ inner(2) }\n  return sum(q)\n}\n\n"
        "model m() {\n  o ~ middle[4]()\n  output one = o.q[1].v[0]\n  output row = o.q[1].v\n  output all = o.q.v\n}\n"
    )
    assert [(n, str(t)) for n, t in model(text).outputs] == [("one", "real"), ("row", "real[2]"), ("all", "real[4, 2]")]
