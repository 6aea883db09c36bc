"""Inference by sampling inside a program gets its randomness from seeds, which are random variables of the model.

``infer { … } by importance(n)`` estimates a distribution from n particles. Given a seed the estimate is a function, so
the program that draws the seeds (uniformly, as auxiliary variables) and then computes is an ordinary model: whatever
method infers its latents does so with the seeds among them, and is right for the model of n particles. A seed is drawn
where the inference stands, in front of the branches around it. Where nothing may be drawn (in a function, a lambda, a
comprehension, an enumerated block), seeds are derived from one that is drawn outside; then what is computed there
twice with equal seeds and indices uses the same random numbers.

Law: afterwards every ``infer`` by a sampling method has a seed; a program without one is unchanged."""

from __future__ import annotations

from dataclasses import replace

from ppl.compiler.diagnostics.diagnostic import Diagnostic, Help, Label
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.operations import operation
from ppl.compiler.ir.rewrite import Names, relevel, substitute
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.supports import Integers
from ppl.compiler.ir.walk import map_blocks, names, walk
from ppl.compiler.passes.base import Note, Pass, Report, reachable
from ppl.compiler.passes.particle_draws import follow_particles

SAMPLING = ("importance", "smc")
HIGHEST = 2**30

Loop = ir.Plate | ir.For | ir.Scan


def samples(op: ir.Op) -> bool:
    """Whether it is inference by a method that samples, and has no seed yet."""
    return isinstance(op, ir.InferOp) and op.seed is None and op.method is not None and op.method.name in SAMPLING


def random_functions(program: ir.Program) -> frozenset[str]:
    """The functions that infer by sampling, or mention one that does."""
    mentions = {}
    found: set[str] = set()
    for f in program.functions:
        inside = list(walk(f.body)) if f.body is not None else []
        mentions[f.name] = {n.name for n in inside if isinstance(n, ir.FunctionRef)}
        if any(isinstance(n, ir.Op) and samples(n) for n in inside):
            found.add(f.name)
    while more := {name for name, used in mentions.items() if used & found} - found:
        found |= more
    return frozenset(found)


def _run(program: ir.Program, model: str) -> tuple[ir.Program, Report]:
    functions = random_functions(program)
    wanted = reachable(program, model)
    if not functions and not any(
        isinstance(n, ir.Op) and samples(n) for m in program.models if m.name in wanted for n in walk(m.body)
    ):
        return program, ()
    seeder = _Seeder(functions)
    new = replace(
        program,
        models=tuple(seeder.model(m) if m.name in wanted else m for m in program.models),
        functions=tuple(seeder.function(f) if f.name in functions else f for f in program.functions),
    )
    return follow_particles(new, model), _notes(program, wanted)


def unseeded(program: ir.Program, model: str) -> list[Diagnostic]:
    """Inference by sampling where no seed can be drawn or passed on: E603."""
    functions = random_functions(program)
    wanted = reachable(program, model)
    bodies = [m.body for m in program.models if m.name in wanted]
    bodies += [f.body for f in program.functions if f.body is not None]
    found = []
    for body in bodies:
        called = {id(n.function) for n in walk(body) if isinstance(n, ir.Call)}
        for n in walk(body):
            if isinstance(n, ir.FunctionRef) and n.name in functions and id(n) not in called:
                text = f"`{n.name}` infers by sampling, and is passed as a value"
                found.append(_refused(text, n.span, f"write a lambda: `fn(x) => {n.name}(x)`"))
    used = {n.name for body in bodies for n in walk(body) if isinstance(n, ir.MakeDist)}
    dists = [b for d in program.dists if d.name in used for b in (d.logpdf, d.sample) if b is not None]
    defaults = [p.default for m in program.models if m.name in wanted for p in m.params if p.default is not None]
    defaults += [p.default for f in program.functions for p in f.params if p.default is not None]
    for block in (*dists, *defaults, *(b for _, b in program.constants)):
        for n in walk(block):
            if isinstance(n, ir.Let) and (samples(n.op) or _calls(n.op, functions)):
                text = "inference by sampling in a `dist`, a constant or a default"
                found.append(_refused(text, n.span, "infer in the model, and pass on what is found"))
    return list(dict.fromkeys(found))


