"""Guides and objectives of model files, bound for the method ``vi``."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ppl.api.variational_names import Parts, declared, known_as, learns, library, named, proposal
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as T
from ppl.core.errors import MethodError, UsageError

if TYPE_CHECKING:
    from ppl.api.applied import Applied
    from ppl.api.compile import Compiled
    from ppl.inference.methods.base import Method
    from ppl.inference.methods.vi import Vi

_LOWER_BOUNDS = ("elbo", "stl", "iwelbo", "dreg", "vimco", "wake_theta", "rws", "hvi", "iwhvi", "diwhvi")
_PATHWISE = ("dreg",)  # sound where every draw is reparameterised
_LINEAR = ("elbo", "stl")  # in log p(z, y)


def bound(applied: Applied, method: Vi) -> tuple[Compiled, Method]:
    """The target for ``method``, and the method with the programs that it names. UsageError (exit code 2) for a name
    that is neither in the file nor known, and for arguments that do not fit; MethodError (3) for a guide or an
    objective that cannot be used with the model."""
    from ppl.api.compile import posterior_target, variational_target

    if getattr(method.objective, "name", "") == "smc" and not declared(applied, "smc"):
        from ppl.api.variational_smc import bound as by_particles

        return by_particles(applied, method, proposal(applied, method))
    if getattr(method.objective, "name", "") == "sleep_phi" and not declared(applied, "sleep_phi"):
        from ppl.api.variational_sleep import bound as asleep

        return asleep(applied, method, proposal(applied, method))
    parts = named(applied, method)
    if parts.guide is None:
        _require_smooth(applied)
    if parts.objective is None:
        return posterior_target(applied, marginalise=True), method
    compiled = variational_target(applied, parts.guide)
    return _completed(compiled), _with_engine(applied, method, parts, parts.objective, compiled)


def _require_smooth(applied: Applied) -> None:
    """MethodError where a latent variable reaches a discontinuity: automatic guides are differentiated along their
    draws, and such a derivative does not see a jump."""
    from ppl.compiler.ir.smoothness import discontinuity
    from ppl.compiler.ir.walk import statements

    model = applied.inlined
    for draw in (s for s in statements(model.body) if isinstance(s, ir.Draw)):
        if draw.site in applied.bound.data or T.element(draw.var.type) != T.REAL:
            continue
        jump = discontinuity(applied.program, model, None, draw)
        if jump is not None:
            raise MethodError(
                f"an automatic guide can't fit `{draw.site}`: it reaches {jump}",
                notes=(
                    "automatic guides are differentiated along their draws, and such a derivative does not see a jump: "
                    "the fit would be silently wrong",
                ),
                helps=(
                    f"write a guide that draws `{draw.site}`, and leave its strategy to the compiler: "
                    f"`guide q() for {model.name} {{ … }}`, --method 'vi(guide=q)'",
                    "or leave variational inference: --method nuts, or 'smc(10000)'",
                ),
            )


def _completed(compiled: Compiled) -> Compiled:
    """With values for the model's learnable parameters: their initial ones, until the fit knows better."""
    return replace(compiled, target=valued(compiled.target)[0])


def valued(target: Any) -> tuple[Any, dict[str, Any]]:
    """The target with its learnable parameters at their initial values, and these, unconstrained."""
    from ppl.compiler.emit.code import bind_parameters
    from ppl.compiler.emit.estimate import parameters
    from ppl.compiler.emit.frame import Frame

    model = target.plan.code.model
    if not parameters.declared(model):
        return target, {}
    frame = Frame(target.plan.code.global_frame(target.externs))
    bind_parameters(frame, model.params, target.args)
    free = parameters.initial(model, frame)
    return with_values(target, free), free


def with_values(target: Any, free: Any) -> Any:
    """The target with its learnable parameters at these unconstrained values."""
    from ppl.compiler.emit.estimate import parameters

    model = target.plan.code.model
    values = parameters.constrained(model, free)
    found = {s.var.id: values[s.site] for s in parameters.declared(model)}
    return replace(target, constants={**target.constants, **found})


def _settle(made: Any, target: Any, params: Any) -> Any:
    """``target`` with the learnable parameters and networks of a fit."""
    trained = made.at(params).target if "networks" in params else target
    return with_values(trained, params["model"]) if params["model"] else trained


def _with_engine(applied: Applied, method: Vi, parts: Parts, asked: ir.Model, compiled: Compiled) -> Method:
    from ppl.compiler.emit.estimate.networks import with_networks
    from ppl.compiler.emit.estimate.program import objective
    from ppl.inference.methods.vi import require_continuous
    from ppl.inference.variational.build import guide_of, label

    target: Any = compiled.target
    guide: Any = parts.guide
    notes: tuple[str, ...] = ()
    if guide is None:
        require_continuous(target)
        guide, why = guide_of(_completed(compiled).target, method)
        notes = (f"vi: {why}",) if why else ()
    elif getattr(method.guide, "name", "") == "auto":
        notes = (f"vi: the guide is `{guide.name}` of the file",)
    given = _guide_arguments(applied, parts.guide)
    make = partial(
        objective,
        target,
        asked,
        guide,
        {**given, **parts.arguments},
        program=applied.program,
        library=parts.library,
        minibatch=_minibatch(applied, method, asked),
        strategies=_strategies(parts.guide, method.strategies),
    )
    made, particles = make(), method.particles
    if particles > 1 and any(s.strategy == "reinforce" for s in made.strategies):
        # The engine's own average: there each estimate can be the baseline of the others.
        made, particles = make(samples=particles, leave_one_out=True), 1
    known = known_as(asked)
    if known in _PATHWISE:
        _require_pathwise(known, made.strategies)
    whole = with_networks(made)
    return method.of(
        whole,
        label(method.objective),
        known in _LOWER_BOUNDS,
        notes=notes,
        particles=particles,
        weight=_weight(applied, target, guide, given),
        settle=partial(_settle, whole) if learns(applied) else None,
    )


