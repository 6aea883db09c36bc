"""An independent reference interpreter of the typed IR, in plain NumPy: the oracle that compiled programs are compared
with.

It needs SciPy, which ``ppl`` itself does not; nothing outside the tests imports it. It shares no code with the emitter.
"""

from ppl.reference.chain import Chain, chain
from ppl.reference.enumeration import Path, Paths, enumerate_exact
from ppl.reference.errors import DomainError, InterpreterError, InvalidProgram, LimitExceeded, MissingValue, Unsupported
from ppl.reference.execution import Execution, density, evaluate, generate, simulate
from ppl.reference.gaussian import GaussianPaths, gaussian
from ppl.reference.objectives import objective, objective_gradient
from ppl.reference.quadrature import quadrature

__all__ = [
    "Chain",
    "DomainError",
    "Execution",
    "GaussianPaths",
    "InterpreterError",
    "InvalidProgram",
    "LimitExceeded",
    "MissingValue",
    "Path",
    "Paths",
    "Unsupported",
    "chain",
    "density",
    "enumerate_exact",
    "evaluate",
    "gaussian",
    "generate",
    "objective",
    "objective_gradient",
    "quadrature",
    "simulate",
]
