"""The report is one page without outside references, with a row for every scalar."""

import numpy as np

from ppl.runtime.results.html import to_html
from ppl.runtime.results.plots import interval_plot, rank_plot
from ppl.runtime.results.summary import summarise
from tests.results.test_results import RECORD, posterior, weighted


def test_page():
    p = posterior(warnings=("2 of 2000 transitions diverged <here>",))
    page = to_html(p, summarise(p), RECORD)
    assert "theta[7]" in page and "&lt;here&gt;" in page and "model …" in page
    for reference in ("src=", "href=", "<script", "@import"):
        assert reference not in page
    assert page.count("<svg") == 2 * 11 + 1


def test_page_of_weighted_draws():
    p = weighted([0.0, 1.0], [0.5, 0.5])
    assert "log evidence -1.5 ± 0.1" in to_html(p, summarise(p), RECORD)


def test_rank_bars_are_level_when_chains_are_alike():
    x = np.arange(400.0).reshape(100, 4).T
    heights = {r.split('"')[0] for r in rank_plot(x).split('height="')[2:]}
    assert len(heights) == 1


def test_interval_plot_leaves_out_what_is_not_finite():
    assert interval_plot([("a", np.nan, 0.0, 1.0)]) == ""
    assert "b" in interval_plot([("b", -1.0, 0.0, 1.0)])
