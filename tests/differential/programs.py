"""Random programs, their choices made by Hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from ppl.programs.generate import generate


@st.composite
def programs(draw) -> str:
    """The text of a model ``main`` that returns a real."""
    return generate(lambda options: draw(st.sampled_from(list(options)))).text
