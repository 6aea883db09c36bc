"""``infer { … } by importance(n)`` and ``smc(n)``: self-normalised estimates of the posterior of what a block returns.

With particles x_i from the block's prior and w_i the product of its factors, the distribution is Σ w_i δ(x_i) / Σ w_i;
``smc`` resamples them on the way. The random numbers come from the seed alone: given it, this is a function of what the
block reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from ppl.compiler.emit import particle_steps
from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.frame import Frame
from ppl.compiler.emit.interpretation import Interpretation
from ppl.compiler.ir.nodes import DeriveSeed, InferOp, Let, LogEvidence
from ppl.compiler.ir.nodes import Particles as ParticlesOp
from ppl.core.distributions.atoms import Particles
from ppl.core.numerics import log_sum_exp
from ppl.core.undefined import UNDEFINED, has_undefined, is_undefined

if TYPE_CHECKING:
    from ppl.compiler.emit.frame import Effects

_WEIGHTED = Interpretation("particles", samples=True, weighs=True, nested=True)
_SPREAD = 2**30


def infer(frame: Frame, op: InferOp, statement: Let) -> Any:
    """The distribution on particles; undefined where it reads what is drawn after inference."""
    assert op.method is not None and op.seed is not None
    seed = frame.read(op.seed)
    if is_undefined(seed):
        return UNDEFINED
    (values,), log_weights = _executions(frame, op, seed, _count(frame, op, statement))
    if has_undefined(values) or has_undefined(log_weights):
        return UNDEFINED
    total = log_sum_exp(log_weights)
    possible = total > -jnp.inf
    return Particles(values, jnp.where(possible, log_weights - jnp.where(possible, total, 0.0), -jnp.inf))


def log_evidence(frame: Frame, op: LogEvidence, statement: Let) -> Any:
    """log (1/n) Σ w_i, with E (1/n) Σ w_i = ∫ dγ for the measure γ of the block."""
    assert op.seed is not None
    seed = frame.read(op.seed)
    if is_undefined(seed):
        return UNDEFINED
    n = _count(frame, op, statement)
    _, log_weights = _executions(frame, op, seed, n)
    return UNDEFINED if has_undefined(log_weights) else log_sum_exp(log_weights) - jnp.log(n)


def _executions(frame: Frame, op: InferOp | LogEvidence, seed: Any, n: int) -> tuple[tuple[Any, ...], Any]:
    """The results of n executions of the block, and log weights whose mean is unbiased for its total mass."""
    from ppl.compiler.emit.evaluate import Evaluator

    assert op.method is not None
    if op.method.name == "smc":
        return particle_steps.run(Evaluator(_WEIGHTED), frame, op.body, jax.random.key(seed), n)

    def one(key: Any) -> tuple[Any, Any]:
        inner = Frame(frame, key=key)
        values = Evaluator(_WEIGHTED).run(op.body, inner)
        return values, _weight(inner.effects())

    return jax.vmap(one)(jax.random.split(jax.random.key(seed), n))


def _weight(effects: Effects) -> Any:
    return jnp.zeros(()) if effects.weight is None else jnp.asarray(effects.weight)


def _count(frame: Frame, op: InferOp | LogEvidence, statement: Let) -> int:
    method = op.method
    assert method is not None
    given = {**dict(zip(("n",), method.args, strict=False)), **dict(method.kwargs)}
    n = frame.read(given["n"]) if set(given) == {"n"} else None
    if not isinstance(n, int) or isinstance(n, bool) or n < 1:
        raise EmissionError(
            f"`{method.name}` inside of a program takes the number of particles, known when the program is compiled",
            statement.span,
            helps=(f"write `by {method.name}(100)`, or name a parameter of type `size`",),
        )
    return n


def derived_seed(frame: Frame, op: DeriveSeed) -> Any:
    seed, path = frame.read(op.seed), [frame.read(a) for a in op.path]
    if is_undefined(seed) or any(map(is_undefined, path)):
        return UNDEFINED
    key = jax.random.key(seed)
    for part in path:
        key = jax.random.fold_in(key, part)
    return jax.random.randint(key, (), 0, _SPREAD)


def part(frame: Frame, op: ParticlesOp, statement: Let) -> Any:
    dist = frame.read(op.dist)
    if is_undefined(dist):
        return UNDEFINED
    if not isinstance(dist, Particles):
        raise EmissionError("a continuous value is drawn from one of several estimates", statement.span)
    if op.part == "alive":
        return dist.alive
    if op.part == "index":
        return dist.numbers
    assert op.index is not None
    k = frame.read(op.index)
    return UNDEFINED if is_undefined(k) else dist.at(k)
