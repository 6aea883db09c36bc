"""Files in: formats, robust refusals, merging."""

import json
import os

import numpy as np
import pytest

from ppl.compiler.ir import types as T
from ppl.runtime.data import InvalidData, bind_data, load
from tests.data.conftest import J, make, parameter

REALS = make([parameter("y", T.array(T.REAL, J))])


def codes(*sources):
    with pytest.raises(InvalidData) as error:
        bind_data(REALS, load(sources))
    return [p.code for p in error.value.problems if p.is_error]


def write(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    return str(path)


def test_every_format_gives_the_same(tmp_path):
    np.savez(tmp_path / "d.npz", y=np.array([1.5, 2.5]))
    import pyarrow as pa
    import pyarrow.parquet as pq
    import xarray as xr

    pq.write_table(pa.table({"y": [1.5, 2.5]}), tmp_path / "d.parquet")
    xr.Dataset({"y": ("n", [1.5, 2.5])}).to_netcdf(tmp_path / "d.nc", engine="netcdf4")
    write(tmp_path, "d.json", '{"y": [1.5, 2.5]}')
    write(tmp_path, "d.csv", '"y"\n1.5\n2.5\n')
    for suffix in ("json", "csv", "npz", "parquet", "nc"):
        args = bind_data(REALS, load([str(tmp_path / f"d.{suffix}")])).args
        np.testing.assert_array_equal(args["y"], [1.5, 2.5])
    np.testing.assert_array_equal(bind_data(REALS, load(["y=[1.5, 2.5]"])).args["y"], [1.5, 2.5])


def test_pandas_and_xarray_values():
    import pandas as pd
    import xarray as xr

    for value in (pd.Series([1.5, 2.5]), pd.DataFrame({"y": [1.5, 2.5]})["y"], xr.DataArray([1.5, 2.5])):
        np.testing.assert_array_equal(bind_data(REALS, load([{"y": value}])).args["y"], [1.5, 2.5])
    assert load([{"g": pd.Categorical(["a", "b"])}])["g"].levels == ("a", "b")


@pytest.mark.parametrize("cell", ["1;5x", "1e400", "0x10", "True", '"1,5"', "abc", "1_000", "१"])
def test_cells_that_are_no_number(tmp_path, cell):
    (code,) = codes(write(tmp_path, "d.csv", f"y,z\n1.5,0\n{cell},0\n"))
    assert code == ("E706" if cell == "1e400" else "E705")


def test_json_that_overflows_and_constants(tmp_path):
    assert codes(write(tmp_path, "a.json", '{"y": [1e400]}')) == ["E706"]
    args = bind_data(REALS, load([write(tmp_path, "b.json", '{"y": ["Inf", -Infinity, "-inf", 1]}')])).args
    np.testing.assert_array_equal(args["y"], [np.inf, -np.inf, -np.inf, 1])
    assert codes(write(tmp_path, "c.json", '{"y": [' + "9" * 5000 + "]}")) == ["E706"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("e.json", ""),
        ("e.csv", ""),
        ("e.json", "[1, 2]"),
        ("e.json", '{"y": [1,}'),
        ("e.txt", "1"),
        ("e.csv", 'y\n"1\n'),
        ("e.npz", ""),
        ("e.npz", "not a zip"),
        ("e.parquet", "x"),
        ("e.nc", "x"),
        ("e.csv", "y,z\n1,5\n1,2,3\n"),
        ("e.json", "[" * 100000),
    ],
)
def test_files_that_are_not_what_they_say(tmp_path, name, text):
    with pytest.raises(InvalidData) as error:
        load([write(tmp_path, name, text)])
    assert {p.code for p in error.value.problems} == {"E702"}


def test_files_that_cannot_be_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    write(tmp_path, "data.json", "{}")
    for source, said in [("dat.json", "did you mean"), (".", "directory"), ("pipe.json", "FIFO")]:
        with pytest.raises(InvalidData, match=said) as error:
            load([str(tmp_path / source)])
        assert [p.code for p in error.value.problems] == ["E701"]


def test_not_utf8(tmp_path):
    (tmp_path / "d.json").write_bytes(b'{"y": "\xff"}')
    with pytest.raises(InvalidData, match="UTF-8"):
        load([str(tmp_path / "d.json")])


def test_names_twice(tmp_path):
    assert codes(write(tmp_path, "a.json", '{"y": [1], "y": [2]}')) == ["E703"]
    assert "E703" in codes(write(tmp_path, "a.csv", "y,y\n1,2\n"))
    one, two = write(tmp_path, "b.json", '{"y": [1]}'), write(tmp_path, "c.json", '{"y": [2]}')
    assert codes(one, two) == ["E703"]
    np.testing.assert_array_equal(bind_data(REALS, load([one, "y=[3]"])).args["y"], [3])


def test_pickled_arrays_are_refused(tmp_path):
    np.savez(tmp_path / "d.npz", y=np.array([{}], dtype=object))
    with pytest.raises(InvalidData, match="pickled"):
        load([str(tmp_path / "d.npz")])


def test_cmdstan_file_as_it_is(tmp_path):
    text = json.dumps({"J": 2, "y": [28, 8]})
    assert bind_data(REALS, load([write(tmp_path, "d.json", text)])).sizes == {"J": 2}


def test_problems_render_and_serialise(tmp_path):
    with pytest.raises(InvalidData) as error:
        bind_data(REALS, load([write(tmp_path, "d.csv", 'y\n"1,5"\n')]))
    (p,) = error.value.problems
    assert p.render().splitlines()[0] == 'error[E705]: y[0]: found the text "1,5"'
    assert "write 1.5" in p.render() and p.to_json()["path"] == "y[0]"
