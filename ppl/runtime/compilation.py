"""The three compiled programs of a run: start, advance, complete."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, UInt32

from ppl.inference.program import Program, batch, typed_key, written
from ppl.runtime import ambient
from ppl.runtime.cache import Compiler

_BLOCK = 8192  # draws completed at once, at most
_SMALL = 1e9  # elementary operations, in which time compiling well takes longer than running
_TINY = 1e7  # the same, for compiling at all well


class Compiled(NamedTuple):
    """``start(arrays, key) → first``, ``advance(arrays, state, begin, end) → (state, records)``, ``complete(arrays,
    key, offset, samples [block, …]) → {"trace", "data", "outputs", "value"}``, with ``program.arrays``."""

    start: Callable[..., Any]
    advance: Callable[..., Any]
    complete: Callable[..., Any]
    block: int
    compiler: Compiler


def compiled(program: Program, fingerprint: str | None, before_compiling: Callable[[], None]) -> Compiled:
    """The programs of a run, from the cache where they are there. ``before_compiling`` is called where they are not.

    The model is traced in this thread, the longest program first, while the ones traced already are compiled in
    others."""
    block = batch(program.target, min(_BLOCK, max(1, program.kept)))
    names = ("start", "advance", f"complete {block}")
    compiler = Compiler(fingerprint and hashlib.sha256(fingerprint.encode()).hexdigest())
    found = {name: kept for name in names if (kept := compiler.load(name)) is not None}
    if len(found) < len(names):
        before_compiling()
        found = _compile(program, compiler, names, block)
    start, advance, complete = (found[name] for name in names)
    return Compiled(start, advance, complete, block, compiler)


def _compile(
    program: Program, compiler: Compiler, names: tuple[str, str, str], block: int
) -> dict[str, Callable[..., Any]]:
    start, advance, complete = names
    key = jax.ShapeDtypeStruct((2,), jnp.uint32)
    number = jax.ShapeDtypeStruct((), jnp.int32)
    state = jax.eval_shape(lambda k: program.carry(program.start(k)), key)
    samples = jax.tree.map(lambda s: jax.ShapeDtypeStruct((block, *s.shape), s.dtype), program.sample_shape())

    arrays = jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype), program.arrays)

    def completion(arrays: Any, key: UInt32[Array, " 2"], offset: Int[Array, ""], batch: Any) -> dict[str, Any]:
        bound = program.at(arrays)

        def one(i: Array, sample: Any) -> dict[str, Any]:
            execution = bound.complete(jax.random.fold_in(jax.random.fold_in(typed_key(key), 1), i), sample)
            return {
                "trace": execution.trace,
                "data": execution.data,
                "outputs": execution.outputs,
                "value": execution.value,
            }

        return jax.vmap(one)(offset + jnp.arange(block, dtype=jnp.int32), batch)

    with ThreadPoolExecutor(2) as pool:
        jobs = {}

        def submit(
            name: str, options: Callable[[Any], dict[str, Any]], function: Callable[..., Any], *args: Any
        ) -> None:
            traced = compiler.trace(name, function, arrays, *args)
            jobs[name] = pool.submit(compiler.compile, compiler.lower(name, traced, options(traced)))

        submit(
            advance,
            lambda _: _options(program.work()),
            lambda a, *args: program.at(a).advance(*args),
            state,
            number,
            number,
        )
        submit(start, lambda _: _options(0.0), lambda a, k: program.at(a).start(k), key)
        submit(complete, lambda traced: _options(written(traced.jaxpr.jaxpr)), completion, key, number, samples)
        return {name: job.result() for name, job in jobs.items()}


def _options(work: float) -> dict[str, Any]:
    """What XLA should do for a program of ``work`` elementary operations.

    On the CPU its fusion emitters double the time of compilation and halve that of large array operations, and a
    program that runs for milliseconds does not pay for any optimisation: small ones are done before that pays."""
    if ambient.device().platform != "cpu" or work > _SMALL:
        return {}
    quick = {"xla_cpu_use_fusion_emitters": False}
    return quick if work > _TINY else {**quick, "xla_backend_optimization_level": 0}
