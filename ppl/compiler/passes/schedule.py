"""The passes in their order, and the driver that verifies the program after each of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.verify import Problem, VerifierError, verify
from ppl.compiler.ir.walk import EFFECTS, statements
from ppl.compiler.passes.absent_draws import ABSENT_DRAWS
from ppl.compiler.passes.base import Note, Pass, Report
from ppl.compiler.passes.fold import FOLD
from ppl.compiler.passes.hoist import HOIST, INVARIANTS
from ppl.compiler.passes.inline import INLINE
from ppl.compiler.passes.lift_infer import LIFT_EVIDENCE, LIFT_INFER
from ppl.compiler.passes.loops import LOOPS
from ppl.compiler.passes.mapped_reads import MAPPED_READS
from ppl.compiler.passes.seeds import SEEDS

PASSES: tuple[Pass, ...] = (
    SEEDS, LIFT_INFER, INLINE, LIFT_EVIDENCE, LOOPS, ABSENT_DRAWS, INVARIANTS, MAPPED_READS, FOLD, HOIST,
)  # fmt: skip


@dataclass(frozen=True)
class Passed:
    """The program after the passes; ``reports`` pairs each pass's name with its notes, in order."""

    program: ir.Program
    reports: tuple[tuple[str, Report], ...] = ()

    @property
    def notes(self) -> tuple[Note, ...]:
        return tuple(note for _, report in self.reports for note in report)


def run_passes(
    program: ir.Program, model: str, *, after: str | None = None, passes: tuple[Pass, ...] = PASSES
) -> Passed:
    """Run the passes for ``model``, in order; stop behind the one called ``after``.

    Raises ``VerifierError`` (an internal error that names the pass) if a pass leaves an invalid program, or one whose
    effects are not those it was given; ``KeyError`` if there is no pass ``after``."""
    if after is not None and after not in {p.name for p in passes}:
        raise KeyError(after)
    reports: list[tuple[str, Report]] = []
    for p in passes:
        program, report = checked(p, program, model)
        reports.append((p.name, report))
        if p.name == after:
            break
    return Passed(program, tuple(reports))


def checked(p: Pass, program: ir.Program, model: str) -> tuple[ir.Program, Report]:
    """One pass, and the verifier behind it."""
    new, report = p.run(program, model)
    problems = verify(new, model)
    if p.keeps_effects:
        problems += effects_changed(program.model(model), new.model(model))
    if problems:
        raise VerifierError(f"the pass `{p.name}`", problems)
    return new, report


def effects(model: ir.Model) -> Counter[str]:
    """How often the text of the model draws each random variable, conditions, and outputs."""
    return Counter(_label(s) for s in statements(model.body) if isinstance(s, EFFECTS))


def _label(stmt: ir.Stmt) -> str:
    match stmt:
        case ir.Draw():
            return f'draw of "{stmt.site}"[{", ".join(map(str, stmt.affine))}]'
        case ir.Output() | ir.ParamStmt():
            return f'{type(stmt).__name__} "{stmt.name if isinstance(stmt, ir.Output) else stmt.site}"'
    return type(stmt).__name__


def effects_changed(before: ir.Model, after: ir.Model) -> list[Problem]:
    """What the one draws, conditions or outputs and the other does not."""
    was, now = effects(before), effects(after)
    return [Problem(after.name, f"lost: {n} × {what}") for what, n in sorted((was - now).items())] + [
        Problem(after.name, f"added: {n} × {what}") for what, n in sorted((now - was).items())
    ]
