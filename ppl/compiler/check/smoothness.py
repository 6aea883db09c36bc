"""Sound gradient strategies: ``reparam`` only where the draw reaches no discontinuity, ``reinforce`` only where the
support does not move with a learnable parameter."""

from __future__ import annotations

from ppl.compiler.diagnostics.diagnostic import Diagnostic, Edit, Help, Label
from ppl.compiler.diagnostics.span import Source, Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.smoothness import Break, moving_support, reaches
from ppl.compiler.ir.walk import statements


def check_strategies(program: ir.Program, sources: dict[str, Source]) -> list[Diagnostic]:
    """Unsound strategies of all models and guides."""
    out: list[Diagnostic] = []
    for model in program.models:
        partner = next((m for m in program.models if m.name == model.guide_for), None)
        for stmt in statements(model.body):
            if not isinstance(stmt, ir.Draw) or stmt.strategy is None:
                continue
            if stmt.strategy.name == "reparam":
                found = reaches(program, model.body, {stmt.var.id})
                if found is None and partner is not None:
                    starts = {
                        s.var.id for s in statements(partner.body) if isinstance(s, ir.Draw) and s.site == stmt.site
                    }
                    found = reaches(program, partner.body, starts)
                if found is not None:
                    out.append(_unsound_reparam(stmt, found, sources))
            elif stmt.strategy.name in ("reinforce", "mvd"):
                moving = moving_support(program, model, stmt)
                if moving is not None:
                    out.append(_moving(stmt, moving, sources))
    return out


def _unsound_reparam(stmt: ir.Draw, found: Break, sources: dict[str, Source]) -> Diagnostic:
    span, what = found
    helps = tuple(_instead(stmt, s, sources) for s in ("reinforce", "mvd"))
    return Diagnostic(
        "E507",
        f"`{stmt.site}` can't be reparameterised: it reaches {what}",
        Label(stmt.span, "`via reparam` here"),
        (Label(span, f"{what}: the result jumps"),),
        ("a pathwise derivative does not see a jump: the gradient would be silently wrong",),
        helps,
    )


def _instead(stmt: ir.Draw, strategy: str, sources: dict[str, Source]) -> Help:
    source = sources.get(stmt.span.file)
    text = source.slice(stmt.span) if source else ""
    old = f"via {stmt.strategy.name if stmt.strategy else ''}"
    at = text.rfind(old)
    edits = (
        (Edit(Span(stmt.span.file, stmt.span.start + at, stmt.span.start + at + len(old)), f"via {strategy}"),)
        if at >= 0
        else ()
    )
    return Help(f"use `via {strategy}`", edits)


def _moving(stmt: ir.Draw, moving: Break, sources: dict[str, Source]) -> Diagnostic:
    span, what = moving
    assert stmt.strategy is not None
    return Diagnostic(
        "E508",
        f"`{stmt.site}` can't use `{stmt.strategy.name}`: its support depends on learnable parameters",
        Label(stmt.span, f"`via {stmt.strategy.name}` here"),
        (Label(span, f"{what} moves the support"),),
        ("the score function is 0 at the edge that moves: the gradient would be wrong, even in sign",),
        (_instead(stmt, "reparam", sources), Help("or give the distribution constant bounds")),
    )
