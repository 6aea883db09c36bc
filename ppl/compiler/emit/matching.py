"""The cases of a ``match``: what each binds, and whether it is the one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ppl.compiler.emit.arena import Arena
from ppl.compiler.emit.frame import Frame
from ppl.compiler.emit.tagged import Tagged
from ppl.compiler.ir.nodes import Case, Var

Chosen = tuple[Case, tuple[tuple[Var, Any], ...], Any]


def cases_of(frame: Frame, subject: Tagged | Arena, cases: Iterable[Case]) -> list[Chosen]:
    """Each case with what it binds and its condition (a bool where that is known while tracing), up to the default
    case."""
    position = {c.name: k for k, c in enumerate(frame.code.sum(subject.sum).constructors)}
    tag = subject.tag
    known = is_concrete(tag)
    found: list[Chosen] = []
    earlier: list[Any] = []
    for case in cases:
        if case.constructor is None:
            rest = not any(earlier) if known else _none(earlier)
            found.append((case, (), rest))
            break
        k = position[case.constructor]
        here = int(tag) == k if known else tag == k
        earlier.append(here)
        arguments = subject.arguments(frame, k) if here is not False else ()
        found.append((case, tuple(zip(case.binders, arguments, strict=False)), here))
    return found


def is_concrete(value: Any) -> bool:
    """Whether a condition's value is known while tracing."""
    return isinstance(value, (bool, int, np.generic, np.ndarray)) or not isinstance(value, jax.core.Tracer)


def _none(conditions: list[Any]) -> Any:
    return jnp.logical_not(jnp.any(jnp.stack(conditions), axis=0)) if conditions else jnp.asarray(True)
