"""Unbiasedness of gradient estimators against the exact gradient."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from ppl.inference.validation.blocks import in_blocks
from ppl.inference.validation.certificate import Check
from ppl.inference.validation.checks.verdict import of_means
from ppl.inference.validation.fixed_n import MeanTest, test_means
from ppl.inference.validation.sequential import staged
from ppl.inference.validation.signatures import refuse, shape_of, shown


def check_gradient(
    estimator: Callable[[Any, Any], Any],
    parameters: Any,
    exact: Any,
    seed: int = 0,
    alpha: float = 1e-9,
    n: int = 20_000,
    budget: float | None = None,
    case: str = "",
    oracle: str = "exact gradient",
    claim: str = "unbiased gradient",
) -> Check:
    """``estimator(key, parameters)`` against ``exact``, both PyTrees of the parameters' structure; coordinate by
    coordinate.

    An estimator whose draws all agree (enumeration, quadrature) is compared at 1e-9. The certificate carries its
    standard deviation. Also serves for the value of an objective: a scalar estimator and a scalar ``exact``."""
    deadline = None if budget is None else time.monotonic() + budget
    expected = np.asarray(ravel_pytree(exact)[0], float)
    _require(estimator, parameters, exact, claim, case)
    compiled = jax.jit(jax.vmap(lambda key: ravel_pytree(estimator(key, parameters))[0]))
    spread = [np.nan]

    def batch(s: int, m: int) -> MeanTest:
        draws = in_blocks(compiled, s, m, n).astype(float)
        spread[0] = float(np.max(draws.std(0)))
        return test_means(draws, expected)

    result = staged(batch, seed, n, alpha, deadline=deadline)
    t = result.test
    statistic = {"coordinate": t.which, "mean": t.mean, "should be": t.expected, "z": t.z, "sd": spread[0]}
    k = len(expected)
    return of_means(result, claim, oracle, f"{k} coordinates", statistic, case, n, alpha, k)


def _require(estimator: Callable[[Any, Any], Any], parameters: Any, exact: Any, claim: str, name: str) -> None:
    """The estimate has the structure and the shapes of the exact value."""
    what = f"an estimator of an {claim}"
    helps = "an estimator is a function (key, parameters) that returns an array, or a PyTree of arrays, like `exact`"
    found = shape_of(name, what, helps, estimator, jax.random.key(0), parameters)
    needed = jax.eval_shape(lambda: jax.tree.map(jnp.asarray, exact))
    shapes = [[leaf.shape for leaf in jax.tree.leaves(tree)] for tree in (found, needed)]
    other = jax.tree.structure(found) != jax.tree.structure(needed)  # type: ignore[operator]  # jaxlib publishes no types
    if other or shapes[0] != shapes[1]:
        raise refuse(name, what, f"it returned {shown(found)}, and `exact` is {shown(needed)}", helps)
