"""What a part must take and give: looked at before anything is drawn, so that a misuse is told from a refutation."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import jax

from ppl.core.errors import PplError, UsageError

WRONG_CALL = (TypeError, AttributeError, ValueError, KeyError, IndexError)


def required(function: Callable[..., Any]) -> int:
    """How many positional arguments it must be given: those with defaults do not count."""
    parameters = inspect.signature(function).parameters.values()
    return len([p for p in parameters if p.default is p.empty and p.kind < p.VAR_POSITIONAL])


def shape_of(name: str, what: str, helps: str, function: Callable[..., Any], *args: Any) -> Any:
    """The shapes of ``function(*args)``; UsageError where it can't be called so. ``what``: "a resampling scheme"."""
    try:
        return jax.eval_shape(function, *args)
    except PplError:
        raise
    except WRONG_CALL as error:
        reason = (str(error).splitlines() or [""])[0]
        raise UsageError(
            f"`{name}` does not work as {what}", notes=(f"{type(error).__name__}: {reason}",), helps=(helps,)
        ) from error


def refuse(name: str, what: str, found: str, helps: str) -> UsageError:
    """``found``: what it returned, and what was needed."""
    return UsageError(f"`{name}` does not work as {what}", notes=(found,), helps=(helps,))


def shown(value: Any) -> str:
    """A PyTree of shapes in a few words: ``float64[3]``."""
    leaves = jax.tree.map(lambda a: _Leaf(f"{a.dtype}{list(a.shape)}"), value)
    return repr(leaves)


class _Leaf(str):
    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)
