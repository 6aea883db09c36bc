"""From a traced Python function to the IR.

The statements of the model are equations with our own primitives; what stands between them is ordinary JAX code. Each
value that a statement reads becomes one call of an opaque function, made of exactly the equations that it needs, so
that the dependences between random variables stay as fine as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import supports as S
from ppl.compiler.ir import types as T
from ppl.compiler.ir.sizes import ZERO, Size
from ppl.embed import primitives as p
from ppl.embed.atoms import Names, function_of, literal, type_of
from ppl.embed.draws import distribution, draw_facts
from ppl.embed.model import is_static


@dataclass(frozen=True)
class Staged:
    """``arguments`` are the arrays of the PyTrees passed to the function, by dotted names: the model's parameters."""

    program: ir.Program
    externs: dict[str, Callable[..., Any]]
    arguments: dict[str, Any]


def stage(function: Callable[..., Any], arguments: dict[str, Any]) -> Staged:
    """Trace ``function`` once and translate what it did."""
    static = {n: v for n, v in arguments.items() if is_static(v)}
    dynamic = {n: v for n, v in arguments.items() if n not in static}
    paths, tree = jax.tree_util.tree_flatten_with_path(dynamic)
    names = [
        ".".join(str(getattr(k, "key", getattr(k, "idx", getattr(k, "name", k)))) for k in path) for path, _ in paths
    ]
    arrays = [jnp.asarray(v) for _, v in paths]
    shape: list[Any] = []

    def flat(*leaves: Any) -> list[Any]:
        value = function(**static, **jax.tree.unflatten(tree, leaves))
        out, structure = jax.tree.flatten(value)
        shape.append(structure)
        return [jnp.asarray(v) for v in out]

    with p.trace():
        closed = jax.make_jaxpr(flat)(*arrays)
    stager = Stager()
    constants = [f"constant{k}" for k in range(len(closed.consts))]
    params = [
        stager.parameter(n, v.aval)
        for n, v in zip([*constants, *names], [*closed.jaxpr.constvars, *closed.jaxpr.invars], strict=True)
    ]
    scope = stager.scope(
        (), dict(zip([*closed.jaxpr.constvars, *closed.jaxpr.invars], (q.var for q in params), strict=True))
    )
    scope.run(closed.jaxpr)
    _no_name_twice(names, stager.sites)
    results = [scope.atom(v) for v in closed.jaxpr.outvars]
    value = scope.nested(shape[-1], results) if results else None
    body = ir.Block(tuple(scope.statements), () if value is None else (value,))
    model = ir.Model(
        function.__name__,
        "model",
        (),
        tuple(params),
        getattr(value, "type", None),
        body,
        tuple(stager.sites.values()),
        tuple(stager.outputs.items()),
        doc=function.__doc__,
    )
    program = ir.Program(models=(model,), functions=tuple(stager.functions))
    return Staged(program, stager.externs, dict(zip([*constants, *names], [*closed.consts, *arrays], strict=True)))


@dataclass(frozen=True)
class Loop:
    index: ir.Var
    name: str
    length: Size


@dataclass
class Stager:
    """What grows while a function is translated."""

    names: Names = field(default_factory=Names)
    functions: list[ir.Function] = field(default_factory=list)
    externs: dict[str, Callable[..., Any]] = field(default_factory=dict)
    sites: dict[str, ir.SiteInfo] = field(default_factory=dict)
    outputs: dict[str, T.Type] = field(default_factory=dict)

    def parameter(self, name: str, aval: Any) -> ir.Parameter:
        return ir.Parameter(name, ir.Var(self.names.fresh(name), type_of(aval), level=ir.Level.DATA))

    def scope(self, loops: tuple[Loop, ...], known: dict[Any, ir.Atom]) -> Scope:
        return Scope(self, loops, dict(known))

    def extern(self, function: Callable[..., Any], inputs: list[T.Type], result: T.Type) -> ir.FunctionRef:
        """An opaque function of the program."""
        name = self.names.fresh("python")
        params = tuple(ir.Parameter(f"x{k}", ir.Var(self.names.fresh("x"), t)) for k, t in enumerate(inputs))
        self.functions.append(ir.Function(name, (), params, result, None, source=""))
        self.externs[name] = function
        return ir.FunctionRef(name, T.Function(tuple(inputs), result))


