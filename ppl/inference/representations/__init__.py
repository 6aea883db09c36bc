"""Representations of measures; one file each. See ``base`` for what they share."""

from ppl.inference.representations.base import Representation
from ppl.inference.representations.enumerated import Enumerated
from ppl.inference.representations.population import Particles, Population
from ppl.inference.representations.sampled import Sampled
from ppl.inference.representations.sequential import Segment, Sequential, Suspended, suspend
from ppl.inference.representations.traced import Traced, TracedValue
from ppl.inference.representations.weighted import Weighted, WeightedValue

__all__ = [
    "Enumerated",
    "Particles",
    "Population",
    "Representation",
    "Sampled",
    "Segment",
    "Sequential",
    "Suspended",
    "Traced",
    "TracedValue",
    "Weighted",
    "WeightedValue",
    "suspend",
]
