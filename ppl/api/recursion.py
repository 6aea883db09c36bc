"""What is said where a recursion may have gone deeper than its stack: NaN has no place in the program by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.recursion import group
from ppl.compiler.ir.walk import walk
from ppl.compiler.passes.base import reachable

if TYPE_CHECKING:
    from ppl.inference.run import Posterior


def recursive_functions(program: ir.Program, model: str) -> tuple[str, ...]:
    """The functions and lambdas that apply themselves, of those that running ``model`` may run."""
    functions = {f.name: f for f in program.functions}
    todo: list = [m.body for m in program.models if m.name in reachable(program, model)]
    found: dict[str, None] = {}
    seen: set[str] = set()
    while todo:
        for n in walk(todo.pop()):
            if isinstance(n, ir.Closure) and n.recursive is not None:
                found[n.recursive.id] = None
            if isinstance(n, ir.FunctionRef) and n.name in functions and n.name not in seen:
                seen.add(n.name)
                todo += [functions[n.name].body] if functions[n.name].body is not None else []
                found |= {n.name: None} if group(program, n.name) else {}
    return tuple(found)


def limits(names: tuple[str, ...]) -> str:
    """Which functions have no value from what depth on."""
    from ppl.compiler.emit.recursion.machine import DEPTH, STEPS
    from ppl.compiler.emit.room import MADE

    listed = ", ".join(f"`{n}`" for n in names)
    applies = "applies itself" if len(names) == 1 else "apply themselves"
    return (
        f"{listed} {applies}: a value that needs a depth of more than {DEPTH}, more than {STEPS} steps, or more than "
        f"{MADE} nodes (beyond the data's) is NaN, and so is the density"
    )


@contextmanager
def explained(program: ir.Program, model: str) -> Iterator[None]:
    """Numerical errors also name the recursive functions, which may be where a NaN came from."""
    from ppl.core.errors import NumericalError

    try:
        yield
    except NumericalError as e:
        names = recursive_functions(program, model)
        if names:
            e.notes += (limits(names),)
            e.helps += ("end the recursion earlier, or write it as a `for` loop or a tail call: these need no stack",)
        raise


def without_value(program: ir.Program, model: str, posterior: Posterior) -> Iterator[str]:
    """Outputs that a recursion gave no value: integers have no NaN, the smallest stands for it."""
    import numpy as np

    names = recursive_functions(program, model)
    for name, array in posterior.outputs.items() if names else ():
        kind = getattr(array, "dtype", np.dtype(object)).kind
        lost = np.isnan(array) if kind == "f" else array == np.iinfo(array.dtype).min if kind == "i" else np.zeros(1)
        if np.any(lost):
            yield f"`{name}` has no value in {np.mean(lost):.1%} of its entries: {limits(names)}"
