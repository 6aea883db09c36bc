"""``infer { … }`` inside a model becomes the application of a function whose body it is.

What nested inference draws is none of the model's random variables; as a function's body it is out of the way of all
that asks for those. The function's parameters are the variables that the block reads from outside. The evidence of a
submodel, which inlining makes, goes the same way.

Law: the density is unchanged; afterwards no ``InferOp`` and no ``LogEvidence`` stands in the body of a model, but in
those of functions."""

from __future__ import annotations

from dataclasses import replace

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.sizes import Size
from ppl.compiler.ir.types import Function as FunctionType
from ppl.compiler.ir.walk import defined_inside, map_blocks, names, walk
from ppl.compiler.passes.base import Note, Pass, Report, reachable


def _run(program: ir.Program, model: str) -> tuple[ir.Program, Report]:
    lifted: list[ir.Function] = []
    notes: list[Note] = []
    constants = frozenset(v.id for v, _ in program.constants)

    def statement(stmt: ir.Stmt, owner: ir.Model) -> ir.Stmt:
        if not (isinstance(stmt, ir.Let) and isinstance(stmt.op, (ir.InferOp, ir.LogEvidence))):
            return map_blocks(stmt, lambda b: block(b, owner))
        function = _function(stmt, f"{_word(stmt.op)} {owner.name} {len(lifted) + 1}", constants)
        lifted.append(function)
        if owner.name == model and stmt.op.seed is None:
            notes.append(Note("nested", "nested inference: every outcome is visited, exactly", stmt.span))
        type_ = FunctionType(tuple(p.var.type for p in function.params), stmt.var.type)
        sizes = tuple((s, Size.var(s)) for s in function.sizes)
        call = ir.Call(ir.FunctionRef(function.name, type_), tuple(p.var for p in function.params), sizes)
        return replace(stmt, op=call)

    def block(b: ir.Block, owner: ir.Model) -> ir.Block:
        return ir.Block(tuple(statement(s, owner) for s in b.statements), b.results)

    wanted = reachable(program, model)
    models = tuple(replace(m, body=block(m.body, m)) if m.name in wanted else m for m in program.models)
    if not lifted:
        return program, ()
    return replace(program, models=models, functions=program.functions + tuple(lifted)), tuple(notes)


def _word(op: ir.Op) -> str:
    return "infer" if isinstance(op, ir.InferOp) else "evidence"


def _function(stmt: ir.Let, name: str, constants: frozenset[str]) -> ir.Function:
    inside = defined_inside(stmt.op)
    read = {n.id: n for n in walk(stmt.op) if isinstance(n, ir.Var) and n.id not in inside | constants}
    sizes = tuple(dict.fromkeys(n for n in names(stmt.op) if n not in read and n not in inside | constants))
    params = tuple(ir.Parameter(v.id, v) for v in read.values())
    return ir.Function(name, sizes, params, stmt.var.type, ir.Block((stmt,), (stmt.var,)), span=stmt.span)


LIFT_INFER = Pass(
    "lift_infer", _run, "nested inference becomes the application of a function", keeps_effects=False
)
LIFT_EVIDENCE = Pass(
    "lift_evidence", _run, "the evidence of a submodel becomes the application of a function", keeps_effects=False
)
