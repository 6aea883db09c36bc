"""Warnings about programs that are valid and probably not meant: W101 to W106 (W107 is given where arguments are
checked)."""

from __future__ import annotations

from collections.abc import Iterator

from ppl.compiler.check.influence import Influence
from ppl.compiler.check.module import ProgramParts
from ppl.compiler.diagnostics.diagnostic import Diagnostic, Diagnostics, Edit, Help, Label
from ppl.compiler.diagnostics.span import Span
from ppl.compiler.ir import nodes as ir
from ppl.compiler.ir.nodes import Role
from ppl.compiler.ir.walk import statements


def warn(program: ir.Program, parts: ProgramParts, sink: Diagnostics) -> None:
    """Warnings of the whole program; those that need a sound body are left out where there are errors."""
    for model in program.models:
        if model.kind == "model":
            sink.extend(_priors(model, sink))
    if sink.errors:
        return
    _unused_lets(parts, sink)
    called = {c for m in program.models for c in m.calls}
    for model in program.models:
        if model.kind == "model" and model.name not in called:
            sink.extend(_without_influence(program, model))


def _unused_lets(parts: ProgramParts, sink: Diagnostics) -> None:
    for cx in parts.contexts.values():
        seen: dict[Span, tuple[str, bool, str]] = {}
        for name, local in cx.locals:
            _, used, _ = seen.get(local.span, (name, False, local.kind))
            seen[local.span] = (name, used or local.used, local.kind)
        for span, (name, used, kind) in seen.items():
            if not used and not name.startswith("_"):
                word = "let" if kind == "let" else "var"
                sink.add(
                    Diagnostic(
                        "W102",
                        f"`{name}` is never read",
                        Label(span, f"this `{word}` has no effect"),
                        helps=(Help("remove it, or write `output` to keep it in the results"),),
                    )
                )


def _without_influence(program: ir.Program, model: ir.Model) -> Iterator[Diagnostic]:
    """Latent variables that nothing observed, returned or kept depends on. A model without data has none such: it is
    run
    for its draws; a last draw that depends on informed variables is a prediction."""
    flow = Influence(program, model)
    if not flow.conditions:
        return
    for site in model.sites:
        if site.role is not Role.LATENT or site.name in flow.informed or site.name in flow.predictive:
            continue
        if site.name in flow.read:
            yield Diagnostic(
                "W103",
                f"`{site.name}` has no influence on any data, output or result",
                Label(site.span, "drawn here"),
                notes=("its posterior is its prior",),
                helps=(Help("use it in the distribution of the data, or remove it"),),
            )
        else:
            yield Diagnostic(
                "W101",
                f"`{site.name}` is drawn but never used",
                Label(site.span, "drawn here"),
                notes=("its posterior is its prior",),
                helps=(Help("use it, or remove it"),),
            )


# --- priors ----------------------------------------------------------------------------------------------------------


def _priors(model: ir.Model, sink: Diagnostics) -> Iterator[Diagnostic]:
    lets = {
        s.var.id: (s, s.op) for s in statements(model.body) if isinstance(s, ir.Let) and isinstance(s.op, ir.MakeDist)
    }
    for stmt in statements(model.body):
        if (
            not isinstance(stmt, ir.Draw)
            or stmt.role is not Role.LATENT
            or not isinstance(stmt.dist, ir.Var)
            or stmt.dist.id not in lets
        ):
            continue
        let, op = lets[stmt.dist.id]
        constants = {
            n: float(a.value) for n, a in op.args if isinstance(a, ir.Lit) and isinstance(a.value, (int, float))
        }
        match op.name:
            case "Flat":
                yield Diagnostic(
                    "W104",
                    f"the prior of `{stmt.site}` is improper",
                    Label(let.span, "integrates to infinity"),
                    notes=("the posterior may be improper too, and the model can't be simulated",),
                    helps=(Help("a weak proper prior", (Edit(let.span, "Normal(0, 10)"),)),),
                )
            case "Uniform" if _accidental(constants.get("low"), constants.get("high")):
                yield _hard_bounds(stmt, let, constants)
            case "Gamma" | "InverseGamma" if len(constants) == 2 and max(constants.values()) <= 0.1:
                scale = "HalfNormal(1)" if op.name == "Gamma" else "HalfCauchy(1)"
                yield Diagnostic(
                    "W106",
                    f"`{op.name}` with two tiny parameters is not vague",
                    Label(let.span, "a peak at 0 and a heavy tail"),
                    notes=("in hierarchical models it can dominate the data near 0 (Gelman 2006)",),
                    helps=(Help(f"say what sizes are plausible, for example `{scale}`", (Edit(let.span, scale),)),),
                )


def _accidental(low: float | None, high: float | None) -> bool:
    """Wide round bounds, ``-100`` to ``100`` or ``0`` to ``1000``: chosen to be out of the way, not because they are
    true."""
    if low is None or high is None or high < 10 or low not in (0.0, -high):
        return False
    leading = f"{high:e}"
    return leading[0] in "125" and set(leading[1 : leading.index("e")]) <= {".", "0"}


def _hard_bounds(stmt: ir.Draw, let: ir.Let, constants: dict[str, float]) -> Diagnostic:
    high = constants["high"]
    new = f"HalfNormal({high / 2:g})" if constants["low"] == 0 else f"Normal(0, {high / 2:g})"
    return Diagnostic(
        "W105",
        f"the hard bounds of `{stmt.site}` look accidental",
        Label(let.span, "exactly 0 outside"),
        notes=("if the truth lies outside no amount of data finds it, and the posterior piles up at the bound",),
        helps=(Help(f"a soft prior of the same width: `{new}`", (Edit(let.span, new),)),),
    )
