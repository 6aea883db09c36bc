"""What an objective draws from and scores: targets and guides, of the language or of Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import jax

from ppl.compiler.diagnostics.span import Span
from ppl.compiler.emit.code import Code, bind_parameters
from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.estimate import auxiliary
from ppl.compiler.emit.estimate.axes import Axis, Labelled, lift
from ppl.compiler.emit.estimate.choices import Followed
from ppl.compiler.emit.estimate.loops import in_step
from ppl.compiler.emit.estimate.terms import Terms
from ppl.compiler.emit.frame import Frame, Given, Recorded
from ppl.compiler.emit.layout import Spot
from ppl.compiler.ir.nodes import Density, Let, SimDraw
from ppl.core.objective import GuideProgram

if TYPE_CHECKING:
    from ppl.compiler.emit.estimate.walk import Walk


@dataclass(frozen=True, eq=False)
class Pieces:
    """A variable that several statements drew: ``values`` by the boxes that they fill, ``join`` to put them together.
    Pieces may be local to their own loops where the whole is not. ``ordered``: one of them is an ordered loop, so that
    the whole is in step with its times; but what was drawn before the loop does not depend on what it draws."""

    boxes: tuple[tuple[slice, ...] | None, ...]
    values: tuple[Labelled, ...]
    join: Callable[..., Labelled]
    ordered: bool = False

    def whole(self) -> Labelled:
        return self.join(*self.values)


@dataclass(frozen=True, eq=False)
class TraceValue:
    """A trace: the variables, whole or in pieces."""

    parts: Mapping[str, Labelled | Pieces]

    @property
    def sites(self) -> dict[str, Labelled]:
        return {n: self.site(n) for n in self.parts}

    def site(self, name: str) -> Labelled:
        found = self.parts[name]
        return found.whole() if isinstance(found, Pieces) else found


def sim(walk: Walk, statement: SimDraw) -> None:
    """``(z, log q) ~ sim(guide)``"""
    trace, log_density = walk.read(statement.guide).sim(walk, statement.span)
    walk.values[statement.trace.id], walk.values[statement.log_density.id] = trace, log_density


def density(walk: Walk, statement: Let, op: Density) -> Terms:
    trace = walk.read(op.trace)
    if not isinstance(trace, TraceValue):
        raise EmissionError("density takes a trace that sim has drawn", statement.span)
    return walk.read(op.target).density(walk, trace, statement.span)


@dataclass(frozen=True, eq=False)
class Emitted:
    """A model or guide of the language, applied: ``data`` says what is known of its data variables, ``params`` has the
    learnable parameters in their own spaces, ``draws`` is how many of its auxiliary variables a density takes."""

    code: Code
    externs: Mapping[str, Any]
    args: Mapping[str, Any]
    constants: Mapping[str, Any]
    params: Mapping[str, Any]
    data: tuple[dict[str, Given], dict[str, Any]] = ((), ())  # type: ignore[assignment]
    draws: int = 1

    def frame(self) -> Frame:
        frame = Frame(self.code.global_frame(dict(self.externs)))
        bind_parameters(frame, self.code.model.params, dict(self.args))
        frame.values.update(self.constants)
        return frame

    def stopped(self) -> Emitted:
        """The same, with parameters through which no derivative passes."""
        return replace(self, params=jax.lax.stop_gradient(dict(self.params)))

    def sim(self, walk: Walk, span: Span) -> tuple[TraceValue, Terms]:
        aux = auxiliary.auxiliary(self.code.model)
        inner = walk.inside(self.code, self.frame(), self.params)
        inner.unscored = aux
        inner.block(self.code.model.body)
        found = {s.name: _joined(self.code, s.name, inner.records) for s in self.code.model.sites}
        trace = TraceValue({n: v for n, v in found.items() if v is not None and n not in aux})
        terms = _terms(walk, inner)
        if aux and self.draws > 1:
            terms = auxiliary.with_more_draws(self, walk, trace, terms, span)
        return trace, terms

    def density(self, walk: Walk, trace: TraceValue, span: Span) -> Terms:
        if auxiliary.auxiliary(self.code.model):
            raise EmissionError(
                f"the guide `{self.code.model.name}` has auxiliary variables, so `density` of it would be an estimate "
                "whose logarithm errs on the wrong side",
                span,
                helps=("use the log density that `sim` gives with the draw",),
            )
        inner = self.scoring(walk, trace)
        inner.block(self.code.model.body)
        return _terms(walk, inner)

    def scoring(self, walk: Walk, trace: TraceValue) -> Walk:
        """A walk that scores a trace."""
        given, whole = dict(self.data[0]), {n: Labelled(v) for n, v in dict(self.data[1]).items()}
        known = {var: Labelled(g) for var, g in given.items()}
        for site, value in trace.parts.items():
            spots = self.code.layout.spots.get(site, ())
            if isinstance(value, Pieces):
                at = {repr(b): v for b, v in zip(value.boxes, value.values, strict=True) if b is not None}
                if all(repr(s.box) in at for s in spots):
                    known |= {s.var: _piece(at[repr(s.box)]) for s in spots}
                    if value.ordered:
                        whole[site] = value.whole()
                    continue
                value = value.whole()
            for spot in spots:
                known[spot.var] = _spread(self.code, spot, value)
            whole[site] = value
        return walk.inside(self.code, self.frame(), self.params, known, whole)


def _terms(walk: Walk, inner: Walk) -> Terms:
    return Terms(tuple(inner.parts), frozenset(walk.plates))


def _piece(value: Labelled) -> Labelled:
    return Labelled(Given(value.value), value.axes, value.deps, value.dims)


def _spread(code: Code, spot: Spot, whole: Labelled) -> Labelled:
    """What a trace says of one ``Draw``: a ``Given`` with an axis for each loop around it."""
    if not spot.index or (spot.box is not None and _covers(spot, whole)):
        return Labelled(Given(whole.value), whole.axes, whole.deps, whole.dims)
    time = whole.dims[0] if whole.dims else None
    if time is not None and time.ordered and spot.box is not None:
        return _in_time(code, spot, whole, time)
    return lift(lambda w: Given(code.layout.spread(spot, w)), whole, span=spot.draw.span)


def _in_time(code: Code, spot: Spot, whole: Labelled, time: Axis) -> Labelled:
    """A part of what an ordered loop drew: before the loop, or in it."""
    assert spot.box is not None
    if time.chain is not None:
        if not spot.loops:
            return time.chain.first(spot)
        return Labelled(Given(whole.value), whole.axes, whole.deps, whole.dims)
    cut = lift(lambda w: Given(code.layout.spread(spot, w)), replace(whole, dims=()), span=spot.draw.span)
    if not spot.loops or spot.box[0].stop != time.size:
        return lift(lambda w: Given(code.layout.spread(spot, w)), whole, span=spot.draw.span)
    return replace(cut, dims=(time,))


def _covers(spot: Spot, whole: Labelled) -> bool:
    shape = jax.tree.leaves(whole.value)[0].shape
    for k, b in enumerate(spot.box or ()):
        axis = whole.dims[k] if k < len(whole.dims) else None
        if b.start != 0 or (b.stop != shape[k] and (axis is None or axis.rows is None)):
            return False
    return True


def _joined(code: Code, site: str, records: Mapping[str, Labelled]) -> Labelled | Pieces | None:
    """The whole array of a site from the draws that made it."""
    spots = [s for s in code.layout.spots[site] if s.var in records]
    if not spots:
        return None
    first = records[spots[0].var]
    if len(spots) == 1 and first.value.present is None and (not spots[0].index or spots[0].box is not None):
        value = Labelled(first.value.value, first.axes, first.deps, first.dims)
        if not spots[0].index or _covers(spots[0], value):
            return value
    names = [s.var for s in spots]
    series = [r for n in names if (r := records[n]).dims and r.dims[0] is not None and r.dims[0].ordered]
    time = series[0].dims[0] if series else None
    if time is not None and time.chain is not None:
        return time.chain.whole
    length = code.layout.shapes[site][0] if code.layout.shapes[site] else 0

    def join(*found: Recorded) -> Any:
        return code.layout.join(site, dict(zip(names, found, strict=True)))

    found = tuple(records[n] for n in names)

    def whole(*_values: Labelled) -> Labelled:
        return in_step(lift(join, *found, span=spots[0].draw.span), series, length)

    if len(spots) == 1 or any(r.value.present is not None for r in found):
        return whole()
    values = tuple(Labelled(r.value.value, r.axes, r.deps, r.dims) for r in found)
    return Pieces(tuple(s.box for s in spots), values, whole, bool(series))


@dataclass(frozen=True, eq=False)
class Python:
    """A guide written in Python: drawn along the sample path."""

    guide: GuideProgram
    params: Any

    def stopped(self) -> Python:
        return replace(self, params=jax.lax.stop_gradient(self.params))

    def sim(self, walk: Walk, span: Span) -> tuple[TraceValue, Terms]:
        key = walk.estimator.keys.take(walk.plates)
        found = lift(lambda k: self.guide.sim(self.params, k), key, span=span)
        trace, log_q = found.value
        if walk.made is not None:
            walk.made.append(Followed())
        sites = {n: Labelled(v, found.axes, found.deps) for n, v in trace.items()}
        return TraceValue(sites), Terms((Labelled(log_q, found.axes, found.deps),), frozenset(walk.plates))

    def density(self, walk: Walk, trace: TraceValue, span: Span) -> Terms:
        names, sites = list(trace.parts), trace.sites
        log_q = lift(
            lambda *xs: self.guide.log_density(self.params, dict(zip(names, xs, strict=True))),
            *sites.values(),
            span=span,
        )
        return Terms((log_q,), frozenset(walk.plates))
