"""What the checker accepts and the compiler can't run yet. Used by ``run`` and ``compile``, not by ``check``."""

from __future__ import annotations

from ppl.compiler.check.executable_models import unusable
from ppl.compiler.diagnostics.diagnostic import Diagnostic, Help, Label
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.walk import walk


def executability(program: ir.Program, model: str, *, training: bool = False) -> list[Diagnostic]:
    """Every construct in reach of the model that can't be executed yet; empty if it runs. ``training``: by a method
    that trains its learnable parameters."""
    target = program.model(model)
    if target.kind != "model":
        return [
            Diagnostic(
                "E604",
                f"the {target.kind} `{model}` is not a program to run by itself",
                Label(target.span, f"a {target.kind}"),
                (),
                ("a guide and an objective are used by the method `vi` on a model",),
                (Help("run the model: `--method 'vi(guide=…, objective=…)'`"),),
            )
        ]
    out = [f for f in _reachable(program, target) if not (training and f.code == "E605")]
    return list(dict.fromkeys(out))


def trainability(program: ir.Program, *names: str) -> list[Diagnostic]:
    """What guides and objectives of these names use that can't be executed yet."""
    found = [f for name in names for f in _reachable(program, program.model(name))]
    return [f for f in dict.fromkeys(found) if f.code not in ("E604", "E605")]


def _reachable(program: ir.Program, target: ir.Model) -> list[Diagnostic]:
    out: list[Diagnostic] = []
    for name, body in _reach(program, target):
        if body is not None:
            out += _body(program, body)
            out += unusable(program, body)
        if name in {m.name for m in program.models}:
            out += _unlike(program.model(name))
    return out


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
        yield name, item.body
        if isinstance(item, ir.Model):
            todo += sorted(item.calls)
        if item.body is not None:
            todo += [n.name for n in walk(item.body) if isinstance(n, (ir.FunctionRef, ir.ModelRef))]


def _unlike(model: ir.Model) -> list[Diagnostic]:
    """Draws of branches whose elements could not be put together to one random variable: the checker lists none."""
    listed = {s.name for s in model.sites}
    submodels = {n.var.id for n in walk(model.body) if isinstance(n, ir.Let) and isinstance(n.op, ir.ApplyModel)}
    inside = {id(d) for n in walk(model.body) if isinstance(n, (ir.InferOp, ir.ExpectOp)) for d in walk(n)}
    out = []
    for branch in (n for n in walk(model.body) if isinstance(n, (ir.If, ir.Match)) and id(n) not in inside):
        for draw in (n for n in walk(branch) if isinstance(n, ir.Draw)):
            if draw.site in listed or getattr(draw.dist, "id", "") in submodels:
                continue
            what = f"branches that draw the elements of `{draw.site}` differently"
            help_ = Help("write the same loops and indices in both branches")
            out.append(_finding("E602", what, draw.span, "drawn here", help_))
    return out


_NESTED = {
    ir.ExpectOp: (
        "E604",
        "an expectation, `expect`, inside of a model",
        "write what is expected as an `output`: results hold its mean; or sum over the values of an "
        "`infer … by enumerate`",
    ),
    ir.Density: (
        "E604",
        "`density` of a target or guide, inside of a model",
        "run the model with its variables given, which weighs them: `x ~ m(…) given {…}`",
    ),
}


def _untrained(param: ir.ParamStmt) -> Diagnostic:
    return Diagnostic(
        "E605",
        f"the learnable parameter `{param.site}` is trained by the method `vi` alone",
        Label(param.span, "no distribution"),
        (),
        ("another method knows nothing of its value",),
        (Help("train it: `--method 'vi(…)'`"), Help("or give it a prior: `~`")),
    )


def _body(program: ir.Program, body: ir.Block) -> list[Diagnostic]:
    out = []
    for n in walk(body):
        match n:
            case ir.Let(op=ir.InferOp(method=ir.Method(name="enumerate" | "importance" | "smc"))):
                pass
            case ir.Let(op=ir.InferOp(method=method)):
                by = method.name if method is not None else "no method"
                helps = Help("write `by enumerate`: exact"), Help("or `by importance(100)`: 100 weighted particles")
                out.append(_finding("E603", f"nested inference by {by}", n.span, "not executable yet", *helps))
            case ir.Let(op=op) if type(op) in _NESTED:
                code, what, edit = _NESTED[type(op)]
                out.append(_finding(code, what, n.span, "not executable yet", Help(edit)))
            case ir.SimDraw():
                what, edit = "`sim` of a guide, inside of a model", "draw from a model: `x ~ m(…)`"
                out.append(_finding("E604", what, n.span, "not executable yet", Help(edit)))
            case ir.ParamStmt():
                out.append(_untrained(n))
    return out

