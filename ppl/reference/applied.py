"""Distribution values that are made of blocks: applied models and user-declared distributions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.supports import Interval
from ppl.reference.choices import EveryPath, FromPrior
from ppl.reference.distributions import Distribution
from ppl.reference.distributions.structured import Finite
from ppl.reference.environment import Environment, Place
from ppl.reference.errors import Unsupported
from ppl.reference.values import equal

if TYPE_CHECKING:
    from ppl.reference.context import Context


class AppliedModel(Distribution):
    """``m(args)``, with data ``given``. As a distribution it is the unnormalised measure of the returned value."""

    def __init__(
        self,
        context: Context,
        model: ir.Model,
        args: Mapping[str, Any],
        sizes: Mapping[str, int],
        given: Mapping[str, Any],
    ):
        self.context, self.model = context, model
        self.args, self.sizes, self.given = dict(args), dict(sizes), dict(given)

    def conditioned(self, given: Mapping[str, Any]) -> AppliedModel:
        return AppliedModel(self.context, self.model, self.args, self.sizes, {**self.given, **given})

    def sample(self, rng):
        from ppl.reference.run import Run

        return Run(self.context, FromPrior(rng), {}).model(self)

    def weighted_values(self) -> list[tuple[Any, float]]:
        """The returned value and log weight of every execution."""
        from ppl.reference.enumeration import every_run

        choices = EveryPath(self.context.options)
        return [
            (value, run.log_weight) for value, run in every_run(self.context, choices, {}, lambda run: run.model(self))
        ]

    def log_densities(self, x):
        weights = [lw for value, lw in self.weighted_values() if equal(value, x)]
        return np.asarray(special.logsumexp(weights) if weights else -np.inf)

    def atoms(self, tail=0.0):
        values = self.weighted_values()
        return Finite([v for v, _ in values], [lw for _, lw in values]).atoms()


class MarginalModel(Distribution):
    """``marginal(m(args), keep = …)``: the measure on the kept variables (a record), the others summed out exactly."""

    def __init__(self, target: AppliedModel, keep: tuple[str, ...]):
        self.target, self.keep = target, keep

    def sample(self, rng):
        from ppl.reference.run import Run

        run = Run(self.target.context, FromPrior(rng), {})
        run.model(self.target)
        return {name: run.latents[name].whole() for name in self.keep}

    def log_densities(self, x):
        from ppl.reference.enumeration import every_run

        context = self.target.context
        runs = every_run(context, _Kept(x, EveryPath(context.options)), {}, lambda run: run.model(self.target))
        weights = [run.log_weight for _, run in runs]
        return np.asarray(special.logsumexp(weights) if weights else -np.inf)


class _Kept(EveryPath):
    """Takes the kept variables from a trace and walks through all values of the others."""

    def __init__(self, trace: Mapping[str, Any], inner: EveryPath):
        super().__init__(inner.options)
        self.trace = trace

    def draw(self, address, distribution):
        from ppl.reference.choices import FromTrace

        if address.site in self.trace:
            return FromTrace(self.trace).draw(address, distribution)
        return super().draw(address, distribution)


class UserDistribution(Distribution):
    """A ``dist`` declaration with its arguments."""

    def __init__(self, context: Context, declared: ir.UserDist, args: Mapping[str, Any], sizes: Mapping[str, int]):
        self.context, self.declared = context, declared
        self.env = Environment(context.globals, Place(sizes=dict(sizes)))
        for p in declared.params:
            if p.name in args:
                self.env.bind(p.var, args[p.name])
            elif p.default is not None:
                self.env.bind(p.var, context.pure_run().result(p.default, self.env))
        self.event = self.env.shape(declared.event)

    def sample(self, rng):
        from ppl.reference.run import Run

        if self.declared.sample is None:
            raise Unsupported(f"`dist {self.declared.name}` has no `sample`")
        return Run(self.context, FromPrior(rng), {}).result(self.declared.sample, self.env)

    def log_densities(self, x):
        if self.declared.logpdf is None or self.declared.value is None:
            raise Unsupported(f"`dist {self.declared.name}` has no `logpdf`")
        lower, upper = self.bounds()
        if np.any(np.asarray(x) < lower) or np.any(np.asarray(x) > upper):
            return np.asarray(-np.inf)
        env = self.env.child()
        env.bind(self.declared.value, x)
        return np.asarray(self.context.pure_run().result(self.declared.logpdf, env))

    def bounds(self):
        s = self.declared.support
        return (s.lower, s.upper) if isinstance(s, Interval) else (-np.inf, np.inf)
