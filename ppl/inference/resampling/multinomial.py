"""Multinomial resampling: independent ancestors (Gordon, Salmond and Smith 1993)."""

from __future__ import annotations

from jaxtyping import Array, Float, Int

from ppl.core.random import Source, categorical
from ppl.inference.resampling.scheme import alive_or_uniform


def multinomial(key: Source, log_weights: Float[Array, " m"], n: int) -> Int[Array, " n"]:
    """Each slot draws its ancestor by itself. Highest variance; the one scheme whose conditional form is trivial."""
    return categorical(key, alive_or_uniform(log_weights), (n,))
