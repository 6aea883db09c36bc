"""An independent reference interpreter of the typed IR, in plain NumPy: the oracle that compiled programs are compared with.

It needs SciPy, which ``ppl`` itself does not; nothing outside the tests imports it. It shares no code with the emitter.
"""

from ppl.reference.enumeration import Path, Paths, enumerate_exact
from ppl.reference.errors import DomainError, InterpreterError, InvalidProgram, LimitExceeded, MissingValue, Unsupported
from ppl.reference.execution import Execution, density, evaluate, generate, simulate

__all__ = [
    "DomainError", "Execution", "InterpreterError", "InvalidProgram", "LimitExceeded", "MissingValue", "Path", "Paths",
    "Unsupported", "density", "enumerate_exact", "evaluate", "generate", "simulate",
]  # fmt: skip