def _calls(op: ir.Op, functions: frozenset[str]) -> bool:
    return isinstance(op, ir.Call) and isinstance(op.function, ir.FunctionRef) and op.function.name in functions


def _refused(what: str, span: Span, edit: str) -> Diagnostic:
    return Diagnostic("E603", f"not executable yet: {what}", Label(span, "not executable yet"), helps=(Help(edit),))


def _notes(program: ir.Program, wanted: frozenset[str]) -> Report:
    """One for each inference by sampling that the models run."""
    bodies = {f.name: f.body for f in program.functions if f.body is not None}
    todo = [m.body for m in program.models if m.name in wanted]
    seen: set[str] = set()
    found = []
    while todo:
        for n in walk(todo.pop()):
            if isinstance(n, ir.FunctionRef) and n.name in bodies and n.name not in seen:
                seen.add(n.name)
                todo.append(bodies[n.name])
            if isinstance(n, ir.Let) and isinstance(n.op, ir.InferOp) and samples(n.op):
                by = operation(n.op.method) if n.op.method is not None else ""
                text = f"`infer … by {by}` is an estimate: what depends on it has a bias of order 1/n"
                found.append(Note("particles", text, n.span))
    return tuple(found)


def seed_draw(
    names: Names, site: str, indices: tuple[ir.Atom, ...], affine: tuple[Size, ...]
) -> tuple[tuple[ir.Stmt, ...], ir.Var]:
    """The statements that draw a seed, and the seed."""
    ends = (("low", ir.Lit(0, ty.INT)), ("high", ir.Lit(HIGHEST, ty.INT)))
    uniform = ir.Var(names.fresh("seeds"), ty.Dist(ty.INT))
    var = ir.Var(names.fresh(site), ty.INT, Integers(), ir.Level.DISCRETE)
    draw = ir.Draw(var, site, uniform, ir.Role.AUX, indices, affine)
    return (ir.Let(uniform, ir.MakeDist("DiscreteUniform", ends)), draw), var


def seed_site(site: str, lengths: tuple[Size, ...], axes: tuple[str, ...]) -> ir.SiteInfo:
    return ir.SiteInfo(site, ty.array(ty.INT, *lengths), Integers(), ir.Role.AUX, True, axes)


class _Drawn:
    """Seeds that are drawn in front of a block inside of ``loops``. ``setup``: the statements that do so."""

    def __init__(self, seeder: _Seeder, loops: tuple[Loop, ...] = ()):
        self.seeder, self.loops = seeder, loops
        self.setup: list[ir.Stmt] = []

    def fresh(self, wish: str) -> ir.Var:
        site = f"{wish} seed"
        affine = tuple(Size.var(loop.index.id) - loop.lower for loop in self.loops)
        drawn, var = seed_draw(self.seeder.names, site, tuple(map(ir.SizeAtom, affine)), affine)
        self.setup += drawn
        lengths = tuple(loop.upper - loop.lower for loop in self.loops)
        self.seeder.sites.append(seed_site(site, lengths, tuple(loop.axis for loop in self.loops)))
        return var

    def inside(self, loop: Loop) -> _Drawn:
        return _Drawn(self.seeder, (*self.loops, loop))


class _Derived:
    """Seeds that are derived from one of ``outer`` (asked for when it is needed), or from ``seed``, by a number and the
    ``indices`` of loops."""

    def __init__(
        self,
        seeder: _Seeder,
        outer: _Drawn | _Derived | None,
        seed: ir.Var | None = None,
        indices: tuple[ir.Var, ...] = (),
    ):
        self.seeder, self.outer, self.seed, self.indices = seeder, outer, seed, indices
        self.setup: list[ir.Stmt] = []
        self.count = 0

    def fresh(self, wish: str) -> ir.Var:
        if self.seed is None:
            assert self.outer is not None
            self.seed = self.outer.fresh(wish)
        var = ir.Var(self.seeder.names.fresh(f"{wish} seed"), ty.INT, Integers(), ir.Level.DISCRETE)
        path = (ir.Lit(self.count, ty.INT), *self.indices)
        self.count += 1
        self.setup.append(ir.Let(var, ir.DeriveSeed(self.seed, path)))
        return var

    def inside(self, loop: Loop | ir.Map) -> _Derived:
        return _Derived(self.seeder, self, None, (loop.index,))


