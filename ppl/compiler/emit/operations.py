"""Right-hand sides of ``Let``: pure values."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from ppl.compiler.diagnostics.span import Span
from ppl.compiler.emit import indexing, loops, nested, particles
from ppl.compiler.emit.arena import Arena
from ppl.compiler.emit.code import FunctionCode, LambdaCode
from ppl.compiler.emit.errors import CompilerDefect, EmissionError
from ppl.compiler.emit.frame import Frame
from ppl.compiler.emit.ranges import comparison
from ppl.compiler.emit.tagged import Tagged, make_sum
from ppl.compiler.emit.trust import arguments_proved
from ppl.compiler.emit.userdist import user_distribution
from ppl.compiler.ir.nodes import (
    Assemble,
    Call,
    Closure,
    DeriveSeed,
    FunctionRef,
    GetField,
    GetItem,
    IndexOp,
    InferOp,
    Let,
    LogEvidence,
    LogProb,
    MakeArray,
    MakeDist,
    MakeRecord,
    MakeSum,
    MakeTuple,
    Map,
    Method,
    Op,
    Particles,
    Prim,
    Var,
)
from ppl.compiler.ir.types import Dist
from ppl.core.closure import Closure as ClosureValue
from ppl.core.distributions import make
from ppl.core.distributions.arguments import trusting
from ppl.core.errors import MethodError
from ppl.core.functions import FUNCTIONS
from ppl.core.undefined import UNDEFINED, has_undefined, is_undefined

if TYPE_CHECKING:
    from ppl.compiler.emit.evaluate import Evaluator
    from ppl.compiler.emit.interpretation import Interpretation


def let(evaluator: Evaluator, frame: Frame, statement: Let) -> None:
    """Defines a variable, unless its value was computed when the data were bound."""
    if statement.var.id not in frame.values:
        frame.define(statement.var, apply(evaluator, frame, statement))


def apply(evaluator: Evaluator, frame: Frame, statement: Let) -> Any:
    op, var = statement.op, statement.var
    match op:
        case Prim(name=name, args=args):
            decided = comparison(frame, op)
            return primitive(name, [frame.read(a) for a in args]) if decided is None else decided
        case IndexOp():
            return indexing.index(frame, op)
        case MakeDist():
            return distribution(evaluator.interpretation, frame, op, statement.span)
        case Call():
            return _call(frame, op)
        case Closure():
            return frame.code.close(op, frame)
        case MakeTuple(elements=elements):
            return tuple(frame.read(e) for e in elements)
        case MakeRecord(fields=fields):
            return {name: frame.read(value) for name, value in fields}
        case GetItem(base=base, position=position):
            value = frame.read(base)
            return UNDEFINED if is_undefined(value) else value[position]
        case GetField(base=base, name=name):
            value = frame.read(base)
            return UNDEFINED if is_undefined(value) else value[name]
        case MakeArray(elements=elements):
            return _array([frame.read(e) for e in elements], elements)
        case MakeSum(constructor=constructor, args=args):
            return make_sum(frame, constructor, tuple(frame.read(a) for a in args))
        case Assemble():
            return indexing.assembled(frame, op, var)
        case Map():
            return loops.map_(evaluator, frame, op)
        case LogProb(dist=dist, value=value, kind=kind):
            return _log_prob(frame.read(dist), frame.read(value), kind)
        case InferOp(method=Method(name="enumerate")):
            return nested.infer(frame, op)
        case InferOp(seed=None):
            raise EmissionError(
                "`infer` by sampling has no randomness of its own here",
                statement.span,
                helps=("in an objective write it, and the draw from it, inside of `expect { … }`",),
            )
        case InferOp():
            return particles.infer(frame, op, statement)
        case LogEvidence(method=Method(name="enumerate")):
            return nested.log_evidence(frame, op)
        case LogEvidence():
            return particles.log_evidence(frame, op, statement)
        case DeriveSeed():
            return particles.derived_seed(frame, op)
        case Particles():
            return particles.part(frame, op, statement)
    raise _not_executable(op, statement)


def _not_executable(op: Op, statement: Let) -> Exception:
    name = type(op).__name__
    if name == "Lag":
        return CompilerDefect("a Lag reached the emitter: the pass that makes scans has not run")
    return EmissionError(f"{name} cannot be executed inside a model by this method", statement.span)


_FOLDED: dict[str, Callable[..., Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "neg": operator.neg,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "and": lambda a, b: bool(a) and bool(b),
    "or": lambda a, b: bool(a) or bool(b),
    "not": operator.not_,
}


def primitive(name: str, args: list[Any]) -> Any:
    """Operators on Python numbers are computed now, so that a branch on sizes is decided while compiling."""
    if name == "copy":
        return args[0]
    folded = _FOLDED.get(name)
    if folded is not None and all(isinstance(a, (bool, int, float)) for a in args):
        return folded(*args)
    if any(map(has_undefined, args)):
        return UNDEFINED
    return FUNCTIONS[name](*(_plain(a) for a in args))


def _plain(a: Any) -> Any:
    return a.comparable() if isinstance(a, (Tagged, Arena)) else a


def distribution(interpretation: Interpretation, frame: Frame, op: MakeDist, span: Span) -> Any:
    """EmissionError, with the constructor's message, where the arguments do not fit together."""
    args = {name: frame.read(a) for name, a in op.args}
    if any(map(has_undefined, args.values())):
        return UNDEFINED
    batch = tuple(frame.size(n) for n in op.batch)
    declared = frame.code.dist(op.name)
    if declared is not None:
        return user_distribution(frame, declared, args, batch, {name: frame.size(s) for name, s in op.sizes})
    try:
        if interpretation.trusts and arguments_proved(op):
            with trusting():
                return make(op.name, args, batch)
        return make(op.name, args, batch)
    except MethodError as error:
        raise EmissionError(error.message, span, notes=error.notes, helps=error.helps) from error
    except ValueError as error:  # NumPyro's own
        raise EmissionError(f"{op.name}: {error}", span) from error


def _call(frame: Frame, op: Call) -> Any:
    args = [frame.read(a) for a in op.args]
    function: Any = frame.read(op.function)
    if is_undefined(function):
        return UNDEFINED
    if isinstance(op.function, FunctionRef) and isinstance(function, ClosureValue) and op.sizes:
        sizes = tuple((name, frame.size(s)) for name, s in op.sizes)
        code: Any = function.code
        function = ClosureValue(FunctionCode(frame.code, code.function, sizes), function.captured)
    elif not isinstance(function, ClosureValue) and any(map(has_undefined, args)):
        return UNDEFINED
    if isinstance(function, ClosureValue) and isinstance(function.code, (FunctionCode, LambdaCode)):
        value, weight = function.code.run(function.captured, args, frame.active)
        if weight is not None:
            frame.weights.append(weight)
        return value
    return function(*args)


def _array(values: list[Any], atoms: tuple[Any, ...]) -> Any:
    if any(isinstance(a, Var) and isinstance(a.type, Dist) for a in atoms):
        return UNDEFINED if any(map(has_undefined, values)) else tuple(values)
    if values and all(isinstance(v, (bool, int, float)) for v in values):
        return jnp.asarray(np.array(values))
    return indexing.stacked(values)


def _log_prob(dist: Any, value: Any, kind: str) -> Any:
    if has_undefined(dist) or has_undefined(value):
        return UNDEFINED
    if kind == "cdf":
        return dist.cdf(value)
    term = dist.log_prob(value)
    return jnp.sum(term) if np.ndim(term) else term
