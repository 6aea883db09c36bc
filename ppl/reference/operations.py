"""Right-hand sides: what each operation of the IR gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types
from ppl.reference.applied import AppliedModel, MarginalModel, UserDistribution
from ppl.reference.choices import EveryPath, FromTrace, Rejected
from ppl.reference.distributions import Distribution, expand, make
from ppl.reference.distributions.structured import Finite
from ppl.reference.environment import Environment, bind_sizes
from ppl.reference.errors import DomainError, InvalidProgram
from ppl.reference.functions import FUNCTIONS
from ppl.reference.values import FunctionValue, SumValue, scalar, stack

if TYPE_CHECKING:
    from ppl.reference.run import Run


class Operations:
    """Evaluates atoms and operations for a run."""

    def __init__(self, run: Run):
        self.run, self.context = run, run.context

    def atom(self, atom: ir.Atom, env: Environment) -> Any:
        match atom:
            case ir.Var():
                return env.lookup(atom.id)
            case ir.Lit():
                return atom.value
            case ir.SizeAtom():
                return env.size(atom.size)
            case ir.FunctionRef():
                return self.context.function(atom.name)
            case ir.ModelRef():
                return self.context.models[atom.name]
        raise InvalidProgram(f"not an atom: {atom!r}")

    def atoms(self, atoms: tuple[ir.Atom, ...], env: Environment) -> list[Any]:
        return [self.atom(a, env) for a in atoms]

    def named(self, pairs: tuple[tuple[str, ir.Atom], ...], env: Environment) -> dict[str, Any]:
        return {name: self.atom(a, env) for name, a in pairs}

    def evaluate(self, op: ir.Op, var: ir.Var, env: Environment) -> Any:
        """``var`` receives the result: its type tells the shape of empty and assembled arrays."""
        return scalar(_OPERATIONS[type(op)](self, op, var, env))

    @staticmethod
    def row(array: Any, i: int) -> Any:
        """``array[i]``, never counted from the end."""
        if not 0 <= i < len(array):
            raise DomainError(f"index {i} of an axis of length {len(array)}")
        return array[i]

    # --- functions ----------------------------------------------------------------------------------------------

    def _prim(self, op: ir.Prim, var, env):
        args = self.atoms(op.args, env)
        with np.errstate(all="ignore"):
            return FUNCTIONS[op.name](*args)

    def _call(self, op: ir.Call, var, env):
        function = self.atom(op.function, env)
        args = self.atoms(op.args, env)
        if isinstance(function, ir.Model):
            names = [p.name for p in function.params]
            sizes = {name: env.size(size) for name, size in op.sizes}
            applied = AppliedModel(self.context, function, dict(zip(names, args, strict=False)), sizes, {})
            return self.run.model(applied, f"{env.place.prefix}{var.id}.")
        return function(*args)

    def _closure(self, op: ir.Closure, var, env):
        name = op.recursive.id if op.recursive else "fn"
        made = FunctionValue(name, lambda *args: self._apply(op, made, args, env))
        return made

    def _apply(self, op: ir.Closure, function: FunctionValue, args: tuple[Any, ...], env: Environment) -> Any:
        inner = env.child()
        for p, value in zip(op.params, args, strict=True):
            inner.bind(p, value)
        if op.recursive is not None:
            inner.bind(op.recursive, function)
        return self.run.results(op.body, inner)[0]

    # --- distributions ------------------------------------------------------------------------------------------

    def _make_dist(self, op: ir.MakeDist, var, env):
        args, batch = self.named(op.args, env), tuple(env.size(n) for n in op.batch)
        declared = self.context.dists.get(op.name)
        if declared is None:
            return make(op.name, args, batch)
        sizes = {name: env.size(size) for name, size in op.sizes}
        for p in declared.params:
            if p.is_size and p.name in args:
                sizes[p.var.id] = int(args[p.name])
        lead = _lead(declared, args, env, sizes)
        if not lead:
            for p in declared.params:
                if p.name in args and not p.is_size:
                    bind_sizes(p.var.type, args[p.name], sizes)
            return expand(UserDistribution(self.context, declared, args, sizes), batch)
        return expand(_product(self.context, declared, args, sizes, lead), batch)

    def _apply_model(self, op: ir.ApplyModel, var, env):
        model = self.atom(op.model, env)
        sizes = {name: env.size(size) for name, size in op.sizes}
        return AppliedModel(self.context, model, self.named(op.args, env), sizes, {})

    def _given(self, op: ir.GivenOp, var, env):
        return self.atom(op.target, env).conditioned(self.named(op.fields, env))

    def _marginal(self, op: ir.Marginal, var, env):
        return MarginalModel(self.atom(op.target, env), op.keep)

    def _log_prob(self, op: ir.LogProb, var, env):
        dist: Distribution = self.atom(op.dist, env)
        value = self.atom(op.value, env)
        return dist.cdf(value) if op.kind == "cdf" else dist.log_density(value)

    def _density(self, op: ir.Density, var, env):
        from ppl.reference.run import Run

        target, trace = self.atom(op.target, env), self.atom(op.trace, env)
        if isinstance(target, MarginalModel):
            return target.log_density(trace)
        run = Run(self.context, FromTrace(trace), {}, self.run.params)
        try:
            run.model(target)
        except (Rejected, DomainError):
            return -np.inf
        return run.log_weight

    # --- nested inference ---------------------------------------------------------------------------------------

    def _paths(self, block: ir.Block, env: Environment) -> list[tuple[Any, float]]:
        from ppl.reference.enumeration import every_run

        def body(run: Run) -> Any:
            values = run.results(block, env.child())
            return values[0] if values else ()

        choices = EveryPath(self.context.options)
        return [(v, r.log_weight) for v, r in every_run(self.context, choices, self.run.params, body)]

    def _infer(self, op: ir.InferOp, var, env):
        """The normalised posterior of the block's result. Every method stands for the exact one, which it
        approximates."""
        paths = self._paths(op.body, env)
        total = special.logsumexp([lw for _, lw in paths]) if paths else -np.inf
        if total == -np.inf:
            raise DomainError("infer: no execution has positive weight")
        return Finite([v for v, _ in paths], [lw - total for _, lw in paths])

    def _expect(self, op: ir.ExpectOp, var, env):
        return sum((np.exp(lw) * np.asarray(v, dtype=float) for v, lw in self._paths(op.body, env)), np.asarray(0.0))

    # --- structures ---------------------------------------------------------------------------------------------

    def _make_tuple(self, op: ir.MakeTuple, var, env):
        return tuple(self.atoms(op.elements, env))

    def _get_item(self, op: ir.GetItem, var, env):
        return self.atom(op.base, env)[op.position]

    def _make_record(self, op: ir.MakeRecord, var, env):
        return self.named(op.fields, env)

    def _get_field(self, op: ir.GetField, var, env):
        base = self.atom(op.base, env)
        if isinstance(base, dict) and op.name in base:
            return base[op.name]
        found = env.find("submodels", op.base.id) if isinstance(op.base, ir.Var) else None
        if found is None:
            raise InvalidProgram(f"no field `{op.name}`")
        prefix, index = found
        elements = (self.run.latents | self.run.observed)[prefix + op.name]
        if index in elements.of:
            return elements.of[index]
        return elements.whole()[index]

    def _make_array(self, op: ir.MakeArray, var, env):
        return stack(self.atoms(op.elements, env)) if op.elements else np.zeros(env.shape(var.type))

    def _make_sum(self, op: ir.MakeSum, var, env):
        return SumValue(op.constructor, tuple(self.atoms(op.args, env)))

    # --- arrays -------------------------------------------------------------------------------------------------

    def _index(self, op: ir.IndexOp, var, env):
        """Subscript by subscript, the last axis first, so that the positions of the earlier axes stay."""
        out = self.atom(op.base, env)
        for axis in reversed(range(len(op.subscripts))):
            s = op.subscripts[axis]
            n = out.shape[axis]
            if isinstance(s, ir.SliceAtom):
                lower = 0 if s.lower is None else env.size(s.lower)
                upper = n if s.upper is None else env.size(s.upper)
                if not 0 <= lower <= upper <= n:
                    raise DomainError(f"the slice {lower}..{upper} of an axis of length {n}")
                at: Any = slice(lower, upper)
            else:
                at = self.atom(s, env)
                if not (0 <= at < n if isinstance(at, int) else ((0 <= at) & (at < n)).all()):
                    raise DomainError(f"index {at} of an axis of length {n}")
            out = out[(slice(None),) * axis + (at,)]
        return out

    def _lag(self, op: ir.Lag, var, env):
        loop, position, history, outside = env.find("windows", op.loop)
        window = next(w for w in loop.windows if w.site == op.site)
        if position >= op.distance:
            return history[op.site][position - op.distance]
        before = window.init[op.distance - position - 1]
        return np.zeros(env.shape(var.type)) if before is None else self.atom(before, outside)

    def _assemble(self, op: ir.Assemble, var, env):
        shape = env.shape(var.type)
        if len(op.pieces) == 1 and not op.pieces[0].ranges:
            return self.atom(op.pieces[0].value, env)
        values = [np.asarray(self.atom(p.value, env)) for p in op.pieces]
        out = np.zeros(shape, dtype=np.result_type(*values) if all(v.dtype != object for v in values) else object)
        covered = np.zeros(shape, dtype=int)
        for piece, value in zip(op.pieces, values, strict=True):
            box = tuple(slice(env.size(a), env.size(b)) for a, b in piece.ranges)
            out[box] = value
            covered[box] += 1
        if not np.all(covered == 1):
            raise InvalidProgram(f"the pieces of `{op.site}` do not cover it exactly once")
        return out

    def _map(self, op: ir.Map, var, env):
        values = []
        lower = env.size(op.lower)
        for i in range(lower, env.size(op.upper)):
            inner = self.run.iteration(op, i, lower, env)
            values.append(self.run.results(op.body, inner)[0])
        return stack(values) if values else np.zeros(env.shape(var.type))


def _lead(declared: ir.UserDist, args: dict[str, Any], env: Environment, sizes: dict[str, int]) -> tuple[int, ...]:
    """Batch axes: those that the arguments have beyond the declared types."""
    shapes = []
    for p in declared.params:
        if p.name in args and not isinstance(args[p.name], Distribution | FunctionValue):
            shape = np.shape(args[p.name])
            shapes.append(shape[: len(shape) - len(types.shape(p.var.type))])
    return np.broadcast_shapes(*shapes)


def _product(
    context, declared: ir.UserDist, args: dict[str, Any], sizes: dict[str, int], lead: tuple[int, ...]
) -> Distribution:
    from ppl.reference.distributions.base import Product

    elements = np.empty(lead, dtype=object)
    for i in np.ndindex(lead):
        own = {}
        for p in declared.params:
            if p.name in args:
                value = args[p.name]
                own[p.name] = value[i] if np.ndim(value) > len(types.shape(p.var.type)) else value
        elements[i] = UserDistribution(context, declared, own, sizes)
    return Product(elements)


_OPERATIONS: dict[type, Callable[[Operations, Any, ir.Var, Environment], Any]] = {
    ir.Prim: Operations._prim, ir.Call: Operations._call, ir.Closure: Operations._closure,
    ir.MakeDist: Operations._make_dist, ir.ApplyModel: Operations._apply_model, ir.GivenOp: Operations._given,
    ir.Marginal: Operations._marginal, ir.InferOp: Operations._infer, ir.ExpectOp: Operations._expect,
    ir.Density: Operations._density, ir.LogProb: Operations._log_prob,
    ir.MakeTuple: Operations._make_tuple, ir.GetItem: Operations._get_item,
    ir.MakeRecord: Operations._make_record, ir.GetField: Operations._get_field,
    ir.MakeArray: Operations._make_array, ir.MakeSum: Operations._make_sum,
    ir.IndexOp: Operations._index, ir.Lag: Operations._lag, ir.Assemble: Operations._assemble, ir.Map: Operations._map,
}  # fmt: skip
