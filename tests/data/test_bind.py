"""Binding: every problem of the data in one report, each at its entry; good data unchanged."""

import numpy as np
import pytest

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import supports as S
from ppl.compiler.ir import types as T
from ppl.compiler.ir.sizes import Size
from ppl.runtime.data import InvalidData, bind_data, load
from tests.data.conftest import J, data_site, make, parameter


def bound(model, **values):
    return bind_data(model, load([values]))


def problems(model, **values):
    with pytest.raises(InvalidData) as error:
        bound(model, **values)
    assert error.value.exit_code == 4
    return error.value.problems


def only(model, **values):
    (problem,) = problems(model, **values)
    return problem


def test_good_data_come_through_unchanged(schools):
    b = bound(schools, se=[1, 2.5, 3], y=np.array([1.0, 2.0, 3.0]))
    assert b.sizes == {"J": 3}
    np.testing.assert_array_equal(b.args["se"], [1.0, 2.5, 3.0])
    np.testing.assert_array_equal(b.data["y"], [1.0, 2.0, 3.0])
    assert b.args["se"].dtype == np.float64 and not b.missing and not b.warnings


def test_digest_is_of_the_values(schools):
    one = bound(schools, se=[1, 2], y=[1.0, 2.0])
    assert one.digest == bound(schools, y=np.array([1, 2]), se=np.array([1.0, 2.0])).digest
    assert one.digest != bound(schools, se=[1, 2], y=[1.0, 2.1]).digest


def test_all_problems_in_one_report(schools):
    found = problems(schools, se=[1.0, -2.0, "x"], y=[1.0, None])
    assert {p.code for p in found} == {"E705", "E710", "E713", "E714"}
    found = problems(schools, se=[1.0, -2.0, "x"], y=[1.0, 2.0])
    assert {(p.code, p.path) for p in found} == {("E713", "se[1]"), ("E705", "se[2]"), ("E710", "y")}
    found = problems(schools, se=[1.0, -2.0, 3.0], y=[1.0, None])
    assert {(p.code, p.path) for p in found} == {("E713", "se[1]"), ("E714", "y[1]"), ("E710", "y")}


def test_conflicting_sizes_name_both_sources(schools):
    p = only(schools, se=[1.0, 2.0], y=[1.0, 2.0, 3.0])
    assert p.code == "E710" and "length of y is 3" in p.found and "length of se" in p.needed


def test_a_named_size_is_checked(schools):
    assert bound(schools, J=2, se=[1, 2], y=[1, 2]).sizes == {"J": 2}
    assert [p.code for p in problems(schools, J=8, se=[1.0, 2.0], y=[1.0, 2.0])] == ["E710", "E710"]


def test_missing_parameter_names_its_type(schools):
    p = only(schools, y=[1.0])
    assert (p.code, p.path) == ("E704", "se") and "real[J]" in p.needed


def test_absent_data_site_is_no_error(schools):
    assert bound(schools, se=[1.0, 2.0]).data == {}


def test_unused_keys_are_warned_about_with_a_suggestion(schools):
    b = bound(schools, se=[1.0], Y=[2.0], mu=0.5)
    help = {w.path: w.help for w in b.warnings}
    assert help["Y"] == "did you mean `y`?" and "data mu" in help["mu"]


def test_ragged_arrays_name_the_row():
    model = make([parameter("x", T.array(T.REAL, J, Size.var("K")))], sizes=("J", "K"))
    p = only(model, x=[[1, 2], [3]])
    assert (p.code, p.path) == ("E709", "x[1]")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (2**53 + 1, "E707"),
        (2**63, "E706"),
        (True, "E708"),
        ("1.5", "E705"),
        (float("inf"), None),
        (np.float16(1.5), None),
        (np.array(1 + 0j), None),
        (np.array(1 + 2j), "E715"),
        (np.array(3, ">i4"), None),
        (np.array(True), None),
        (np.array(2**63 + 1, np.uint64), "E706"),
        ({"a": 1}, "E708"),
        (np.array("2020-01-01", "datetime64[D]"), "E715"),
        (np.array(2**53 + 1), "E707"),
    ],
)
def test_numbers_are_kept_exactly_or_refused(value, code):
    model = make([parameter("a", T.REAL)], sizes=())
    if code:
        assert only(model, a=value).code == code
    else:
        assert bound(model, a=value).args["a"] == complex(np.asarray(value)).real


