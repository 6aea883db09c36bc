"""Why the reference interpreter stops."""

from __future__ import annotations


class InterpreterError(Exception):
    """Base class; never raised itself."""


class InvalidProgram(InterpreterError):
    """The IR breaks one of its own rules: a variable without a value, an address drawn twice. A defect of the
    compiler."""


class MissingValue(InterpreterError):
    """A trace or the data lack a value that the program asks for."""


class DomainError(InterpreterError):
    """An argument of a distribution is outside its domain (a negative scale). As in Stan, the density is then zero."""


class Unsupported(InterpreterError):
    """A question that this interpreter cannot answer exactly: an infinite support where a finite one is needed."""


class LimitExceeded(InterpreterError):
    """More paths than ``limit``."""
