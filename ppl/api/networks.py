"""Networks of a fit: the modules that were given, with the arrays that were found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ppl.core.errors import UsageError

if TYPE_CHECKING:
    from ppl.api.applied import Applied
    from ppl.api.result import Result


def trained(result: Result, name: str) -> Any:
    """The module ``name`` with its trained arrays, which the fit keeps by their places in it."""
    import jax
    import jax.numpy as jnp

    found = result.posterior.fit.params if result.posterior.fit is not None else {}
    modules = {} if result.target is None else _given(result.target)
    names = sorted(n for n in modules if any(p.startswith((f"{n}.", f"{n}[")) for p in found))
    if name not in names:
        raise UsageError(
            f"no network `{name}` was trained",
            notes=(f"trained: {', '.join(names) or 'none'}",),
            helps=("give an Equinox module: module.with_externs(decoder=net), and infer by ppl.vi(…)",),
        )

    def replaced(path: Any, leaf: Any) -> Any:
        array = found.get(f"{name}{jax.tree_util.keystr(path)}")
        return leaf if array is None else jnp.asarray(array)

    return jax.tree_util.tree_map_with_path(replaced, modules[name])


def _given(applied: Applied) -> dict[str, Any]:
    """The extern functions of the model and its guides, given from Python or imported."""
    from ppl.compiler.emit.bind import extern_functions

    guides = [m for m in applied.program.models if m.kind == "guide" and m.guide_for == applied.model.name]
    found: dict[str, Any] = {}
    for model in (applied.model, *guides):
        found |= extern_functions(applied.program, model, applied.externs)
    return {name: extern.function for name, extern in found.items()}
