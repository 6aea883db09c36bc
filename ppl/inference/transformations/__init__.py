"""Transformations of representations, each with a claim. ``g @ f`` applies f first."""

from ppl.inference.transformations.advance import advance, advancing, extend, finish
from ppl.inference.transformations.base import Applied, Transformation, compose, identity
from ppl.inference.transformations.collapse import collapse, normalise
from ppl.inference.transformations.hoist import hoist, hoist_trace, repeat
from ppl.inference.transformations.move import adapted_walk, mh, refresh
from ppl.inference.transformations.nested import nested
from ppl.inference.transformations.resample import resample
from ppl.inference.transformations.spawn import spawn, weigh
from ppl.inference.transformations.twist import twist
from ppl.inference.transformations.watch import watch

__all__ = [
    "Applied",
    "Transformation",
    "adapted_walk",
    "advance",
    "advancing",
    "collapse",
    "compose",
    "extend",
    "finish",
    "hoist",
    "hoist_trace",
    "identity",
    "mh",
    "nested",
    "normalise",
    "refresh",
    "repeat",
    "resample",
    "spawn",
    "twist",
    "watch",
    "weigh",
]
