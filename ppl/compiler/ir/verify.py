"""The verifier: what every program in the IR must satisfy. A pass that breaks it has a bug.

Scopes and uniqueness of names are checked here; the shape of each statement in ``wellformed``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ppl.compiler.diagnostics.span import NOWHERE, Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.types import Type
from ppl.compiler.ir.walk import binders, children, definitions
from ppl.compiler.ir.wellformed import complaints


class VerifierError(Exception):
    """An internal error: a pass, or the checker, made IR that is not well formed."""

    def __init__(self, source: str, problems: list[Problem]):
        self.source, self.problems = source, problems
        super().__init__(f"internal error: {source} made an invalid program:\n" + "\n".join(f"- {p}" for p in problems))


@dataclass(frozen=True, slots=True)
class Problem:
    where: str  # the declaration
    text: str
    span: Span = NOWHERE

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


def verify(program: ir.Program, model: str | None = None) -> list[Problem]:
    """All problems of the program (of one model and the functions, if ``model`` is named); empty if it is well
    formed."""
    models = program.models if model is None else (program.model(model),)
    known = _Globals.of(program)
    problems: list[Problem] = []
    for m in models:
        v = _Verifier(m.name, known, effects=True)
        v.declaration(m.params, m.body, {s.name for s in m.sites})
        problems += v.problems
    for f in program.functions:
        v = _Verifier(f.name, known, effects=False)
        if f.body is not None:
            v.declaration(f.params, f.body)
        problems += v.problems
    for d in program.dists:
        v = _Verifier(d.name, known, effects=False)
        v.params(d.params)
        if d.logpdf is not None and d.value is not None:
            v.block(d.logpdf, v.extend(v.scope, (d.value,)))
        if d.sample is not None:
            v.effects = True
            v.block(d.sample, v.scope)
        problems += v.problems
    for var, block in program.constants:
        v = _Verifier(f"const {var.id}", known, effects=False)
        v.block(block, v.scope)
        problems += v.problems
    return problems


def check_block(block: ir.Block, given: Iterable[ir.Var] = (), *, effects: bool = True) -> list[Problem]:
    """The problems of a block by itself, in which ``given`` are in scope."""
    v = _Verifier("block", None, effects=effects)
    v.block(block, v.extend({}, tuple(given)))
    return v.problems


@dataclass(frozen=True)
class _Globals:
    functions: frozenset[str]
    models: frozenset[str]
    constants: tuple[ir.Var, ...]

    @staticmethod
    def of(program: ir.Program) -> _Globals:
        functions = frozenset(f.name for f in program.functions)
        return _Globals(functions, frozenset(m.name for m in program.models), tuple(v for v, _ in program.constants))


_Scope = dict[str, ir.Var]
_Holder = ir.Map | ir.Closure | ir.InferOp | ir.LogEvidence | ir.ExpectOp
_WITH_BLOCKS = (ir.Map, ir.Closure, ir.InferOp, ir.LogEvidence, ir.ExpectOp)


class _Verifier:
    """``loops`` are the windows of the For statements around; ``effects``: draws and conditioning are allowed here."""

    def __init__(self, where: str, known: _Globals | None, *, effects: bool):
        self.where, self.known, self.effects = where, known, effects
        self.problems: list[Problem] = []
        self.seen: set[str] = set()
        self.sites: set[str] | None = None
        self.loops: dict[str, dict[str, int]] = {}
        self.scope: _Scope = {v.id: v for v in known.constants} if known else {}

    def problem(self, text: str, span: Span = NOWHERE) -> None:
        self.problems.append(Problem(self.where, text, span))

    def declaration(self, params: tuple[ir.Parameter, ...], body: ir.Block, sites: set[str] | None = None) -> None:
        self.params(params)
        self.sites = sites
        self.block(body, self.scope)

    def params(self, params: tuple[ir.Parameter, ...]) -> None:
        for p in params:
            if p.default is not None:
                effects, self.effects = self.effects, False
                self.block(p.default, self.scope)
                self.effects = effects
            self.scope = self.extend(self.scope, (p.var,))

    def extend(self, scope: _Scope, new: tuple[ir.Var, ...], span: Span = NOWHERE) -> _Scope:
        for var in new:
            if var.id in self.seen:
                self.problem(f"`{var.id}` is defined twice", span)
            self.seen.add(var.id)
            if not isinstance(var.type, Type):
                self.problem(f"`{var.id}` has no type", span)
        return {**scope, **{v.id: v for v in new}}

    def use(self, atom, scope: _Scope, span: Span) -> None:
        match atom:
            case ir.Var(id=name):
                if name not in scope:
                    self.problem(f"`{name}` is used where it is not defined", span)
                elif scope[name].type != atom.type:
                    self.problem(f"`{name}` has type {scope[name].type} but is used as {atom.type}", span)
            case ir.ModelRef(name) if self.known and name not in self.known.models:
                self.problem(f"there is no model `{name}`", span)

    def uses(self, node, scope: _Scope, span: Span, own: frozenset[str]) -> None:
        """Atoms of a statement outside its blocks. ``own`` are the ids that the node itself defines or binds."""
        for child in children(node):
            if isinstance(child, ir.Block):
                continue
            if isinstance(child, ir.Atom):
                if not (isinstance(child, ir.Var) and child.id in own):
                    self.use(child, scope, span)
            elif not isinstance(child, ir.Case):
                self.uses(child, scope, span, own)

    def block(self, block: ir.Block, scope: _Scope) -> _Scope:
        """Checks the block; returns the scope at its end."""
        for stmt in block.statements:
            scope = self.statement(stmt, scope)
        for result in block.results:
            self.use(result, scope, NOWHERE)
        return scope

    def statement(self, stmt: ir.Stmt, scope: _Scope) -> _Scope:
        span = stmt.span
        for text in complaints(stmt, self.sites, effects=self.effects, loops=self.loops):
            self.problem(text, span)
        if isinstance(stmt, ir.Let) and isinstance(stmt.op, _WITH_BLOCKS):
            self.operation(stmt.op, scope, span)
        elif isinstance(stmt, (ir.Plate, ir.For, ir.Scan)):
            self.loop(stmt, scope)
        elif isinstance(stmt, ir.ForwardSum):
            self.forward_sum(stmt, scope)
        else:
            own = {v.id for v in definitions(stmt)} | ({stmt.var.id} if isinstance(stmt, ir.SumOut) else set())
            self.uses(stmt, scope, span, frozenset(own))
            blocks = [stmt.then, stmt.otherwise] if isinstance(stmt, ir.If) else []
            blocks += [stmt.body] if isinstance(stmt, ir.SumOut) else []
            for block in blocks:
                self.block(block, scope)
            for case in stmt.cases if isinstance(stmt, ir.Match) else ():
                self.block(case.body, self.extend(scope, case.binders, span))
        return self.extend(scope, definitions(stmt), span)

    def loop(self, stmt: ir.Plate | ir.For | ir.Scan, scope: _Scope) -> None:
        """Arrays that are mapped and initial values are read outside the loop; what is stacked or carried on,
        inside."""
        for m in getattr(stmt, "mapped", ()):
            self.use(m.array, scope, stmt.span)
        for c in getattr(stmt, "carries", ()):
            self.use(c.init, scope, stmt.span)
        windows = stmt.windows if isinstance(stmt, ir.For) else ()
        for init in (i for w in windows for i in w.init if i is not None):
            self.use(init, scope, stmt.span)
        before = self.loops
        if isinstance(stmt, ir.For):
            self.loops = {**before, stmt.index.id: {w.site: len(w.init) for w in stmt.windows}}
        inside = self.block(stmt.body, self.extend(scope, binders(stmt), stmt.span))
        self.loops = before
        for value in (*(c.next for c in getattr(stmt, "carries", ())), *(w.value for w in windows)):
            self.use(value, inside, stmt.span)
        for s in stmt.stacked:
            self.use(s.value, inside, stmt.span)

    def forward_sum(self, stmt: ir.ForwardSum, scope: _Scope) -> None:
        self.uses(stmt.values, scope, stmt.span, frozenset())
        self.block(stmt.start, scope)
        started = {**scope, **{v.id: v for v in stmt.results}}
        for read in (*(m.array for m in stmt.mapped), *(c.init for c in stmt.carries)):
            self.use(read, started, stmt.span)
        inside = self.block(stmt.body, self.extend(started, binders(stmt), stmt.span))
        for value in (*(c.next for c in stmt.carries), *(s.value for s in stmt.stacked)):
            self.use(value, inside, stmt.span)

    def operation(self, op: _Holder, scope: _Scope, span: Span) -> None:
        for m in op.mapped if isinstance(op, ir.Map) else ():
            self.use(m.array, scope, span)
        before, sites = self.effects, self.sites
        self.effects, self.sites = not isinstance(op, (ir.Map, ir.Closure)), None
        self.block(op.body, self.extend(scope, binders(op), span))
        self.effects, self.sites = before, sites
        if isinstance(op, (ir.InferOp, ir.LogEvidence)):
            for node in (op.method, op.seed):
                self.uses((node,) if node is not None else (), scope, span, frozenset())