def _strategies(guide: ir.Model | None, given: Any) -> dict[str, Any]:
    """Strategies by variable: objects, or names of those of the compiler."""
    from ppl.compiler.emit.estimate.strategies import STRATEGIES

    if not given:
        return {}
    drawn = [] if guide is None else [s.name for s in guide.sites]
    unknown = [n for n in given if n not in drawn]
    if unknown:
        raise UsageError(
            f"`strategies` names `{unknown[0]}`, which no guide of the file draws",
            notes=(f"drawn by the guide: {', '.join(drawn) or 'nothing: it is an automatic one'}",),
        )
    wrong = [s for s in given.values() if isinstance(s, str) and s not in STRATEGIES]
    if wrong:
        raise UsageError(
            f"there is no gradient strategy `{wrong[0]}`",
            notes=(f"strategies: {', '.join(n for n in STRATEGIES if n != 'plain')}",),
        )
    return {n: STRATEGIES[s] if isinstance(s, str) else s for n, s in given.items()}


def _require_pathwise(name: str, strategies: Any) -> None:
    others = [s for s in strategies if s.strategy != "reparam"]
    if others:
        raise MethodError(
            f"`{name}` is for guides whose draws are reparameterised, and `{others[0].site}` is drawn by "
            f"{others[0].strategy}: its gradient would be biased",
            notes=(f"`{others[0].site}`: {others[0].reason}",),
            helps=("write objective=iwelbo(K)", "for discrete guides: objective=vimco(K)"),
        )


def _weight(applied: Applied, target: Any, guide: Any, given: dict[str, Any]) -> Any:
    """log γ(z)/q(z) of a draw of the guide; None where its density is that of more than z."""
    from ppl.compiler.emit.estimate.networks import with_networks
    from ppl.compiler.emit.estimate.program import objective
    from ppl.compiler.emit.estimate.strategies import STRATEGIES

    plain = {}
    if isinstance(guide, ir.Model):
        if any(s.role is ir.Role.AUX for s in guide.sites):
            return None
        plain = {s.name: STRATEGIES["plain"] for s in guide.sites}
    shelf = library()
    elbo = shelf.model("elbo")
    return with_networks(
        objective(target, elbo, guide, given, program=applied.program, library=shelf, strategies=plain)
    )


def _guide_arguments(applied: Applied, guide: ir.Model | None) -> dict[str, Any]:
    """Values for parameters of the guide that the model does not have."""
    if guide is None:
        return {}
    from ppl.runtime.data import Raw, bind_data

    sizes = {n: Raw(n, v, "sizes of the model") for n, v in applied.bound.sizes.items() if n in guide.sizes}
    return dict(bind_data(guide, {**sizes, **applied.raws}, applied.program.sums).args)


def _minibatch(applied: Applied, method: Vi, objective: ir.Model) -> dict[str, int] | None:
    """The axis of the data that ``batch`` is of, and the number of its entries in a step."""
    if method.batch is None:
        return None
    if known_as(objective) not in _LINEAR:
        raise UsageError(
            f"`batch` goes with the objective elbo, not with `{objective.name}`",
            notes=(
                "a batch gives an unbiased estimate of log p(z, y); an objective that is not linear in it, such as the "
                "logarithm of a mean of weights, would be silently biased",
            ),
            helps=("write objective=elbo", "or leave `batch` out"),
        )
    observed = [s for s in applied.inlined.sites if s.name in applied.bound.data]
    axes = {s.axes[0]: applied.bound.sizes.get(s.axes[0]) for s in observed if s.axes and s.axes[0]}
    wanted = axes.keys() if isinstance(method.batch, int) else {method.batch.name} & axes.keys()
    if len(wanted) != 1:
        raise UsageError(
            "`batch` does not say along which plate" if axes else "`batch` needs a plate of data, and there is none",
            notes=(f"plates of data: {', '.join(f'{n} ({k})' for n, k in axes.items()) or 'none'}",),
            helps=tuple(f"write batch={n}(100)" for n in axes),
        )
    (axis,) = wanted
    count = method.batch if isinstance(method.batch, int) else (method.batch.args or (0,))[0]
    whole = axes[axis]
    if not isinstance(count, int) or count < 1 or (whole is not None and count > whole):
        raise UsageError(f"`batch` is {count}, and must be a whole number from 1 to {whole}, the size of `{axis}`")
    return {axis: count}
