"""``ppl explain CODE`` and ``ppl explain FILE --data D``"""

from __future__ import annotations

import re

import click

from ppl.cli.options import data_option, model_option


@click.command(name="explain", short_help="what a diagnostic means, or what the compiler did")
@click.argument("what", metavar="CODE|FILE")
@data_option
@model_option
@click.option("--method", default="auto", show_default=True, help="The method that the model is compiled for.")
def command(what: str, data: tuple[str, ...], model: str | None, method: str) -> None:
    """What a diagnostic means, with a wrong and a right program; or, for a file with data, what the compiler did to the
    model: what was summed out, deferred, vectorised, hoisted, and why."""
    if re.fullmatch(r"[EWew]\d{3}", what):
        click.echo(code_text(what.upper()))
        return
    from ppl.api.explain import explain
    from ppl.cli.loading import load_query

    click.echo(explain(*load_query(what, data, model, method)))


def code_text(code: str) -> str:
    """The explanation of a code; UsageError for one that does not exist."""
    from ppl.compiler.diagnostics.codes import CODES
    from ppl.core.errors import UsageError

    found = CODES.get(code)
    if found is None:
        from ppl.runtime.data.suggest import suggest

        near = suggest(code, CODES)
        raise UsageError(f"there is no diagnostic {code}" + (f"; did you mean {near}?" if near else ""))
    parts = [f"{found.code}: {found.title}", "", found.text]
    for title, program in (("Wrong", found.wrong), ("Right", found.right)):
        if program:
            parts += ["", f"{title}:", "", *("    " + line for line in program.rstrip().splitlines())]
    return "\n".join(parts)
