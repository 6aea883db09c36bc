"""Kernels that need to know the target: Gibbs updates by the names of variables, and a sweep over all of them."""

from __future__ import annotations

import inspect
from typing import Any

import jax
import numpy as np

from ppl.core.errors import MethodError, UsageError
from ppl.core.target import Latent, Target
from ppl.inference.kernels.base import Kernel, LogDensity
from ppl.inference.kernels.combinators import on, repeated, seq
from ppl.inference.kernels.conjugate import Family, conjugate, families_of, stick_offsets
from ppl.inference.kernels.gibbs import gibbs
from ppl.inference.kernels.named import KERNELS
from ppl.inference.kernels.slice import slice_sampler

_TRIES = 3  # traces of the prior at which a full conditional is looked at


class Bound:
    """Kernels on the traces of chains on ``target``: continuous variables in R^k, discrete ones as they are."""

    def __init__(self, target: Target, log_density: LogDensity):
        self.target, self.log_density = target, log_density
        self.latents = {v.name: v for v in target.latents}
        trace = jax.jit(self._trace)
        self.traces = [trace(jax.random.key(k)) for k in range(_TRIES)]

    def _trace(self, key: Any) -> Any:
        trace = self.target.generate(key, {}).trace
        free = self.target.unconstrain({n: trace[n] for n in self.latents})
        return free | {n: trace[n] for n, v in self.latents.items() if v.discrete}

    def kernel(self, call: Any) -> Kernel:
        """The kernel of a method expression. UsageError or MethodError for what does not fit the model."""
        made = self._made(call, False)
        if not isinstance(made, Kernel):
            raise UsageError(f"`{call.name}` alone is no kernel", helps=(f"on({call.name}(…), rw(0.5))",))
        return made

    def _made(self, call: Any, inside: bool) -> Any:
        """``inside`` of an ``on``, which says what is moved."""
        if not hasattr(call, "keywords"):
            return call
        if call.name in ("gibbs", "conjugate"):
            return self._gibbs(call)
        function = KERNELS.get(call.name)
        if function is None:
            known = ", ".join([*KERNELS, "gibbs", "conjugate"])
            notes, helps = (f"kernels: {known}",), ("kernel=rw(0.5)",)
            raise UsageError(f"there is no kernel `{call.name}`", notes=notes, helps=helps)
        within = inside or call.name == "on"
        args = [self._made(a, within) for a in call.args]
        keywords = {k: self._made(v, within) for k, v in call.keywords}
        try:
            inspect.signature(function).bind(*args, **keywords)
        except TypeError as error:
            wanted = f"{call.name}({', '.join(inspect.signature(function).parameters)})"
            raise UsageError(f"the kernel `{call.name}`: {error}", helps=(f"its parameters: {wanted}",)) from error
        made = function(*args, **keywords)
        if call.name == "on":
            self._require_known(args[0] if isinstance(args[0], tuple) else (args[0],))
        leaf = isinstance(made, Kernel) and not any(isinstance(a, Kernel) for a in args)
        discrete = [n for n, v in self.latents.items() if v.discrete]
        if leaf and not inside and discrete:
            raise UsageError(
                f"`{call.name}` moves all variables, and `{discrete[0]}` is discrete",
                helps=(f"seq(on(select(…), {call.expression()}), gibbs({discrete[0]}))",),
            )
        return made

    def _require_known(self, names: tuple[str, ...]) -> None:
        for name in names:
            if name not in self.latents:
                listed = ", ".join(self.latents)
                raise UsageError(f"the model has no variable `{name}` to move", notes=(f"its variables: {listed}",))

    def _gibbs(self, call: Any) -> Kernel:
        names = tuple(str(a) for a in call.args) or tuple(self.latents)
        self._require_known(names)
        if call.name == "gibbs":
            return gibbs({n: self._values(self.latents[n]) for n in names})
        found = self.families(names)
        for name in names:
            family = found.get(name)
            if family is None:
                raise MethodError(
                    f"the full conditional of `{name}` is of no standard family: `{name}` is not conjugate",
                    notes=("families: normal, gamma, inverse gamma, beta and Dirichlet, whatever the likelihood",),
                    helps=(f"on(select({name}), slice(1.0))",),
                )
        return self._conjugate({n: f for n, f in found.items() if f is not None})

    def _values(self, latent: Latent) -> Any:
        if not latent.discrete or latent.support_size is None:
            kind = "continuous" if not latent.discrete else "not finite"
            raise MethodError(
                f"gibbs goes over the values of a variable, and `{latent.name}` is {kind}",
                helps=(f"conjugate({latent.name})" if not latent.discrete else "--method 'mh'",),
            )
        return np.asarray(latent.support_values or range(latent.support_size))

    def families(self, names: tuple[str, ...]) -> dict[str, Family | None]:
        """The families of the full conditionals of those that are continuous."""
        sites = tuple(n for n in names if not self.latents[n].discrete)
        return families_of(self.log_density, self.traces, sites, {n: self._offset(n) for n in sites})

    def _shape(self, name: str) -> tuple[int, ...]:
        return np.shape(self.traces[0][name])

    def _offset(self, name: str) -> Any:
        return stick_offsets(self.latents[name].shape, self._shape(name))

    def _conjugate(self, families: dict[str, Family]) -> Kernel:
        return conjugate(families, {n: self._shape(n) for n in families}, {n: self._offset(n) for n in families})

    def sweep(self) -> tuple[Kernel, tuple[str, ...]]:
        """One update of every variable from its full conditional: exact where it is finite or conjugate, else by slice
        sampling; and what was done, in words."""
        found = self.families(tuple(self.latents))
        exact = {n: f for n, f in found.items() if f is not None}
        others = tuple(n for n, f in found.items() if f is None)
        discrete = {n: self._values(v) for n, v in self.latents.items() if v.discrete}
        parts: list[Kernel] = []
        notes: list[str] = []
        if discrete:
            parts.append(gibbs(discrete))
            notes.append(f"by enumeration: {', '.join(discrete)}")
        if exact:
            parts.append(self._conjugate(exact))
            notes.append("conjugate: " + ", ".join(f"{n} ({f.name})" for n, f in exact.items()))
        if others:
            elements = sum(int(np.prod(self._shape(n))) for n in others)
            parts.append(on(others, repeated(slice_sampler(), elements)))
            notes.append(f"by slice sampling: {', '.join(others)}")
        return (parts[0] if len(parts) == 1 else seq(*parts)), tuple(notes)
