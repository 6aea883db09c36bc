"""Summaries, tables, JSON and files of made-up runs."""

import json
import math

import numpy as np
import pytest

from ppl.core.errors import DataError, UsageError
from ppl.inference.run import Evidence, Posterior
from ppl.runtime.results.datatree import to_datatree
from ppl.runtime.results.files import check_output
from ppl.runtime.results.netcdf import read, save
from ppl.runtime.results.record import Record
from ppl.runtime.results.summary import summarise
from ppl.runtime.results.table import significant, to_table
from ppl.runtime.results.to_json import to_json
from ppl.runtime.results.variables import dimensions, variables


def posterior(**changes):
    rng = np.random.default_rng(0)
    draws = {"mu": rng.normal(4, 3, (4, 500)), "theta": rng.normal(size=(4, 500, 8)), "k": rng.poisson(3, (4, 500))}
    given = dict(
        method="nuts", expression="nuts()", seed=7, draws=draws, data={"y": np.zeros((4, 500, 8))},
        outputs={"t": {"a": rng.normal(size=(4, 500))}}, value=None, stats={"diverging": np.zeros((4, 500), bool)},
        log_weights=None, log_evidence=None,
    )  # fmt: skip
    return Posterior(**given | changes)


def weighted(x, w, se=0.1):
    return posterior(draws={"x": np.array([x])}, data={}, outputs={}, stats={}, log_weights=np.log([w]),
                     log_evidence=Evidence(-1.5, se))  # fmt: skip


RECORD = Record("schools", {"m.ppl": "model …"}, {"theta": ("J",), "y": ("J",), "se": ("J",)}, {"J": 8},
                {"se": np.ones(8)}, {"y": np.arange(8.0)}, data_hash="abc", environment={"jax": "1"})  # fmt: skip


def test_good_chains_are_ok():
    s = summarise(posterior())
    assert s.status == "ok" and set(s.statistics) == {"mu", "theta", "k", "t.a"}
    assert s.statistics["theta"]["mean"].shape == (8,) and abs(s.statistics["mu"]["mean"] - 4) < 0.5


def test_chains_that_disagree_and_short_ones_are_suspect():
    draws = np.random.default_rng(0).normal(size=(4, 500))
    draws[0] += 3
    s = summarise(posterior(draws={"mu": draws}))
    assert s.status == "suspect" and any("R-hat" in w and "`mu`" in w for w in s.warnings)
    assert "few effective draws" in " ".join(summarise(posterior(draws={"mu": draws[:, :20]}, outputs={})).warnings)


def test_weighted_draws():
    s = summarise(weighted([0.0, 1.0], [0.25, 0.75])).statistics["x"]
    assert s["mean"] == 0.75 and math.isclose(s["sd"], math.sqrt(0.1875)) and math.isclose(s["ess_bulk"], 1.6)
    assert s["q05"] == 0.0 and s["q50"] == 1.0 and np.isnan(s["rhat"])


def test_statistics_of_visited_states_are_exact():
    """Two states, the second completed twice: ``x`` belongs to the state, ``z`` was drawn for each completion."""
    p = posterior(draws={"x": np.array([[0.0, 1.0, 1.0]]), "z": np.array([[0.3, 0.1, 0.2]])}, data={}, outputs={},
                  stats={"state": np.array([[0, 1, 1]])}, log_weights=np.log([[0.5, 0.25, 0.25]]))  # fmt: skip
    s = summarise(p).statistics
    assert s["x"]["mcse_mean"] == 0 and np.isnan(s["x"]["ess_bulk"])
    assert s["z"]["mcse_mean"] > 0 and s["z"]["ess_bulk"] > 1


def test_json_has_numbers_and_nulls_only():
    def leaves(v):
        return [x for w in v for x in leaves(w)] if isinstance(v, list) else [v]

    one = posterior(draws={"mu": np.zeros((1, 1))}, outputs={}, data={}, stats={})
    for p in (posterior(), weighted([0.0, math.inf], [0.5, 0.5]), one):
        out = json.loads(json.dumps(to_json(p, summarise(p), "m"), allow_nan=False))
        assert set(out) >= {
            "model",
            "method",
            "seed",
            "draws",
            "log_evidence",
            "variables",
            "diagnostics",
            "timing",
            "status",
        }
        for statistics in out["variables"].values():
            assert set(statistics) == {"mean", "sd", "q05", "q50", "q95", "ess_bulk", "ess_tail", "rhat", "mcse_mean"}
            assert all(x is None or isinstance(x, float | int) for v in statistics.values() for x in leaves(v))
    assert to_json(posterior(), summarise(posterior()), "m")["draws"] == 2000


@pytest.mark.parametrize("name", ["mu", "a_name_that_is_rather_long_for_a_table_of_eighty_columns"])
def test_table_fits_in_80_columns(name):
    p = posterior(draws={name: np.random.default_rng(0).normal(-1e5, 1e-3, (4, 500, 3))})
    text = to_table(p, summarise(p), "m")
    assert max(map(len, text.splitlines())) <= 80 and "rhat" in text


def test_long_tables_are_cut():
    p = posterior(draws={"x": np.random.default_rng(0).normal(size=(2, 10, 100))}, outputs={})
    assert "… 40 more rows" in to_table(p, summarise(p), "m")


@pytest.mark.parametrize(
    ("x", "text"),
    [(4.4123, "4.41"), (0, "0"), (12345.6, "12346"), (1.5e9, "1.50e+09"), (0.00123, "0.00123"), (-0.5, "-0.500")],
)
def test_significant_digits(x, text):
    assert significant(x, 3) == text


def test_dimensions_are_unique_and_of_one_length():
    dims = dimensions(
        {"theta": (8,), "x": (7,), "c": (8, 8)}, {"theta": ("J",), "x": ("J",), "c": ("J", "J")}, {"J": 8}
    )
    assert dims == {"theta": ["J"], "x": ["x_dim_0"], "c": ["J", "J_1"]}


def test_saved_runs_come_back(tmp_path):
    p = posterior()
    path = str(tmp_path / "run.nc")
    tree = to_datatree(p, RECORD)
    assert tree["posterior"]["theta"].dims == ("chain", "draw", "J")
    assert {"posterior", "sample_stats", "observed_data", "constant_data"} <= set(tree.children)
    save(tree, path)
    q, record = read(path)
    for name, array in variables(p).items():
        np.testing.assert_array_equal(q.draws[name], array)
    assert (q.seed, q.method, record.model, record.sizes, record.data_hash) == (7, "nuts", "schools", {"J": 8}, "abc")
    np.testing.assert_array_equal(record.observed["y"], np.arange(8.0))
    assert [f.name for f in tmp_path.iterdir()] == ["run.nc"]


def test_what_is_no_run_is_refused(tmp_path):
    (tmp_path / "x.nc").write_text("nothing")
    for name in ("x.nc", "none.nc"):
        with pytest.raises(DataError):
            read(str(tmp_path / name))


def test_outputs_are_checked_first(tmp_path):
    (tmp_path / "there.nc").write_text("")
    for path in (tmp_path, tmp_path / "there.nc", tmp_path / "no" / "run.nc"):
        with pytest.raises(UsageError):
            check_output(str(path), force=False)
    check_output(str(tmp_path / "there.nc"), force=True)
