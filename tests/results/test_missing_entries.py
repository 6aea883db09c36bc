"""Data with gaps in the results: inferred entries among the given ones, predicted ones as predictions."""

import numpy as np
import pytest

import ppl

MODEL = """
model regression[N]() {
  mu ~ Normal(0, 1)
  plate i in N {
    data x[i]: real? ~ Normal(mu, 1)
    data y[i]: real? ~ Normal(x[i], 1)
  }
}
"""


@pytest.fixture(scope="module")
def result():
    target = ppl.parse(MODEL).regression().given(x=[1.0, None, 2.0], y=[1.0, 1.0, None])
    return ppl.infer(target, "importance(20)", seed=0)


def test_inferred_entries_stand_in_their_places(result):
    x = result["x"]
    assert x.shape == (1, 20, 3)
    assert (x[..., 0] == 1).all() and (x[..., 2] == 2).all()
    assert np.ptp(x[..., 1]) > 0


def test_the_tree_has_full_arrays_with_one_dimension_for_the_plate(result):
    tree = result.to_datatree()
    assert tree["posterior/x"].dims == ("chain", "draw", "N")
    assert tree["posterior_predictive"].data_vars.keys() == {"y"}  # y[2] is predicted, x[1] was inferred
    assert np.isnan(tree["observed_data/y"].values).tolist() == [False, False, True]
