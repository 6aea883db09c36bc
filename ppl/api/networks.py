"""Networks of a fit: the modules that were given, with the arrays that were found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ppl.core.errors import UsageError

if TYPE_CHECKING:
    from ppl.api.result import Result


def trained(result: Result, name: str) -> Any:
    """The module ``name`` with its trained arrays, which the fit keeps by their places in it."""
    import jax
    import jax.numpy as jnp

    found = result.posterior.fit.params if result.posterior.fit is not None else {}
    module = result.target.externs.get(name) if result.target is not None else None
    names = sorted({n.split(".")[0].split("[")[0] for n in found} & set(result.target.externs if result.target else ()))
    if module is None or name not in names:
        raise UsageError(
            f"no network `{name}` was trained",
            notes=(f"trained: {', '.join(names) or 'none'}",),
            helps=("give an Equinox module: module.with_externs(decoder=net), and infer by ppl.vi(…)",),
        )

    def replaced(path: Any, leaf: Any) -> Any:
        array = found.get(f"{name}{jax.tree_util.keystr(path)}")
        return leaf if array is None else jnp.asarray(array)

    return jax.tree_util.tree_map_with_path(replaced, module)
