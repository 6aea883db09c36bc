"""Errors of distributions that the checker cannot see."""

from __future__ import annotations

from ppl.core.errors import MethodError


class DistributionError(MethodError):
    """Arguments that no distribution can be made from, or a question that a distribution has no answer to."""