class _Seeder:
    def __init__(self, functions: frozenset[str]):
        self.functions = functions
        self.names = Names(())
        self.sites: list[ir.SiteInfo] = []
        self.raised: dict[str, ir.Atom] = {}

    def model(self, m: ir.Model) -> ir.Model:
        self.begin(names(m.body), m.params)
        body = self.owning(m.body, _Drawn(self))
        if not self.sites:
            return m
        params = tuple(p.var for p in m.params)
        return replace(m, body=relevel(substitute(body, self.raised), params), sites=m.sites + tuple(self.sites))

    def function(self, f: ir.Function) -> ir.Function:
        """With the seed as its first parameter."""
        assert f.body is not None
        self.begin(names(f.body), f.params)
        seed = ir.Var(self.names.fresh("seed"), ty.INT, Integers(), ir.Level.DISCRETE)
        body = substitute(self.owning(f.body, _Derived(self, None, seed)), self.raised)
        return replace(f, params=(ir.Parameter(seed.id, seed), *f.params), body=body)

    def begin(self, taken, params: tuple[ir.Parameter, ...]) -> None:
        self.names = Names((*taken, *(p.var.id for p in params), *(p.name for p in params)))
        self.sites, self.raised = [], {}

    def owning(self, block: ir.Block, source: _Drawn | _Derived) -> ir.Block:
        """The block with the seeds that it needs in front of it (behind the reads of earlier iterations)."""
        inside = self.block(block, source).statements
        start = next((k for k, s in enumerate(inside) if not _is_lag(s)), len(inside))
        return replace(block, statements=(*inside[:start], *source.setup, *inside[start:]))

    def block(self, block: ir.Block, source: _Drawn | _Derived) -> ir.Block:
        return replace(block, statements=tuple(self.statement(s, source) for s in block.statements))

    def statement(self, s: ir.Stmt, source: _Drawn | _Derived) -> ir.Stmt:
        match s:
            case ir.Let(var, ir.InferOp() as op) if samples(op):
                seed = source.fresh(var.id)
                body = self.owning(op.body, _Drawn(self.apart()))
                self.raise_level(var)
                return replace(s, op=replace(op, body=body, seed=seed))
            case ir.Let(var, ir.Call(ir.FunctionRef(name)) as op) if name in self.functions:
                return replace(s, op=replace(op, args=(source.fresh(var.id), *op.args)))
            case ir.Let(var, ir.Map() | ir.Closure() | ir.InferOp() as op):
                derived = _Derived(self, source, None, (op.index,) if isinstance(op, ir.Map) else ())
                new = map_blocks(op, lambda b: self.owning(b, derived))
                if derived.seed is not None:
                    self.raise_level(var)
                return replace(s, op=new)
            case ir.Plate() | ir.For() | ir.Scan():
                return replace(s, body=self.owning(s.body, source.inside(s)))
            case ir.If() | ir.Match():
                return map_blocks(s, lambda b: self.block(b, source))
        return s

    def apart(self) -> _Seeder:
        """For a block whose draws are none of the model's: the same names and levels, sites of its own."""
        other = _Seeder(self.functions)
        other.names, other.raised = self.names, self.raised
        return other

    def raise_level(self, var: ir.Var) -> None:
        if var.level < ir.Level.DISCRETE:
            self.raised[var.id] = replace(var, level=ir.Level.DISCRETE)


def _is_lag(s: ir.Stmt) -> bool:
    return isinstance(s, ir.Let) and isinstance(s.op, ir.Lag)


SEEDS = Pass("seeds", _run, "inference by sampling inside a program draws its seeds", keeps_effects=False)
