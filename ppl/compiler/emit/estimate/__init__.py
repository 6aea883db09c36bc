"""Estimators of expectations and of their gradients: one walk over an objective, its guide and its model."""

from ppl.compiler.emit.estimate import measure_valued as measure_valued
from ppl.compiler.emit.estimate.program import EmittedObjective, objective
from ppl.compiler.emit.estimate.strategies import Sampled, Strategy

__all__ = ["EmittedObjective", "Sampled", "Strategy", "objective"]
