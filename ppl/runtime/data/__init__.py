"""Data in: files and Python values to arrays, checked against a model before anything compiles. NumPy only, no JAX."""

from ppl.runtime.data.bind import Bound, bind_data
from ppl.runtime.data.load import load
from ppl.runtime.data.problems import DataProblem, InvalidData, Problems
from ppl.runtime.data.raw import Raw

__all__ = ["Bound", "DataProblem", "InvalidData", "Problems", "Raw", "bind_data", "load"]