@dataclass
class Scope:
    """One block: the statements so far, the values that have names, and the equations of those that do not yet."""

    stager: Stager
    loops: tuple[Loop, ...]
    values: dict[Any, ir.Atom]
    equations: dict[Any, Any] = field(default_factory=dict)
    statements: list[ir.Stmt] = field(default_factory=list)

    def run(self, jaxpr: Any) -> None:
        for equation in jaxpr.eqns:
            if equation.primitive in p.EFFECTS:
                STATEMENTS[equation.primitive](self, equation)
            elif any(getattr(j, "eqns", None) and _has_effects(j) for j in _inner(equation)):
                raise NotImplementedError(
                    f"a statement stands inside jax {equation.primitive.name}: use ppl.plate or ppl.scan there"
                )
            else:
                for v in equation.outvars:
                    self.equations[v] = equation

    def atom(self, v: Any) -> ir.Atom:
        """The value of a variable of the trace, as one call of an opaque function if it has no name yet."""
        if hasattr(v, "val"):
            return literal(v)
        if v not in self.values:
            equations, inputs = self._slice(v)
            function = function_of(equations, inputs, v)
            atoms = [self.values[i] for i in inputs]
            ref = self.stager.extern(function, [type_of(i.aval) for i in inputs], type_of(v.aval))
            level = max((getattr(a, "level", ir.Level.CONSTANT) for a in atoms), default=ir.Level.CONSTANT)
            self.values[v] = self.let("v", type_of(v.aval), ir.Call(ref, tuple(atoms)), level)
        return self.values[v]

    def _slice(self, v: Any) -> tuple[list[Any], list[Any]]:
        """The equations that ``v`` needs, in order, and the named values that they start from."""
        needed: dict[int, Any] = {}
        inputs: dict[Any, None] = {}

        def visit(w: Any) -> None:
            if hasattr(w, "val"):
                return
            if w in self.values:
                inputs[w] = None
                return
            equation = self.equations[w]
            if id(equation) in needed:
                return
            for i in equation.invars:
                visit(i)
            needed[id(equation)] = equation

        visit(v)
        return list(needed.values()), list(inputs)

    def let(self, name: str, t: T.Type, op: ir.Op, level: ir.Level, support: S.Support = S.ANYTHING) -> ir.Var:
        var = ir.Var(self.stager.names.fresh(name), t, support, level)
        self.statements.append(ir.Let(var, op))
        return var

    def nested(self, tree: Any, atoms: list[ir.Atom]) -> ir.Atom:
        """The returned PyTree: one value, a record for a dict of values, else a tuple of its leaves."""
        if len(atoms) == 1 and jax.tree_util.treedef_is_leaf(tree):
            return atoms[0]
        keys = jax.tree.unflatten(tree, range(len(atoms)))
        if isinstance(keys, dict) and list(keys.values()) == list(range(len(atoms))):
            fields = tuple((str(k), atoms[i]) for k, i in keys.items())
            record = T.Record(tuple((n, getattr(a, "type", T.REAL)) for n, a in fields))
            return self.let("result", record, ir.MakeRecord(fields), ir.Level.CONTINUOUS)
        t = T.Tuple(tuple(getattr(a, "type", T.REAL) for a in atoms))
        return self.let("result", t, ir.MakeTuple(tuple(atoms)), ir.Level.CONTINUOUS)

    # --- statements ---

    def sample(self, e: Any) -> None:
        structure, name, role = e.params["structure"], e.params["site"], ir.Role(e.params["role"])
        operands = [self.atom(v) for v in e.invars]
        facts = draw_facts(structure, e.outvars[0].aval, operands)
        dist = distribution(self, structure, operands, facts.type)
        indices = tuple(loop.index for loop in self.loops)
        var = ir.Var(self.stager.names.fresh(name), facts.type, facts.support, facts.level)
        affine = tuple(Size.var(i.id) for i in indices)
        self.statements.append(ir.Draw(var, name, dist, role, indices, affine))
        if name in self.stager.sites:
            raise ValueError(f"two random variables are called `{name}`")
        axes = tuple(loop.name for loop in self.loops) + ("",) * len(T.shape(facts.type))
        whole = T.array(facts.type, *(loop.length for loop in self.loops))
        self.stager.sites[name] = ir.SiteInfo(name, whole, facts.support, role, facts.discrete, axes)
        self.values[e.outvars[0]] = var

    def observe(self, e: Any) -> None:
        value, *operands = [self.atom(v) for v in e.invars]
        facts = draw_facts(e.params["structure"], e.invars[0].aval, operands)
        self.statements.append(ir.Observe(value, distribution(self, e.params["structure"], operands, facts.type)))
        self.values[e.outvars[0]] = value

    def factor(self, e: Any) -> None:
        self.values[e.outvars[0]] = value = self.atom(e.invars[0])
        self.statements.append(ir.Factor(value))

    def require(self, e: Any) -> None:
        self.values[e.outvars[0]] = value = self.atom(e.invars[0])
        self.statements.append(ir.Require(value))

    def output(self, e: Any) -> None:
        self.values[e.outvars[0]] = value = self.atom(e.invars[0])
        self.statements.append(ir.Output(e.params["name"], value))
        t = type_of(e.invars[0].aval)
        self.stager.outputs[e.params["name"]] = T.array(t, *(loop.length for loop in self.loops))

    def param(self, e: Any) -> None:
        support = {"pos": S.POSITIVE, "prob": S.UNIT_INTERVAL}.get(e.params["support"], S.REALS)
        name = e.params["name"]
        var = ir.Var(self.stager.names.fresh(name), type_of(e.outvars[0].aval), support, ir.Level.CONTINUOUS)
        self.statements.append(ir.ParamStmt(var, name, self.atom(e.invars[0])))
        self.values[e.outvars[0]] = var

    def plate(self, e: Any) -> None:
        loop, scope, jaxpr = self._enter(e, carried=())
        scope.run(jaxpr)
        stacked = self._stacked(scope, jaxpr.outvars, e.outvars, loop)
        body = ir.Block(tuple(scope.statements))
        self.statements.append(ir.Plate(loop.index, ZERO, loop.length, body, stacked, axis=loop.name))

    def scan(self, e: Any) -> None:
        k = e.params["carried"]
        consts = len(e.invars) - e.params["mapped"] - k
        inits = [self.atom(v) for v in e.invars[consts : consts + k]]
        fresh = self.stager.names.fresh
        carried = tuple(
            ir.Var(fresh("c"), type_of(v.aval), level=ir.Level.CONTINUOUS) for v in e.invars[consts : consts + k]
        )
        loop, scope, jaxpr = self._enter(e, carried)
        scope.run(jaxpr)
        finals = [ir.Var(fresh("final"), c.type, level=ir.Level.CONTINUOUS) for c in carried]
        nexts = [scope.atom(v) for v in jaxpr.outvars[:k]]
        carries = tuple(ir.Carry(c, i, n, f) for c, i, n, f in zip(carried, inits, nexts, finals, strict=True))
        self.values.update(zip(e.outvars[:k], finals, strict=True))
        stacked = self._stacked(scope, jaxpr.outvars[k:], e.outvars[k:], loop)
        body = ir.Block(tuple(scope.statements))
        self.statements.append(ir.For(loop.index, ZERO, loop.length, body, carries, stacked, axis=loop.name))

    def _enter(self, e: Any, carried: tuple[ir.Var, ...]) -> tuple[Loop, Scope, Any]:
        """The block of a loop, with the values from outside, the carried ones, and the elements of the mapped
        arrays."""
        jaxpr, mapped = e.params["jaxpr"].jaxpr, e.params["mapped"]
        length = Size.const(e.params["length"])
        index = ir.Var(self.stager.names.fresh("i"), T.IndexType(length), S.Integers(0, length - 1), ir.Level.CONSTANT)
        loop = Loop(index, e.params["name"], length)
        consts = len(e.invars) - mapped - len(carried)
        known: dict[Any, ir.Atom] = dict(zip(jaxpr.invars[:consts], map(self.atom, e.invars[:consts]), strict=True))
        known.update(zip(jaxpr.invars[consts : consts + len(carried)], carried, strict=True))
        arrays = [self.atom(v) for v in e.invars[len(e.invars) - mapped :]] if mapped else []
        scope = self.stager.scope((*self.loops, loop), known)
        if not mapped:
            scope.values[jaxpr.invars[-1]] = index
        for v, array in zip(jaxpr.invars[len(jaxpr.invars) - mapped :] if mapped else [], arrays, strict=True):
            op = ir.IndexOp(array, (index,), checked=True)
            scope.values[v] = scope.let("x", type_of(v.aval), op, getattr(array, "level", ir.Level.CONSTANT))
        return loop, scope, jaxpr

    def _stacked(self, scope: Scope, inner: list[Any], outer: list[Any], loop: Loop) -> tuple[ir.Stacked, ...]:
        found = []
        for v, w in zip(inner, outer, strict=True):
            value = scope.atom(v)
            level = getattr(value, "level", ir.Level.CONSTANT)
            var = ir.Var(self.stager.names.fresh("s"), type_of(w.aval), level=level)
            found.append(ir.Stacked(var, value))
            self.values[w] = var
        return tuple(found)


STATEMENTS: dict[Any, Callable[[Scope, Any], None]] = {
    p.sample_p: Scope.sample,
    p.observe_p: Scope.observe,
    p.factor_p: Scope.factor,
    p.require_p: Scope.require,
    p.output_p: Scope.output,
    p.param_p: Scope.param,
    p.plate_p: Scope.plate,
    p.scan_p: Scope.scan,
}


def _no_name_twice(arguments: list[str], sites: dict[str, ir.SiteInfo]) -> None:
    for name in sites:
        if name in arguments:
            raise ValueError(
                f"`{name}` is both an argument and a random variable: drop the argument and give the data with "
                f'.given({name}=…), or condition on its value: ppl.observe("{name}", distribution, {name})'
            )


def _inner(equation: Any) -> list[Any]:
    found = []
    for value in equation.params.values():
        for v in value if isinstance(value, tuple | list) else (value,):
            found.append(getattr(v, "jaxpr", v))
    return found


def _has_effects(jaxpr: Any) -> bool:
    return any(
        e.primitive in p.EFFECTS or any(getattr(j, "eqns", None) and _has_effects(j) for j in _inner(e))
        for e in jaxpr.eqns
    )
