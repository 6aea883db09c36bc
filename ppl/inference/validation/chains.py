"""Chains with exact starts: what kernels of every make look like to the checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np

from ppl.core.errors import UsageError
from ppl.core.random import categorical
from ppl.inference.kernels.base import Kernel, LogDensity
from ppl.inference.representations import TracedValue
from ppl.inference.validation.signatures import WRONG_CALL, required, shown


class ExactTarget(NamedTuple):
    """A target from which one can draw exactly.

    ``sample(key)``: a trace from γ/∫γ, or, where there is no ``log_density``, the whole state of a chain from its
    extended target (a parameter with its estimate, a pair of replicas, …). ``log_density(trace)`` = log γ.
    ``read(state)``: the quantities whose law is compared; ``functions(values)``: a vector of test functions of them, in
    place of the published family."""

    name: str
    sample: Callable[[Any], Any]
    log_density: Callable[[Any], Any] | None = None
    read: Callable[[Any], Any] | None = None
    functions: Callable[[Any], Any] | None = None


class FiniteTarget(NamedTuple):
    """A target with finitely many states: ``states`` a PyTree with a leading axis, ``log_density(state)`` = log γ.

    Kernels that make their choices through ``ppl.core.random`` are enumerated on it: the whole transition matrix is
    then known."""

    name: str
    states: Any
    log_density: Callable[[Any], Any]

    @property
    def probabilities(self) -> np.ndarray:
        log_weights = np.asarray(jax.vmap(self.log_density)(self.states), float)
        weights = np.exp(log_weights - log_weights.max())
        return weights / weights.sum()

    @property
    def size(self) -> int:
        return int(np.shape(jax.tree.leaves(self.states)[0])[0])

    def state(self, index: Any) -> Any:
        return jax.tree.map(lambda a: jnp.asarray(a)[index], self.states)

    def matches(self, trace: Any) -> Any:
        """Which of the states ``trace`` is: a vector of zeros and a one (all zeros for none of them)."""

        def equal(here: Any, there: Any) -> Any:
            here = jnp.asarray(here)
            return jnp.all((here == jnp.asarray(there)[None]).reshape(self.size, -1), axis=1)

        return jnp.all(jnp.stack(jax.tree.leaves(jax.tree.map(equal, self.states, trace))), axis=0).astype(float)

    def exact(self) -> ExactTarget:
        """The same as a target to draw from; its atoms are the test functions."""
        logits = jnp.log(jnp.asarray(self.probabilities))
        return ExactTarget(
            self.name, lambda key: self.state(categorical(key, logits)), self.log_density, functions=self.matches
        )


class Chain(NamedTuple):
    """``start(key)`` an exact draw of the state, ``step(key, state)`` the next one, ``read(state)`` what is
    compared."""

    name: str
    start: Callable[[Any], Any]
    step: Callable[[Any, Any], Any]
    read: Callable[[Any], Any]
    reversible: bool = False


def as_chain(part: Any, target: ExactTarget) -> Chain:
    """``part`` may be a ``Kernel``; an object with ``init(position)`` and ``step(key, state)`` whose states have a
    ``position`` (BlackJAX's algorithms as they are); or a function (key, state, log_density) or (key, state), where
    ``state`` is a ``TracedValue`` or the bare trace, that returns the new state alone or first in a tuple."""
    name = name_of(part)
    read = target.read
    density = target.log_density

    def traced(key: Any) -> Any:
        state = target.sample(key)
        return state if density is None else TracedValue(state, jnp.asarray(density(state)))

    if isinstance(part, Kernel):
        at = cast(LogDensity, density)  # None is for kernels that need none
        return Chain(name, traced, lambda k, s: part.step(k, s, at)[0], read or _trace, part.reversible)
    if callable(getattr(part, "init", None)) and callable(getattr(part, "step", None)):
        return Chain(
            name, lambda k: part.init(target.sample(k)), lambda k, s: part.step(k, s)[0], read or (lambda s: s.position)
        )
    if callable(part):
        return _from_function(part, target, traced, name)
    raise UsageError(
        f"a {type(part).__name__} is not a kernel",
        helps=("a kernel is a function (key, state, log_density), a Kernel, or an object with `init` and `step`",),
    )


def _from_function(part: Callable[..., Any], target: ExactTarget, traced: Callable[[Any], Any], name: str) -> Chain:
    extra = (target.log_density,) if required(part) >= 3 else ()
    reasons = []
    for start in dict.fromkeys((traced, target.sample)):
        key = jax.random.key(0)
        state = jax.eval_shape(start, key)
        try:
            result = jax.eval_shape(lambda k, s: part(k, s, *extra), key, state)
        except WRONG_CALL as error:
            reasons.append(f"{type(error).__name__}: {str(error).splitlines()[0]}")
            continue
        wrong = _difference(state, result)
        if not wrong:
            return Chain(name, start, lambda k, s: _like(part(k, s, *extra), s), target.read or _trace)
        pair = isinstance(result, tuple) and len(result) == 2 and not hasattr(result, "_fields")
        if pair and not _difference(state, result[0]):
            return Chain(name, start, lambda k, s: _like(part(k, s, *extra)[0], s), target.read or _trace)
        reasons.append(wrong)
    raise UsageError(
        f"`{name}` does not work as a kernel on {target.name}",
        notes=tuple(
            f"tried {how}: {why}" for how, why in zip(("a TracedValue", "the bare trace"), reasons, strict=False)
        ),
        helps=("a kernel is a function (key, state, log_density) that returns the new state, or (state, info)",),
    )


def _difference(state: Any, result: Any) -> str:
    """How ``result`` differs from a state in structure, shapes or kinds of numbers; empty if it does not."""
    if jax.tree.structure(result) != jax.tree.structure(state):  # type: ignore[operator]  # jaxlib publishes no types
        return f"it was given {shown(state)} and returned {shown(result)}"
    for (path, given), new in zip(jax.tree.leaves_with_path(state), jax.tree.leaves(result), strict=True):
        where = jax.tree_util.keystr(path) or "the state"
        if given.shape != new.shape:
            return f"{where} has the shape {given.shape}, and what it returned has {new.shape}"
        if not jnp.can_cast(new.dtype, given.dtype) and given.dtype.kind != new.dtype.kind:
            return f"{where} is of type {given.dtype}, and what it returned is of type {new.dtype}"
    return ""


def _like(result: Any, state: Any) -> Any:
    """``result`` in the types of ``state``, so that steps can be repeated in a loop."""
    return jax.tree.map(lambda new, old: new if new.dtype == old.dtype else new.astype(old.dtype), result, state)


def _trace(state: Any) -> Any:
    return state.trace if isinstance(state, TracedValue) else state


def name_of(part: Any) -> str:
    name = getattr(part, "name", None) or getattr(part, "__name__", None)
    return name if isinstance(name, str) else type(part).__name__
