"""What must hold for every program, of the compiler and of a pass, tried on random ones; the smallest that fails is the
case of a refutation."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ppl.compiler.ir import nodes as ir
from ppl.compiler.passes.base import Pass
from ppl.compiler.passes.query import Query, prepare
from ppl.compiler.passes.schedule import PASSES, run_passes
from ppl.compiler.pipeline import check_text
from ppl.programs.generate import random_program
from ppl.programs.shrink import shrink
from ppl.programs.tree import Program
from ppl.programs.variants import variants
from ppl.reference import enumerate_exact

if TYPE_CHECKING:
    from ppl.inference.validation.certificate import Check

Property = Callable[[Program], str]
"""What is wrong with a program; empty if nothing is."""
RTOL, ATOL = 1e-10, 1e-12
_TRANSFORMED = Callable[[ir.Program, str], ir.Program]


def typed(program: Program) -> ir.Program:
    result = check_text(program.text)
    if result.program is None or not result.ok:
        raise ValueError("\n".join(d.message for d in result.diagnostics.errors))
    return result.program


def meaning(program: ir.Program) -> np.ndarray:
    """log Z, the mean and variance of the returned value, the means of all outputs: by the reference interpreter."""
    paths = enumerate_exact(program, "main")
    outputs = sorted({name for p in paths for name in p.outputs} - {"return"})
    return np.array([paths.log_evidence, paths.mean("return"), paths.var("return"), *map(paths.mean, outputs)])


def same_meaning(expected: np.ndarray, program: ir.Program) -> str:
    found = meaning(program)
    if found.shape == expected.shape and np.allclose(found, expected, rtol=RTOL, atol=ATOL, equal_nan=True):
        return ""
    return (
        f"log Z, mean, variance, outputs: {np.round(found, 6).tolist()}, and should be {np.round(expected, 6).tolist()}"
    )


def invariant(program: Program) -> str:
    """Programs that mean the same have the same meaning (``variants``)."""
    expected = meaning(typed(program))
    for what, other in variants(program):
        if wrong := same_meaning(expected, typed(other)):
            return f"{what}: {wrong}"
    return ""


def kept_by(transform: _TRANSFORMED) -> Property:
    """``transform(program, model name)`` keeps the meaning."""

    def holds(program: Program) -> str:
        before = typed(program)
        return same_meaning(meaning(before), transform(before, "main"))

    return holds


def through(part: Pass | Callable[..., Any]) -> _TRANSFORMED:
    """A pass behind those that come before its kind of work: our passes put loops and calls in the form that it sees in
    a compilation. A function may take (program, model name) or the program alone, and return the program or a pair."""
    run: Callable[..., Any] = part.run if isinstance(part, Pass) else part
    before = tuple(p for p in PASSES if not (isinstance(part, Pass) and p.name == part.name))

    def transform(program: ir.Program, model: str) -> ir.Program:
        ready = run_passes(program, model, passes=before).program
        try:
            result = run(ready, model)
        except TypeError:
            result = run(ready)
        return result[0] if isinstance(result, tuple) else result

    return transform


def prepared(program: ir.Program, model: str) -> ir.Program:
    """All passes of a compilation, elimination of discrete variables included."""
    return prepare(program, Query(model, marginalise=True)).program


def compiled(program: Program) -> str:
    """The emitted program: the log density of every trace is the weight that the reference interpreter gives that path.
    Programs whose branches draw different variables have no such traces, and pass."""
    import jax
    import jax.numpy as jnp

    from ppl.compiler.emit.bind import bind
    from ppl.compiler.emit.errors import EmissionError

    source = typed(program)
    paths = enumerate_exact(source, "main")
    if {frozenset(p.trace) for p in paths} == {frozenset()} or len({frozenset(p.trace) for p in paths}) > 1:
        return ""
    plan = prepare(source, Query("main"))
    try:
        target = bind(plan.program, "main", {}, {}, {}, deferred=frozenset(plan.deferred))
    except EmissionError:
        return ""
    shapes = {v.name: v.shape for v in target.latents}
    if plan.deferred or set(shapes) != set(paths[0].trace):  # a branch that is never taken draws nothing
        return ""
    traces = {n: jnp.asarray(np.stack([np.reshape(p.trace[n], shapes[n]) for p in paths])) for n in shapes}
    found = np.asarray(jax.jit(jax.vmap(target.log_density))(traces))
    expected = np.array([p.log_weight for p in paths])
    if np.allclose(found, expected, rtol=RTOL, atol=RTOL):
        return ""
    worst = int(np.nanargmax(np.abs(np.where(np.isfinite(found), found - expected, np.inf))))
    return f"log density {found[worst]:.12g} at {paths[worst].trace}, and should be {expected[worst]:.12g}"


def check_programs(
    holds: Property, claim: str, n: int = 200, seed: int = 0, budget: float | None = None, name: str = ""
) -> Check:
    """``holds`` on ``n`` random programs, or as many as ``budget`` seconds allow. An exception is a failure too."""
    from ppl.inference.validation.certificate import Check

    deadline = None if budget is None else time.monotonic() + budget
    done = 0
    for i in range(n):
        program = random_program(seed + i)
        done += 1
        if _failure(holds, program):
            smallest = shrink(program, lambda p: bool(_failure(holds, p)))
            why = {"why": _failure(holds, smallest), "program": smallest.text}
            case = f"{name}, the smallest program".removeprefix(", ")
            return Check(
                claim,
                "reference interpreter",
                f"{done} random programs",
                "refuted",
                0.0,
                done,
                why,
                None,
                case,
                seed + i,
            )
        if deadline is not None and time.monotonic() > deadline:
            break
    said = {"programs": done}
    return Check(claim, "reference interpreter", f"{done} random programs", "passed", 0.0, done, said, None, name, seed)


def _failure(holds: Property, program: Program) -> str:
    try:
        return holds(program)
    except Exception as error:  # whatever a broken pass raises, or leads to, is its failure on this program
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
