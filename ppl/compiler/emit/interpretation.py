"""What an evaluation does at each draw: the one place where simulation, densities and changes of variables differ.

    interpretation     a given draw              another draw       weight
    SIMULATE           (nothing is given)        sampled            factors
    GENERATE           takes its value           sampled            log density of the given values, factors
    DENSITY            takes its value           undefined          the same
    FREE_DENSITY       image of its free value   undefined          the same + log |∂z/∂u|
    CONSTRAIN          image of its free value   undefined          log |∂z/∂u|
    UNCONSTRAIN        recorded in R^k           undefined          none
    COMPLETE           takes its value           sampled            none
    PRIOR              as SIMULATE; what a path does not draw is marked, as in COMPLETE
    TERMS              as DENSITY; the log density of each draw is recorded
    VALUES             as the others, but nothing is weighed: what is known without running a loop in order

Where the data lack entries (``Given.missing``), those have density one here and are sampled where draws are sampled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import jax.numpy as jnp
import numpy as np

from ppl.compiler.emit.bijection import Change, change_of, static_change
from ppl.compiler.emit.errors import CompilerDefect
from ppl.compiler.emit.frame import Given, Recorded
from ppl.compiler.emit.trust import without_domain
from ppl.compiler.ir.nodes import Draw
from ppl.core.undefined import UNDEFINED, is_undefined


class Drawn(NamedTuple):
    value: Any
    weight: Any = None
    record: Recorded | None = None


NOT_GIVEN = Given()


@dataclass(frozen=True)
class Interpretation:
    """``samples``: draws that are not given are sampled (else undefined). ``weighs``: log densities are added up.
    ``jacobian``: so are log |∂z/∂u|. ``records``: what is kept of a draw. ``outputs``: whether outputs are computed.
    ``trusts``: latents surely lie in their supports, so that what the compiler proved of arguments holds.
    ``marks``: what a path does not draw is recorded as NaN.
    ``nested``: what is drawn are none of the model's random variables.
    ``conditions``: summed-out variables are drawn given what they explain (else from their prior, as the program
    says)."""

    name: str
    samples: bool = False
    weighs: bool = False
    jacobian: bool = False
    records: Literal["nothing", "value", "term", "free"] = "nothing"
    outputs: bool = False
    conditions: bool = True
    trusts: bool = False
    marks: bool = False
    nested: bool = False

    def values_only(self) -> Interpretation:
        return replace(
            self, name="values", samples=False, weighs=False, jacobian=False, records="nothing", outputs=False
        )

    def unscored(self) -> Interpretation:
        """For a draw that is not weighed: its value is recorded all the same."""
        return replace(self.values_only(), records="value" if self.records == "value" else "nothing")

    def draw(self, draw: Draw, dist: Any, given: Given, key: Callable[[], Any]) -> Drawn:
        """``key`` makes the key of this draw, and is only called where it is sampled."""
        value, log_det, fixed = self._value(draw, dist, given, key)
        if is_undefined(value):
            return Drawn(value)
        weights = [] if log_det is None or not self.jacobian else [log_det]
        term = None
        if fixed and self.weighs:
            inside = given.free is not None or given.inside is not None
            term = log_density(draw.site, without_domain(dist) if inside else dist, value)
            if given.missing is not None and given.free is None:
                term = jnp.where(_whole_events(given.missing, np.ndim(term)), 0.0, term)
            weights.append(jnp.sum(term) if np.ndim(term) else term)
        return Drawn(value, sum(weights[1:], weights[0]) if weights else None, self._record(draw, dist, value, term))

    def _value(self, draw: Draw, dist: Any, given: Given, key: Callable[[], Any]) -> tuple[Any, Any, bool]:
        """Value, log |∂z/∂u| (None for zero), and whether the value was given."""
        if given.free is not None:
            b = _change(draw, dist)
            if b is None:
                return UNDEFINED, None, True
            value, log_det = b.forward(given.free, given.missing)
            return value if given.missing is None else jnp.where(given.missing, value, given.value), log_det, True
        if given.value is not None and (given.missing is None or not self.samples):
            return given.value, None, True
        if not self.samples or is_undefined(dist):
            return UNDEFINED, None, False
        sample = dist.sample(key())
        if given.value is None:
            return sample, None, False
        return jnp.where(given.missing, sample, given.value), None, True

    def _record(self, draw: Draw, dist: Any, value: Any, term: Any) -> Recorded | None:
        if draw.absent and self.marks:
            return Recorded(jnp.full(jnp.shape(value), jnp.nan))
        if self.records == "value":
            return Recorded(value)
        if self.records == "term" and term is not None:
            return Recorded(term)
        if self.records == "free":
            if np.result_type(value).kind != "f":
                return Recorded(value)
            b = _change(draw, dist)
            if b is None:
                raise CompilerDefect(f"the support of {draw.site!r} is not known")
            return Recorded(b.inverse(value))
        return None


def log_density(site: str, dist: Any, value: Any) -> Any:
    """Log density at a given value, an element each of the batch."""
    if is_undefined(dist):
        raise CompilerDefect(
            f"{site!r} is given, but its distribution depends on variables that are drawn after inference"
        )
    return dist.log_prob(value)


def _change(draw: Draw, dist: Any) -> Change | None:
    return static_change(draw.var.support) if is_undefined(dist) else change_of(dist)


def _whole_events(missing: Any, batch_axes: int) -> Any:
    extra = np.ndim(missing) - batch_axes
    return missing.all(tuple(range(-extra, 0))) if extra > 0 else missing


GENERATE = Interpretation("generate", samples=True, weighs=True, records="value", outputs=True)
SIMULATE = replace(GENERATE, name="simulate", conditions=False, trusts=True)
DENSITY = Interpretation("density", weighs=True)
FREE_DENSITY = Interpretation("free density", weighs=True, jacobian=True, trusts=True)
CONSTRAIN = Interpretation("constrain", jacobian=True, records="value", trusts=True)
UNCONSTRAIN = Interpretation("unconstrain", records="free")
PRIOR = replace(SIMULATE, name="prior", marks=True)
COMPLETE = Interpretation("complete", samples=True, records="value", outputs=True, marks=True)
TERMS = Interpretation("terms", weighs=True, records="term")
