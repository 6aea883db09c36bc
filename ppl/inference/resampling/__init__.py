"""Resampling schemes: ``scheme(key, log_weights, n) -> ancestors``, one file each.

Every scheme has E[number of offspring of i] = n wᵢ / Σ w, and that is all that unbiasedness needs.
"""

from ppl.inference.resampling.multinomial import multinomial
from ppl.inference.resampling.residual import residual
from ppl.inference.resampling.scheme import Scheme
from ppl.inference.resampling.srinivasan import srinivasan
from ppl.inference.resampling.stratified import stratified
from ppl.inference.resampling.systematic import systematic

SCHEMES: dict[str, Scheme] = {
    "multinomial": multinomial,
    "stratified": stratified,
    "systematic": systematic,
    "residual": residual,
    "srinivasan": srinivasan,
}

__all__ = ["SCHEMES", "Scheme", "multinomial", "residual", "srinivasan", "stratified", "systematic"]
