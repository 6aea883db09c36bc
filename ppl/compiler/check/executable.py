"""What the checker accepts and the compiler can't run yet. Used by ``run`` and ``compile``, not by ``check``."""

from __future__ import annotations

from ppl.compiler.diagnostics.diagnostic import Diagnostic, Help, Label
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir import types as ty
from ppl.compiler.ir.walk import walk

Address = tuple[str, tuple, str]


def executability(program: ir.Program, model: str) -> list[Diagnostic]:
    """Every construct in reach of the model that can't be executed yet; empty if it runs."""
    target = program.model(model)
    if target.kind != "model":
        return [
            _finding(
                "E604",
                f"the {target.kind} `{model}`",
                target.span,
                f"a {target.kind} is not executable yet as the thing to run",
                Help("run a model"),
            )
        ]
    out: list[Diagnostic] = []
    for name, body, span, recursive in _reach(program, target):
        if recursive:
            out.append(
                _finding(
                    "E601",
                    f"recursion: `{name}` applies itself",
                    span,
                    "recursive",
                    Help("write the recursion as a `for` loop with a `var`"),
                )
            )
        if body is not None:
            out += _body(program, body)
    for p in target.params:
        out += _recursive_type(program, p.var.type, p.var.span)
    return list(dict.fromkeys(out))


def _finding(code: str, what: str, span: Span, label: str, *helps: Help) -> Diagnostic:
    return Diagnostic(code, f"not executable yet: {what}", Label(span, label), helps=helps)


def _reach(program: ir.Program, target: ir.Model):
    """The model with all models and functions that it uses, directly or not."""
    models = {m.name: m for m in program.models}
    functions = {f.name: f for f in program.functions}
    todo, seen = [target.name], set()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        item = models.get(name) or functions.get(name)
        if item is None:
            continue
        yield name, item.body, item.span, item.recursive
        if isinstance(item, ir.Model):
            todo += sorted(item.calls)
        if item.body is not None:
            todo += [n.name for n in walk(item.body) if isinstance(n, (ir.FunctionRef, ir.ModelRef))]


def _recursive_type(program: ir.Program, t: ty.Type, span: Span) -> list[Diagnostic]:
    kind = ty.element(t)
    found = next((s for s in program.sums if isinstance(kind, ty.Sum) and s.name == kind.name), None)
    if found is not None and found.recursive:
        return [_finding("E601", f"values of the recursive type `{found.name}`", span, "of unbounded size")]
    return []


_NESTED = {
    ir.InferOp: ("E603", "nested inference, `infer`"),
    ir.ExpectOp: ("E604", "an expectation, `expect`"),
    ir.Marginal: ("E603", "nested inference, `marginal`"),
    ir.Density: ("E604", "`density` of a target or guide"),
    ir.GivenOp: ("E603", "a conditioned model as a value, `given`"),
}


def _body(program: ir.Program, body: ir.Block) -> list[Diagnostic]:
    out = []
    for n in walk(body):
        match n:
            case ir.Let(op=op) if type(op) in _NESTED:
                code, what = _NESTED[type(op)]
                out.append(_finding(code, what, n.span, "not executable yet"))
            case ir.Let(op=ir.Closure(recursive=ir.Var())):
                out.append(_finding("E601", "recursion: a lambda applies itself", n.span, "recursive"))
            case ir.SimDraw():
                out.append(_finding("E604", "`sim` of a guide", n.span, "not executable yet"))
            case ir.ParamStmt():
                out.append(
                    _finding(
                        "E605",
                        f"the learnable parameter `{n.site}`",
                        n.span,
                        "not trained yet",
                        Help("give it a prior: `~`"),
                    )
                )
            case ir.If(then=then, otherwise=otherwise):
                out += _different(n, (then, otherwise))
            case ir.Match(cases=cases):
                out += _different(n, tuple(c.body for c in cases))
    return out


def _different(stmt: ir.If | ir.Match, blocks: tuple[ir.Block, ...]) -> list[Diagnostic]:
    """Branches that draw different random variables."""
    drawn = [_addresses(b) for b in blocks]
    all_names = set().union(*drawn)
    odd = sorted({a[0] for a in all_names if not all(a in d for d in drawn)})
    if not odd:
        return []
    names = ", ".join(f"`{n}`" for n in odd)
    return [
        _finding(
            "E602",
            f"branches that draw different random variables: {names}",
            stmt.span,
            "the trace depends on the path",
            Help("draw the variable in every branch, or before the branch"),
        )
    ]


def _addresses(block: ir.Block) -> set[Address]:
    lets = {n.var.id: n.op for n in walk(block) if isinstance(n, ir.Let)}
    out: set[Address] = set()
    for n in walk(block):
        if isinstance(n, ir.Draw):
            op = lets.get(n.dist.id) if isinstance(n.dist, ir.Var) else None
            callee = op.model.name if isinstance(op, ir.ApplyModel) and isinstance(op.model, ir.ModelRef) else ""
            out.add((n.site, n.affine, callee))
    return out
