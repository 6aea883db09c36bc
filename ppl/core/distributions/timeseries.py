"""Distributions over paths."""

from __future__ import annotations

from typing import Any

import numpyro.distributions as dist

from ppl.core.distributions.arguments import floats, positive
from ppl.core.distributions.guarded import guard
from ppl.core.distributions.precision import InputPrecision


class GaussianRandomWalk(InputPrecision, dist.GaussianRandomWalk):
    pass


def gaussian_random_walk(scale: Any, T: Any) -> dist.Distribution:
    """T values: the first from Normal(0, scale), each later one from Normal(the one before, scale)."""
    scale, valid = positive(*floats(scale))
    return guard(GaussianRandomWalk(scale, int(T), validate_args=False), valid)
