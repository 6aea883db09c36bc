"""Errors that a user can cause, with the exit code that the command line gives them."""

from __future__ import annotations


class PplError(Exception):
    """``message`` says what was found and what was needed; ``notes`` why; ``helps`` what to do, one edit or command
    each."""

    exit_code = 1

    def __init__(self, message: str, *, notes: tuple[str, ...] = (), helps: tuple[str, ...] = ()):
        super().__init__(message)
        self.message = message
        self.notes = notes
        self.helps = helps

    def __str__(self) -> str:
        lines = [self.message]
        lines += [f"  = note: {n}" for n in self.notes]
        lines += [f"  = help: {h}" for h in self.helps]
        return "\n".join(lines)


class UsageError(PplError):
    """A wrong argument of a command or a method."""

    exit_code = 2


class MethodError(PplError):
    """A model that the chosen method cannot run."""

    exit_code = 3


class CompositionError(MethodError):
    """Transformations whose representations do not fit together."""


class DataError(PplError):
    """Data or a checkpoint that does not fit."""

    exit_code = 4


class NumericalError(PplError):
    """No finite start, a NaN density, all particles dead: names the variable or the step."""

    exit_code = 5


class ResourceError(PplError):
    """More memory, states or time than there is: estimated before the start."""

    exit_code = 6


class Refuted(PplError):
    """A claim that a statistical test has refuted."""

    exit_code = 7