def test_lossless_conversions_are_noted():
    model = make([parameter("a", T.array(T.REAL, J))])
    for dtype in ("float16", ">f8", "complex128", "bool"):
        assert bound(model, a=np.array([0, 1], dtype)).notes, dtype
    assert not bound(model, a=np.array([0.0, 1.0])).notes


def test_integers():
    model = make([parameter("n", T.array(T.INT, J))])
    np.testing.assert_array_equal(bound(model, n=[1.0, 2]).args["n"], [1, 2])
    assert bound(model, n=np.array([1.0, 2.0])).args["n"].dtype == np.int64
    assert only(model, n=[1.5]).code == "E708"
    assert only(model, n=[1, 2**53 + 1]).path == "n[1]"


def test_indices_start_at_zero():
    K = Size.var("K")
    model = make([parameter("g", T.array(T.IndexType(K), J)), parameter("c", T.array(T.REAL, K))], sizes=("J", "K"))
    assert bound(model, g=[0, 1], c=[1.0, 2.0]).sizes == {"J": 2, "K": 2}
    p = only(model, g=[1, 2], c=[1.0, 2.0])
    assert p.code == "E712" and p.path == "g[1]" and "subtract 1" in p.help


def test_categories_need_levels():
    model = make([parameter("g", T.array(T.IndexType(Size.var("K")), J))], sizes=("J", "K"))
    p = only(model, g=["b", "a"])
    assert p.code == "E716" and '"g.levels": ["b", "a"]' in p.help
    b = bound(model, g=["b", "a"], **{"g.levels": ["a", "b", "c"]})
    np.testing.assert_array_equal(b.args["g"], [1, 0])
    assert b.sizes["K"] == 3
    assert only(model, g=["b", "z"], **{"g.levels": ["a", "b"]}).path == "g[1]"


@pytest.mark.parametrize(
    ("support", "type_", "bad"),
    [(S.COUNTS, T.REAL, 2.5), (S.COUNTS, T.INT, -1), (S.BOOLEANS, T.BOOL, 3), (S.NONNEGATIVE, T.REAL, -1.0),
     (S.POSITIVE, T.REAL, 0.0), (S.OPEN_UNIT_INTERVAL, T.REAL, 1.0), (S.REALS, T.REAL, float("inf"))],
)  # fmt: skip
def test_data_outside_the_support(support, type_, bad):
    model = make(sites=[data_site("y", T.array(type_, J), support)])
    p = only(model, y=np.array([1 if bad != 1.0 else 0.5, bad]))
    assert p.path == "y[1]" and p.code in ("E711", "E708")


def test_missing_entries_where_allowed():
    model = make(sites=[data_site("y", T.array(T.REAL, J), S.REALS, missing=True)])
    b = bound(model, y=[1.0, None, float("nan")])
    np.testing.assert_array_equal(b.missing["y"], [False, True, True])
    np.testing.assert_array_equal(b.data["y"], [1.0, 0.0, 0.0])


def test_many_bad_entries_are_counted():
    model = make(sites=[data_site("y", T.array(T.REAL, J), S.NONNEGATIVE)])
    found = problems(model, y=-np.ones(100))
    assert len(found) == 3 and found[-1].more == 97


