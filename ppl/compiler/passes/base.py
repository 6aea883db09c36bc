"""What a pass is, and the report of what it did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ppl.compiler.diagnostics.span import NOWHERE, Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.walk import walk


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that a pass did, and why, in a sentence. ``kind`` is a word to group by (``inlined``, ``plate``, …)."""

    kind: str
    text: str
    span: Span = NOWHERE


Report = tuple[Note, ...]


@dataclass(frozen=True)
class Pass:
    """``run(program, model name)`` gives the program after the pass and the notes.

    ``keeps_effects``: the pass neither adds nor removes a draw, an observation, a factor, a requirement or an output;
    the driver checks it, so that a broken pass that merges two draws or drops a factor stops there."""

    name: str
    run: Callable[[ir.Program, str], tuple[ir.Program, Report]]
    doc: str
    keeps_effects: bool = True


Rewrite = Callable[[ir.Block, tuple[ir.Var, ...]], tuple[ir.Block, Report]]


def reachable(program: ir.Program, model: str) -> frozenset[str]:
    """The names of the models that running ``model`` may run: by draws, or as values."""
    known = {m.name: m for m in program.models}
    found: set[str] = set()
    todo = [model]
    while todo:
        name = todo.pop()
        if name in known and name not in found:
            found.add(name)
            todo += [n.name for n in walk(known[name].body) if isinstance(n, ir.ModelRef)] + sorted(known[name].calls)
    return frozenset(found)


def on_blocks(rewrite: Rewrite) -> Callable[[ir.Program, str], tuple[ir.Program, Report]]:
    """Lifts a rewrite of one body (given the variables in scope at its start) to all the bodies that running the
    model needs.

    The notes are those about the model itself."""

    def run(program: ir.Program, model: str) -> tuple[ir.Program, Report]:
        constants = tuple(v for v, _ in program.constants)

        def go(block: ir.Block, *more: ir.Var) -> ir.Block:
            return rewrite(block, constants + more)[0]

        report: Report = ()
        models = []
        wanted = reachable(program, model)
        for m in program.models:
            if m.name in wanted:
                body, notes = rewrite(m.body, constants + tuple(p.var for p in m.params))
                report = notes if m.name == model else report
                m = replace(m, body=body)
            models.append(m)
        functions = tuple(
            f if f.body is None else replace(f, body=go(f.body, *(p.var for p in f.params))) for f in program.functions
        )
        dists = []
        for d in program.dists:
            params = tuple(p.var for p in d.params)
            logpdf = d.logpdf if d.logpdf is None or d.value is None else go(d.logpdf, *params, d.value)
            sample = d.sample if d.sample is None else go(d.sample, *params)
            dists.append(replace(d, logpdf=logpdf, sample=sample))
        done = tuple((v, go(b)) for v, b in program.constants)
        program = replace(program, models=tuple(models), functions=functions, dists=tuple(dists), constants=done)
        return program, report

    return run


def replace_model(program: ir.Program, new: ir.Model) -> ir.Program:
    return replace(program, models=tuple(new if m.name == new.name else m for m in program.models))
