"""Conditioned models, and models with variables integrated out: where a program may use them when it runs.

They are drawn from. Their density, or which model it is, is not known to a program otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ppl.compiler.diagnostics.diagnostic import Diagnostic, Help, Label
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.walk import statements, walk

METHODS = ("enumerate", "importance", "smc")


def unusable(program: ir.Program, body: ir.Block) -> list[Diagnostic]:
    """E603 for each ``given`` and ``marginal`` of the block that is not drawn from, or in a way that is not executable
    yet."""
    lets = {n.var.id: n for n in walk(body) if isinstance(n, ir.Let)}
    made = [n for n in lets.values() if isinstance(n.op, (ir.GivenOp, ir.Marginal))]
    if not made:
        return []
    mentioned = Counter(n.id for n in walk(body) if isinstance(n, ir.Var))
    ran = Counter(getattr(s.dist, "id", "") for s in statements(body) if isinstance(s, ir.Draw))
    passed = Counter(getattr(n.target, "id", "") for n in walk(body) if isinstance(n, (ir.GivenOp, ir.Marginal)))
    named = Counter(
        getattr(n.args[0], "id", "") for n in walk(body) if isinstance(n, ir.Prim) and n.name == "copy" and n.args
    )
    out = []
    for let in made:
        name = let.var.id
        word = "given" if isinstance(let.op, ir.GivenOp) else "marginal"
        if mentioned[name] > 1 + ran[name] + passed[name] + named[name]:
            out.append(
                _finding(let, f"`{word}` used in another way than to draw from it", f"draw from it: `x ~ …{word}…`")
            )
        out += _of_model(program, lets, let)
    return out


def _of_model(program: ir.Program, lets: dict[str, ir.Let], let: ir.Let) -> Iterator[Diagnostic]:
    applied = _applied(lets, let.op)
    model = next((m for m in program.models if applied is not None and m.name == applied), None)
    if model is None or model.kind != "model":
        yield _finding(let, "a model that is only known when the program runs", "apply the model by its name: `m(…)`")
        return
    submodels = {n.var.id for n in walk(model.body) if isinstance(n, ir.Let) and isinstance(n.op, _MODELS)}
    draws = (s for s in statements(model.body) if isinstance(s, ir.Draw))
    own = {s.site for s in draws if getattr(s.dist, "id", "") not in submodels}
    wanted = [n for n, _ in let.op.fields] if isinstance(let.op, ir.GivenOp) else list(getattr(let.op, "keep", ()))
    for name in wanted:
        if name not in own:
            text = f"`{name}` is drawn by a submodel of `{model.name}`, not by itself"
            yield _finding(let, text, f"draw `{name}` in `{model.name}`, or condition the submodel there")
    method = let.op.method if isinstance(let.op, ir.Marginal) else None
    if method is not None and method.name not in METHODS:
        yield _finding(let, f"`marginal` by {method.name}", "write `by = importance(100)`, or `by = enumerate`")


_MODELS = (ir.ApplyModel, ir.GivenOp, ir.Marginal)


def _applied(lets: dict[str, ir.Let], op: ir.Op) -> str | None:
    """The name of the model."""
    match op:
        case ir.ApplyModel(ir.ModelRef(name)):
            return name
        case ir.GivenOp(target=ir.Var(id=inner)) | ir.Marginal(ir.Var(id=inner)) | ir.Prim("copy", (ir.Var(id=inner),)):
            return _applied(lets, lets[inner].op) if inner in lets else None
    return None


def _finding(let: ir.Let, what: str, edit: str) -> Diagnostic:
    return Diagnostic(
        "E603", f"not executable yet: {what}", Label(let.span, "not executable yet"), helps=(Help(edit),)
    )
