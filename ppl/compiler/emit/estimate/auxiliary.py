"""Guides with auxiliary variables: log densities whose estimates err on the safe side.

A guide q(z, v) with ``aux v`` has the density q(z) = ∫ q(z | v) q(v) dv. For a draw (z, v₁) of it and more draws v₂ …
v_K of
q(v), 1/q̂(z) with q̂(z) = (1/K) Σ q(z | vₖ) is unbiased for 1/q(z), as v₁ is a draw of q(v | z). So E log 1/q̂ ≤ log
1/q, and an
objective that subtracts log q̂ is a lower bound that grows with K: hierarchical variational inference with the prior
of v for reverse kernel (Ranganath, Tran, Blei 2016) and its importance-weighted form (Sobolev and Vetrov 2019)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
from jax.scipy.special import logsumexp

from ppl.compiler.diagnostics.span import Span
from ppl.compiler.emit.errors import EmissionError
from ppl.compiler.emit.estimate.axes import Axis, lift, positional
from ppl.compiler.emit.estimate.terms import Terms, along, collapsed
from ppl.compiler.ir.nodes import Let, Marginal, Model, Role

if TYPE_CHECKING:
    from ppl.compiler.emit.estimate.measures import Emitted, TraceValue
    from ppl.compiler.emit.estimate.walk import Walk


def auxiliary(model: Model) -> frozenset[str]:
    """The variables that the guide has and its model has not."""
    return frozenset(s.name for s in model.sites if s.role is Role.AUX)


def marginal(walk: Walk, statement: Let, op: Marginal) -> Emitted:
    """``marginal(q, keep = Z, by = importance(K))``: the guide ``q`` with log densities of K draws of its auxiliary
    variables. EmissionError for other models, methods, or variables."""
    guide: Any = walk.read(op.target)
    code = getattr(guide, "code", None)
    if code is None or code.model.kind != "guide":
        raise EmissionError(
            "`marginal` in an objective is of its guide", statement.span, helps=("write marginal(q, …), q: Guide<Z>",)
        )
    method = op.method
    if method is None or method.name != "importance" or len(method.args) != 1 or method.kwargs:
        raise EmissionError(
            "auxiliary variables are integrated out by importance sampling alone",
            statement.span,
            helps=("write by = importance(K)",),
        )
    own = {s.name for s in code.model.sites} - auxiliary(code.model)
    named = {k for k in op.keep if any(s.name == k for s in code.model.sites)}
    if named and named != own:
        raise EmissionError(
            f"`keep` must name all variables that the guide shares with its model: {', '.join(sorted(own))}",
            statement.span,
            helps=(f"keep = ({', '.join(sorted(own))}), or keep = Z, the type of the traces",),
        )
    count = int(walk.frame({}).read(method.args[0]))
    if count < 1:
        raise EmissionError(f"importance({count}) has no draws", statement.span)
    return replace(guide, draws=count)


def with_more_draws(guide: Emitted, walk: Walk, trace: TraceValue, first: Terms, span: Span) -> Terms:
    """log (1/K) Σ q(z | vₖ), of which ``first`` is log q(z | v₁)."""
    more = Axis(guide.draws - 1)
    inner = guide.scoring(walk, trace)
    inner.fresh = auxiliary(guide.code.model)
    inner.plates = (*walk.plates, more)
    inner.around = frozenset(inner.plates)
    inner.block(guide.code.model.body)
    kept = frozenset(inner.plates)
    others = positional(along(collapsed(Terms(tuple(inner.parts), kept), span), (more,)), more)
    mean = lift(
        lambda a, b: logsumexp(jnp.concatenate([a[None], b])) - jnp.log(guide.draws),
        collapsed(first, span),
        others,
        span=span,
    )
    return Terms((mean,), frozenset(walk.plates))
