"""The distributions of the language, with its names and parameters, as NumPyro distributions.

>>> d = make("Gamma", {"shape": 2.0, "rate": 3.0})
>>> d.log_prob(-1.0)
Array(-inf, dtype=float32, weak_type=True)
"""

from ppl.core.distributions.make import DISTRIBUTIONS, make
from ppl.core.distributions.values import support_values

__all__ = ["DISTRIBUTIONS", "make", "support_values"]