@pytest.mark.parametrize(
    ("name", "good", "bad", "said"),
    [
        ("simplex", [0.25, 0.75], [0.25, 0.7], "sum to 0.95"),
        ("ordered", [-1.0, 2.0], [2.0, 2.0], "2 after 2"),
        ("positive_ordered", [1.0, 2.0], [-1.0, 2.0], "-1"),
        ("cov", [[2.0, 1.0], [1.0, 2.0]], [[1.0, 2.0], [2.0, 1.0]], "smallest eigenvalue is -1"),
        ("cov", [[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.5], [0.0, 1.0]], "not symmetric"),
        ("cov", [[1.0, 0.0], [0.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]], "singular"),
        ("corr", [[1.0, 0.5], [0.5, 1.0]], [[2.0, 0.5], [0.5, 1.0]], "found 2"),
        ("chol_cov", [[1.0, 0.0], [0.5, 1.0]], [[1.0, 0.5], [0.0, 1.0]], "found 0.5"),
        ("chol_corr", [[1.0, 0.0], [0.6, 0.8]], [[1.0, 0.0], [0.6, 0.9]], "sum to"),
    ],
)
def test_structured_supports(name, good, bad, said):
    K = Size.const(2)
    shape = (K,) if np.ndim(good) == 1 else (K, K)
    model = make([parameter("a", T.array(T.REAL, *shape), S.Structured(name))], sizes=())
    bound(model, a=good)
    p = only(model, a=bad)
    assert p.code == "E713" and said in p.found


def test_polynomial_sizes_are_solved():
    model = make([parameter("x", T.array(T.REAL, J + 1)), parameter("z", T.array(T.REAL, J * 2, Size.var("K")))],
                 sizes=("J", "K"))  # fmt: skip
    assert bound(model, x=[1, 2, 3], z=[[1, 2, 3]] * 4).sizes == {"J": 2, "K": 3}
    assert only(model, x=[], z=[[1, 2, 3]] * 4).code == "E710"


def test_undetermined_and_unprovable_sizes():
    check = ir.SizeCheck(J, Size.const(3), "x[0..3] needs three entries", "==")
    model = make([parameter("x", T.array(T.REAL, J))], checks=[check])
    assert only(model, x=[1.0]).code == "E718"
    assert only(make(sites=[data_site("y", T.array(T.REAL, J))])).code == "E717"


def test_records_tuples_and_sums():
    record = T.Record((("a", T.REAL), ("b", T.array(T.REAL, J))))
    b = bound(make([parameter("p", record)]), p={"a": 1, "b": [1, 2]})
    assert b.args["p"]["a"] == 1.0 and b.sizes == {"J": 2}
    pair = T.Tuple((T.REAL, T.INT))
    model = make([parameter("p", T.array(pair, J))])
    np.testing.assert_array_equal(bound(model, p=[[1, 2], [3, 4]]).args["p"][1], [2, 4])
    np.testing.assert_array_equal(bound(model, p=[{"1": 1, "2": 2}]).args["p"][1], [2])
    tree = ir.SumInfo("Tree", (ir.ConstructorInfo("Leaf", ()), ir.ConstructorInfo("Node", (T.Sum("Tree"),) * 2)), True)
    model = make([parameter("t", T.Sum("Tree"))], sizes=())
    assert bind_data(model, load([{"t": {"tag": "Node", "args": ["Leaf", "Leaf"]}}]), [tree]).args["t"]["tag"] == "Node"
    with pytest.raises(InvalidData, match="Tree"):
        bind_data(model, load([{"t": {"tag": "Node", "args": ["Leaf"]}}]), [tree])


@pytest.mark.parametrize(("given", "K"), [({}, 3), ({"K": 5}, 5), ({"w": [1.0, 2.0]}, 2)])
def test_a_size_has_its_default_where_nothing_else_says_what_it_is(given, K):
    import ppl

    text = "model m[N](K: size = N + 1, w: real[K] = ones(K)) {\n  x: real[K] ~ Normal(0, 1)\n"
    text += "  data y: real[N] ~ Normal(dot(w, x), 1)\n}\n"
    assert ppl.parse(text).m(**given).given(y=[1.0, 2.0]).bound.sizes == {"N": 2, "K": K}
