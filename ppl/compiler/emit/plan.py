"""What a binding decides once: which sites inference works on, which are conditioned, which are drawn afterwards."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from ppl.compiler.emit.code import Code
from ppl.compiler.emit.frame import Given
from ppl.compiler.emit.influence import Influence, influence
from ppl.compiler.emit.layout import Layout
from ppl.compiler.emit.missing import Missing
from ppl.compiler.ir.nodes import ForwardSum, Role, SiteInfo, SumOut
from ppl.compiler.ir.supports import Booleans, Finite, Integers
from ppl.compiler.ir.types import BOOL, REAL, IndexType, element
from ppl.compiler.ir.walk import walk
from ppl.core.target import Latent, Trace


class Plan:
    """Static, and equal for bindings that compile alike. ``latents`` in the order of the program.
    ``inside``: data sites whose values are known to lie in their support."""

    def __init__(
        self,
        code: Code,
        given: frozenset[str],
        missing: dict[str, Missing],
        deferred: frozenset[str],
        inside: frozenset[str],
    ):
        self.code, self.missing, self.inside = code, missing, inside
        self.influence: Influence = influence(code.model)
        self.summed = _summed(code)
        relevant = self.influence.relevant(given)
        absent = frozenset(s.name for s in code.model.sites if s.role is Role.DATA) - given
        self.deferred = deferred | (absent - relevant)
        hidden = self.deferred | self.summed | code.determined
        self.latents = tuple(
            self._latent(s)
            for s in code.model.sites
            if (s.name not in given and s.name not in hidden) or (s.name in missing and missing[s.name].latent)
        )
        self._key = (code, given, tuple((n, m.key()) for n, m in sorted(missing.items())), self.deferred, inside)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plan) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def site(self, name: str) -> SiteInfo:
        return next(s for s in self.code.model.sites if s.name == name)

    def _latent(self, site: SiteInfo) -> Latent:
        shape = self.code.layout.shapes[site.name]
        axes = (site.axes + ("",) * len(shape))[: len(shape)]
        if site.name in self.missing:
            shape, axes = (self.missing[site.name].count,), ("",)
        size, values = self._values(site)
        kind = element(site.type)
        dtype = float if kind == REAL else bool if kind == BOOL else int
        return Latent(site.name, shape, jnp.zeros((), dtype).dtype, site.discrete, size, axes, values)

    def _values(self, site: SiteInfo) -> tuple[int | None, tuple[float, ...] | None]:
        """How many values an element can take, and which where they are not 0, 1, …"""
        sizes, kind = self.code.sizes, element(site.type)
        match site.support:
            case Booleans():
                return 2, None
            case Finite(values=values):
                return len(values), values
            case Integers(lower=lower, upper=upper, dynamic=False) if lower is not None and upper is not None:
                first = lower if isinstance(lower, int) else lower.evaluate(sizes)
                last = upper if isinstance(upper, int) else upper.evaluate(sizes)
                return last - first + 1, None if first == 0 else tuple(range(first, last + 1))
        if isinstance(kind, IndexType):
            return kind.size.evaluate(sizes), None
        return (2, None) if kind == BOOL else (None, None)

    def given(
        self, data: Trace, trace: Trace, free: Trace, layout: Layout | None = None
    ) -> tuple[dict[str, Given], dict[str, Any]]:
        """For each draw what is known of it, from the data, a trace and unconstrained values; and the whole arrays of
        the sites whose value is known everywhere. ``layout``: that of the model's draws, where passes have changed
        them since."""
        layout = layout or self.code.layout
        found: dict[str, Given] = {}
        whole: dict[str, Any] = {}
        for name, spots in layout.spots.items():
            value, free_value, mask = self._known(name, data, trace, free)
            if value is None and free_value is None:
                continue
            if mask is None and free_value is None:
                whole[name] = value
            spread = layout.spread
            for spot in spots:
                at = [None if x is None else spread(spot, x) for x in (value, free_value, mask)]
                found[spot.var] = Given(at[0], at[1], at[2], () if name in self.inside and name in data else None)
        return found, whole

    def _known(self, name: str, data: Trace, trace: Trace, free: Trace) -> tuple[Any, Any, Any]:
        absent = self.missing.get(name)
        if name in data:
            value = data[name]
            if absent is None:
                return value, None, None
            if absent.latent and name in trace:
                return value.at[absent.index].set(trace[name]), None, None
            if absent.latent and name in free:
                whole = jnp.zeros(absent.mask.shape, jnp.result_type(free[name])).at[absent.index].set(free[name])
                return value, whole, absent.mask
            return value, None, absent.mask
        if name in trace:
            return jnp.asarray(trace[name]), None, None
        if name in free:
            return (
                (jnp.asarray(free[name]), None, None)
                if self.site(name).discrete
                else (None, jnp.asarray(free[name]), None)
            )
        return None, None, None

    def entries(self, name: str, whole: Any) -> Any:
        """What a trace holds of a site, from its whole array."""
        absent = self.missing.get(name)
        return whole[absent.index] if absent is not None and absent.latent else whole


def _summed(code: Code) -> frozenset[str]:
    names: set[str] = set()
    for node in walk(code.model.body):
        if isinstance(node, SumOut):
            names.add(node.var.id)
        elif isinstance(node, ForwardSum):
            names |= {node.first.id, node.var.id}
    return frozenset(s.site for spots in code.layout.spots.values() for s in spots if s.var in names)
