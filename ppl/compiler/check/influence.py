"""Which random variables the data, outputs and results of a model depend on."""

from __future__ import annotations

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.nodes import Role
from ppl.compiler.ir.walk import statements, walk


class Influence:
    """``informed``: sites that something observed, kept or returned depends on; ``predictive``: sites that depend on an
    informed one; ``read``: sites whose value is used at all; ``conditions``: whether the model has data or
    conditions."""

    def __init__(self, program: ir.Program, model: ir.Model):
        self.models = {m.name: m for m in program.models}
        self.depends: dict[str, set[str]] = {}
        self.drawn: dict[str, set[str]] = {}  # variables of a site
        self.sinks: set[str] = set()
        self.used: set[str] = set()  # what stands in a computation or distribution
        self.conditions = False
        self._block(model.body, set())
        self.sinks |= _ids(model.body.results)
        reached = self._closure(self.sinks)
        of = {v: s for s, variables in self.drawn.items() for v in variables}
        self.informed = {of[v] for v in reached if v in of}
        used = self._closure(self.used)
        self.read = {s for s, variables in self.drawn.items() if any(v in used for v in variables)}
        self.predictive = {
            s
            for s, variables in self.drawn.items()
            if any(of.get(v) in self.informed for v in self._closure(set(variables)))
        }

    def _closure(self, start: set[str]) -> set[str]:
        seen, todo = set(start), list(start)
        while todo:
            for v in self.depends.get(todo.pop(), ()):
                if v not in seen:
                    seen.add(v)
                    todo.append(v)
        return seen

    def _note(self, var: ir.Var, ids: set[str]) -> None:
        self.depends.setdefault(var.id, set()).update(ids)

    def _block(self, block: ir.Block, control: set[str]) -> None:
        """``control``: what decides whether the block runs."""
        for stmt in block.statements:
            self._statement(stmt, control)

    def _statement(self, stmt: ir.Stmt, control: set[str]) -> None:
        match stmt:
            case ir.Let():
                self._note(
                    stmt.var, _ids(stmt.op) | ({f"site {stmt.op.site}"} if isinstance(stmt.op, ir.Lag) else set())
                )
                if not isinstance(stmt.op, (ir.Assemble, ir.MakeArray)):
                    self.used |= _ids(stmt.op)
                for n in walk(stmt.op):
                    if isinstance(n, ir.Block):
                        self._block(n, control)
                    elif isinstance(n, ir.MappedRead):
                        self._note(n.var, _ids(n.array))
                if isinstance(stmt.op, ir.GivenOp):
                    self.sinks |= _ids(stmt.op)
                    self.conditions = True
                if isinstance(stmt.op, ir.ApplyModel) and self._has_data(stmt.op.model):
                    self.sinks |= _ids(tuple(a for _, a in stmt.op.args))
                    self.conditions = True
            case ir.Draw():
                self._draw(stmt, control)
            case ir.Observe() | ir.Factor() | ir.Require():
                self.sinks |= _ids(stmt) | control
                self.conditions = True
            case ir.Output():
                self.sinks |= _ids(stmt)
            case ir.If():
                self._branch(stmt.results, _ids(stmt.condition) | control, (stmt.then, stmt.otherwise))
            case ir.Match():
                for c in stmt.cases:
                    for b in c.binders:
                        self._note(b, _ids(stmt.subject))
                self._branch(stmt.results, _ids(stmt.subject) | control, tuple(c.body for c in stmt.cases))
            case ir.Plate() | ir.For():
                self._loop(stmt, control)

    def _draw(self, stmt: ir.Draw, control: set[str]) -> None:
        self._note(stmt.var, _ids(stmt.dist) | control)
        if stmt.role is Role.DATA:
            self.sinks |= _ids(stmt.dist) | control
            self.conditions = True
        else:
            self.drawn.setdefault(stmt.site, set()).add(stmt.var.id)
        self.depends.setdefault(f"site {stmt.site}", set()).add(stmt.var.id)

    def _has_data(self, model: ir.Atom) -> bool:
        found = self.models.get(model.name) if isinstance(model, ir.ModelRef) else None
        if found is None:
            return True
        return any(
            isinstance(s, (ir.Observe, ir.Factor, ir.Require)) or (isinstance(s, ir.Draw) and s.role is Role.DATA)
            for s in statements(found.body)
        )

    def _branch(self, results: tuple[ir.Var, ...], control: set[str], blocks: tuple[ir.Block, ...]) -> None:
        for b in blocks:
            self._block(b, control)
            for var, atom in zip(results, b.results, strict=False):
                self._note(var, _ids(atom) | control)

    def _loop(self, stmt: ir.Plate | ir.For, control: set[str]) -> None:
        for m in getattr(stmt, "mapped", ()):
            self._note(m.var, _ids(m.array))
        for c in getattr(stmt, "carries", ()):
            self._note(c.var, _ids((c.init, c.next)))
            if c.final is not None:
                self._note(c.final, _ids((c.init, c.next)))
        for w in getattr(stmt, "windows", ()):
            self.depends.setdefault(f"site {w.site}", set()).update(
                _ids(w.value), *(_ids(i) for i in w.init if i is not None)
            )
        self._block(stmt.body, control)
        for s in stmt.stacked:
            self._note(s.var, _ids(s.value))


def _ids(node) -> set[str]:
    return {n.id for n in walk(node) if isinstance(n, ir.Var)}
