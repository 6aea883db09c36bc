"""Data with absent entries.

Where nothing that is scored reads the variable, the absent entries have density one and are drawn after inference.
Where something reads it (an autoregression), they are latent variables: the trace holds them under the site's name,
as a vector in row-major order.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np

from ppl.compiler.ir.distributions import DISTRIBUTIONS
from ppl.compiler.ir.nodes import Let, MakeDist, Model, SiteInfo
from ppl.compiler.ir.supports import Interval
from ppl.compiler.ir.walk import walk


@dataclass(frozen=True, eq=False)
class Missing:
    """``mask`` marks the absent entries of a site; ``latent`` says that inference works on them."""

    mask: np.ndarray
    latent: bool

    @property
    def index(self) -> tuple[np.ndarray, ...]:
        return np.nonzero(self.mask)

    @property
    def count(self) -> int:
        return int(self.mask.sum())

    def key(self) -> tuple[bytes, tuple[int, ...], bool]:
        return np.packbits(self.mask).tobytes(), self.mask.shape, self.latent


def filled(array: np.ndarray, mask: np.ndarray, site: SiteInfo) -> np.ndarray:
    """The array with a harmless value in place of absent entries: one that was observed, or one inside the support."""
    observed = array[~mask]
    if observed.size:
        safe = observed.flat[0]
    else:
        s = site.support
        safe = 0
        if isinstance(s, Interval) and -inf < s.lower:
            safe = 0.5 * (s.lower + s.upper) if s.upper < inf else s.lower + 1
        elif isinstance(s, Interval) and s.upper < inf:
            safe = s.upper - 1
    return np.where(mask, np.asarray(safe, array.dtype), array)


def splits_events(model: Model, site: str, mask: np.ndarray, addressed: int) -> bool:
    """Whether some event of the site is absent in part: then its density is not that of independent entries."""
    rows = mask.reshape(mask.shape[:addressed] + (-1,))
    if (rows.all(-1) == rows.any(-1)).all():
        return False
    return not _scalar_draws(model, site)


def _scalar_draws(model: Model, site: str) -> bool:
    names = {s.var.id: s.op.name for s in walk(model.body) if isinstance(s, Let) and isinstance(s.op, MakeDist)}
    draws = [n for n in walk(model.body) if getattr(n, "site", None) == site and hasattr(n, "dist")]
    signatures = [DISTRIBUTIONS.get(names.get(getattr(d.dist, "id", ""), "")) for d in draws]
    return all(s is not None and not s.event and not s.combinator for s in signatures)
