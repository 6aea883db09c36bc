"""One execution of a program: statements in order, plain loops, every random choice asked of a handler.

This is the meaning of the IR, written to be read: no vectorisation, no caching, nothing shared with the emitter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from ppl.compiler.ir import nodes as ir
from ppl.reference import sums
from ppl.reference.applied import AppliedModel, MarginalModel
from ppl.reference.choices import Address, Choices, FromTrace, Rejected, element_of
from ppl.reference.context import Context
from ppl.reference.distributions import Distribution, element
from ppl.reference.environment import Elements, Environment, Place, bind_sizes, cast
from ppl.reference.errors import InvalidProgram, MissingValue, Unsupported
from ppl.reference.operations import Operations
from ppl.reference.values import SumValue, is_number, stack

Sites = dict[str, Elements]


class Run:
    """``log_weight`` gathers what the handler's choices, data, ``observe``, ``factor`` and ``require`` bring."""

    def __init__(
        self, context: Context, choices: Choices, data: Mapping[str, Any], params: Mapping[str, Any] | None = None
    ):
        self.context, self.choices = context, choices
        self.data, self.params = dict(data), dict(params or {})
        self.given: set[str] = set()  # sites that ``given`` conditions, whatever their role
        self.log_weight = 0.0
        self.latents: Sites = {}
        self.observed: Sites = {}
        self.outputs: Sites = {}
        self.forced: dict[str, Any] = {}  # Var id → value that a sum over it tries
        self.score: float | None = None  # inside ``sim``: the log density of what the guide draws
        self.guide_prefix = ""  # and the prefix of its draws, which its parameters do not have
        self.operations = Operations(self)

    # --- models -------------------------------------------------------------------------------------------------

    def model(
        self, applied: AppliedModel, prefix: str = "", indices: tuple[int, ...] = (), loops: tuple[int, ...] = ()
    ) -> Any:
        """Runs a model; the returned value, or a record of its random variables if it returns nothing."""
        model = applied.model
        if applied.given and indices:
            raise Unsupported(f"a conditioned model `{model.name}` in a loop")
        for site, value in applied.given.items():
            self.data[prefix + site] = value
            self.given.add(prefix + site)
        sizes = dict(applied.sizes)
        env = Environment(self.context.globals, Place(prefix, indices, loops, sizes))
        for p in model.params:
            if p.name not in applied.args:
                continue
            value = applied.args[p.name]
            if p.is_size:
                sizes[p.var.id] = int(value)
            else:
                bind_sizes(p.var.type, value, sizes)
        for info in model.sites:
            if info.role is ir.Role.DATA and not indices and prefix + info.name in self.data:
                bind_sizes(info.type, self.data[prefix + info.name], sizes)
        for p in model.params:
            if p.name in applied.args:
                env.bind(p.var, applied.args[p.name])
            elif p.default is not None:
                env.bind(p.var, self.result(p.default, env))
            elif p.is_size and p.var.id in sizes:
                env.bind(p.var, sizes[p.var.id])
            else:
                raise MissingValue(f"`{model.name}` needs its parameter `{p.name}`")
        self.statements(model.body, env)
        if model.body.results:
            return self.operations.atom(model.body.results[0], env)
        return None

    # --- weights ------------------------------------------------------------------------------------------------

    def weigh(self, log_weight: float) -> None:
        self.log_weight += float(log_weight)
        if self.log_weight == -np.inf and self.choices.stop_at_zero:
            raise Rejected

    @contextmanager
    def weighed_apart(self):
        """The weight that a part adds, kept out of the total: yields a function that tells it afterwards."""
        before, self.log_weight = self.log_weight, 0.0
        added = [-np.inf]
        try:
            yield lambda: added[0]
            added[0] = self.log_weight
        except Rejected:
            pass
        finally:
            self.log_weight = before

    # --- statements ---------------------------------------------------------------------------------------------

    def statements(self, block: ir.Block, env: Environment) -> None:
        for statement in block.statements:
            _STATEMENTS[type(statement)](self, statement, env)

    def results(self, block: ir.Block, env: Environment) -> list[Any]:
        self.statements(block, env)
        return [self.operations.atom(a, env) for a in block.results]

    def result(self, block: ir.Block, env: Environment) -> Any:
        return self.results(block, env.child())[0]

    def _let(self, s: ir.Let, env: Environment) -> None:
        env.bind(s.var, self.operations.evaluate(s.op, s.var, env))

    def _draw(self, s: ir.Draw, env: Environment) -> None:
        place = env.place
        dist = self.operations.atom(s.dist, env)
        site = place.prefix + s.site
        index = place.indices + tuple(int(self.operations.atom(i, env)) for i in s.indices)
        if isinstance(dist, AppliedModel):
            value = self.model(dist, site + ".", index, place.loops)
            env.submodels[s.var.id] = (site + ".", index)
            env.bind(s.var, value)
            return
        if isinstance(dist, MarginalModel):
            env.bind(s.var, self._marginal(dist, site + ".", index, place.loops))
            env.submodels[s.var.id] = (site + ".", index)
            return
        if s.var.id in self.forced:
            value = self.forced[s.var.id]
            self.weigh(dist.log_density(value))
            sites = self.observed if s.role is ir.Role.DATA else self.latents
        elif s.role is ir.Role.DATA or site in self.given:
            value, sites = self._data(Address(site, index), dist), self.observed
        else:
            value, sites = self._choose(Address(site, index), dist), self.latents
        env.bind(s.var, value)
        self._record(sites, site, index, cast(value, s.var.type))

    def _marginal(
        self, dist: MarginalModel, prefix: str, index: tuple[int, ...], loops: tuple[int, ...]
    ) -> dict[str, Any]:
        """Only the kept variables have addresses. Where they are given, the others are summed out; else all are
        choices."""
        if isinstance(self.choices, FromTrace):
            kept = {n: element_of(self.choices.trace[prefix + n], Address(prefix + n, index)) for n in dist.keep}
            self.weigh(dist.log_density(kept))
            for name, value in kept.items():
                self._record(self.latents, prefix + name, index, value)
            return kept
        self.model(dist.target, prefix, index, loops)
        kept = {n: self.latents[prefix + n].of[index] if index else self.latents[prefix + n].whole() for n in dist.keep}
        for name in [n for n in self.latents if n.startswith(prefix) and n.removeprefix(prefix) not in kept]:
            del self.latents[name]
        return kept

    def _choose(self, address: Address, dist: Distribution) -> Any:
        value, log_weight = self.choices.draw(address, dist)
        self.weigh(log_weight)
        if self.score is not None:
            self.score += dist.log_density(value)
        return value

    def _data(self, address: Address, dist: Distribution) -> Any:
        """Given entries are conditioned on, absent ones (NaN) are chosen: element by element in a batch."""
        if address.site not in self.data:
            return self._choose(address, dist)
        value = element_of(self.data[address.site], address)
        absent = _absent(value)
        if not absent.any():
            self.weigh(dist.log_density(value))
            return value
        if not dist.batch:
            if not np.all(absent):
                raise Unsupported(f"{address}: one draw of a vector of which only some components are given")
            return self._choose(address, dist)
        parts = [
            self._data_element(Address(address.site, address.indices + i), element(dist, i), value[i])
            for i in np.ndindex(dist.batch)
        ]
        return stack(parts).reshape(dist.batch + dist.event)

    def _data_element(self, address: Address, dist: Distribution, value: Any) -> Any:
        if np.any(_absent(value)):
            return self._choose(address, dist)
        self.weigh(dist.log_density(value))
        return value

    def _record(self, sites: Sites, site: str, index: tuple[int, ...], value: Any) -> None:
        elements = sites.setdefault(site, Elements())
        if index in elements.of and not self.forced:
            raise InvalidProgram(f"{Address(site, index)} is drawn twice")
        elements.of[index] = value

    def _observe(self, s: ir.Observe, env: Environment) -> None:
        dist, value = self.operations.atom(s.dist, env), self.operations.atom(s.value, env)
        self.weigh(dist.log_density(value))

    def _factor(self, s: ir.Factor, env: Environment) -> None:
        self.weigh(self.operations.atom(s.value, env))

    def _require(self, s: ir.Require, env: Environment) -> None:
        if not self.operations.atom(s.condition, env):
            self.weigh(-np.inf)

    def _output(self, s: ir.Output, env: Environment) -> None:
        place = env.place
        self._record(self.outputs, place.prefix + s.name, place.loops, self.operations.atom(s.value, env))

    def _param(self, s: ir.ParamStmt, env: Environment) -> None:
        site = (env.place.prefix + s.site).removeprefix(self.guide_prefix)
        env.bind(s.var, self.params[site] if site in self.params else self.operations.atom(s.init, env))

    def _sim_draw(self, s: ir.SimDraw, env: Environment) -> None:
        """The guide's latents are choices of this execution, under a prefix of their own."""
        guide = self.operations.atom(s.guide, env)
        prefix = f"{env.place.prefix}{s.trace.id}{list(env.place.loops) if env.place.loops else ''}."
        if any(site.role is ir.Role.AUX for site in guide.model.sites):
            raise Unsupported(f"sim of `{guide.model.name}`, which has auxiliary variables")
        outer, self.score, self.guide_prefix = self.score, 0.0, prefix
        self.model(guide, prefix)
        log_density, self.score, self.guide_prefix = self.score, outer, ""
        if self.score is not None:
            self.score += log_density
        trace = {name.removeprefix(prefix): e.whole() for name, e in self.latents.items() if name.startswith(prefix)}
        env.bind(s.trace, trace)
        env.bind(s.log_density, log_density)

    def _if(self, s: ir.If, env: Environment) -> None:
        block = s.then if self.operations.atom(s.condition, env) else s.otherwise
        values = self.results(block, env.child())
        for var, value in zip(s.results, values, strict=True):
            env.bind(var, value)

    def _match(self, s: ir.Match, env: Environment) -> None:
        subject = self.operations.atom(s.subject, env)
        for case in s.cases:
            if case.constructor is None or (isinstance(subject, SumValue) and case.constructor == subject.constructor):
                inner = env.child()
                for var, value in zip(case.binders, subject.args if case.constructor else (subject,), strict=False):
                    inner.bind(var, value)
                for var, value in zip(s.results, self.results(case.body, inner), strict=True):
                    env.bind(var, value)
                return
        raise InvalidProgram(f"no case for {subject}")

    def _loop(self, s: ir.Plate | ir.For | ir.Scan, env: Environment) -> None:
        """Plates, ordered loops before and after the pass ``loops``: all the same, one iteration after the other."""
        lower, upper = env.size(s.lower), env.size(s.upper)
        carries = getattr(s, "carries", ())
        carried = [self.operations.atom(c.init, env) for c in carries]
        stacked: list[list[Any]] = [[] for _ in s.stacked]
        history: dict[str, list[Any]] = {w.site: [] for w in getattr(s, "windows", ())}
        for i in range(lower, upper):
            inner = self.iteration(s, i, lower, env)
            for c, value in zip(carries, carried, strict=True):
                inner.bind(c.var, value)
            inner.windows[s.index.id] = (s, i - lower, history, env)
            self.statements(s.body, inner)
            carried = [self.operations.atom(c.next, inner) for c in carries]
            for values, one in zip(stacked, s.stacked, strict=True):
                values.append(self.operations.atom(one.value, inner))
            for w in getattr(s, "windows", ()):
                history[w.site].append(self.operations.atom(w.value, inner))
        self.after_loop(s, carries, carried, stacked, env)

    def iteration(self, s: Any, i: int, lower: int, env: Environment) -> Environment:
        """The environment of one iteration: its index and the elements mapped to it."""
        inner = env.child(replace(env.place, loops=(*env.place.loops, i - lower)))
        inner.bind(s.index, i)
        for m in getattr(s, "mapped", ()):
            inner.bind(m.var, self.operations.row(self.operations.atom(m.array, env), i + env.size(m.offset)))
        return inner

    def after_loop(self, s: Any, carries: Any, carried: list[Any], stacked: list[list[Any]], env: Environment) -> None:
        for c, value in zip(carries, carried, strict=True):
            if c.final is not None:
                env.bind(c.final, value)
        for values, one in zip(stacked, s.stacked, strict=True):
            env.bind(one.var, stack(values) if values else np.zeros(env.shape(one.var.type)))

    def _sum_out(self, s: ir.SumOut, env: Environment) -> None:
        if isinstance(self.choices, FromTrace):
            sums.sum_out(self, s, env)
        else:
            for var, value in zip(s.results, self.results(s.body, env), strict=True):
                env.bind(var, value)

    def _forward_sum(self, s: ir.ForwardSum, env: Environment) -> None:
        if isinstance(self.choices, FromTrace):
            sums.forward_sum(self, s, env)
        else:
            sums.run_chain(self, s, env)


def _absent(value: Any) -> np.ndarray:
    if is_number(value) or (isinstance(value, np.ndarray) and value.dtype.kind in "fiub"):
        return np.isnan(value)
    return np.asarray(value is None)


_STATEMENTS: dict[type, Callable[[Run, Any, Environment], None]] = {
    ir.Let: Run._let, ir.Draw: Run._draw, ir.SimDraw: Run._sim_draw, ir.Observe: Run._observe, ir.Factor: Run._factor,
    ir.Require: Run._require, ir.Output: Run._output, ir.ParamStmt: Run._param, ir.If: Run._if, ir.Match: Run._match,
    ir.Plate: Run._loop, ir.For: Run._loop, ir.Scan: Run._loop,
    ir.SumOut: Run._sum_out, ir.ForwardSum: Run._forward_sum,
}  # fmt: skip
