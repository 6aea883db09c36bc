"""How findings are shown: ``full`` for people, ``concise`` for editors and grep, ``json`` for programs."""

from __future__ import annotations

from ppl.compiler.diagnostics.diagnostic import Diagnostics

FORMATS = ("full", "concise", "json")


def render(diagnostics: Diagnostics, format: str = "full", color: bool = False) -> str:
    """The findings in one of ``FORMATS``, in the order of the text; ``color`` is for ``full`` alone."""
    if format == "full":
        from ppl.compiler.diagnostics.render.full import render_all

        return render_all(diagnostics, color)
    if format == "concise":
        from ppl.compiler.diagnostics.render.concise import render_all as concise

        return concise(diagnostics)
    if format == "json":
        from ppl.compiler.diagnostics.render.json import render_all as as_json

        return as_json(diagnostics)
    raise ValueError(f"unknown format {format!r}: one of {', '.join(FORMATS)}")
