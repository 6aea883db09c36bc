"""What a model holds that is checked, and cannot be run yet."""

from __future__ import annotations

from ppl.compiler.check.executable import executability
from ppl.compiler.diagnostics.diagnostic import Diagnostic
from ppl.compiler.ir import nodes as ir
from ppl.compiler.passes.absent_draws import unfillable
from ppl.compiler.passes.applications import left_over
from ppl.compiler.passes.schedule import run_passes
from ppl.compiler.passes.seeds import unseeded
from ppl.compiler.passes.unroll import uncut


def refusals(program: ir.Program, model: str) -> list[Diagnostic]:
    """Empty if the model runs. Branches are looked at with submodels inlined."""
    found = executability(program, model) or unseeded(program, model)
    if found:
        return found
    inlined = run_passes(program, model, after="inline").program.model(model)
    return uncut(inlined) or left_over(inlined) or unfillable(inlined)
