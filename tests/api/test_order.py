"""Results stand in the order of the text, and tables leave out what no draw has."""

import ppl

MODEL = """
model m() {
  tau ~ HalfNormal(1)
  a ~ Normal(0, tau)
  data y ~ Normal(a, 1)
  output twice = 2 * a
  output again = a
}
"""
COUNT = """
model count() -> int {
  more ~ Bernoulli(0.5)
  if more { rest ~ count(); return 1 + rest } else { return 0 }
}
model m() { n ~ count(); require n < 2; output total = n }
"""


def test_variables_and_outputs_stand_in_the_order_of_the_text():
    applied = ppl.parse(MODEL).m()
    found = ppl.infer(applied.given(y=0.3), "importance(20)", seed=0).summary()
    assert found.keys() == ["tau", "a", "twice", "again"]
    assert list(ppl.prior(applied, 20, seed=0).summary().keys())[:2] == ["tau", "a"]


def test_what_no_draw_has_is_left_out_of_the_table():
    """Of thirty applications of the model two are ever run."""
    text = str(ppl.infer(ppl.parse(COUNT).m(), "importance(200)", seed=0).summary())
    assert "n.more" in text and "n.rest.more" in text and "n.rest.rest.more" not in text
    assert "28 rows left out: no draw has these variables" in text
