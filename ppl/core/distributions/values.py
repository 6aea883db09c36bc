"""The values that a distribution can take, where they are finitely many and known."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from jaxtyping import Array

from ppl.core.distributions.arguments import is_concrete
from ppl.core.distributions.mixture import Mixture, ZeroInflated
from ppl.core.distributions.tails import core
from ppl.core.distributions.truncated import Truncated


def support_values(d: dist.Distribution) -> Array | None:
    """All values of one element of a draw, shape (S,), or None where they are infinitely many, or known only at run
    time.

    With arguments that differ between elements it is the union: some values may have probability zero in some
    elements."""
    d = core(d)
    match d:
        case Mixture(components=tuple(components)):
            return _union([support_values(c) for c in components])
        case Mixture(components=components):
            return support_values(components)
        case ZeroInflated(base=base):
            return _union([jnp.zeros((1,), int), support_values(base)])
        case Truncated(base=base, lower=lower, upper=upper):
            if not (d.support.is_discrete and is_concrete(lower) and is_concrete(upper)):
                return None
            inner = support_values(base)
            low, high = np.min(lower), np.max(upper)
            if inner is None:
                return jnp.arange(int(low), int(high) + 1) if np.isfinite(high) and np.isfinite(low) else None
            values = np.asarray(inner)
            return jnp.asarray(values[(values >= low) & (values <= high)])
    return d.support_values() if hasattr(d, "support_values") else None


def _union(parts: list[Array | None]) -> Array | None:
    if any(p is None or not is_concrete(p) for p in parts):
        return None
    return jnp.asarray(np.unique(np.concatenate([np.asarray(p) for p in parts])))
