"""``ppl ir FILE``"""

from __future__ import annotations

import click

from ppl.cli.options import model_option


@click.command(name="ir", short_help="the typed intermediate representation")
@click.argument("file")
@click.option("--after", metavar="PASS", help="Show the model after this pass (and those before it).")
@model_option
def command(file: str, after: str | None, model: str | None) -> None:
    """The typed intermediate representation of a file, as checked or after a pass."""
    from ppl.api.applied import choose_model
    from ppl.cli.loading import load_module
    from ppl.compiler.ir.printer import print_program
    from ppl.compiler.passes.schedule import PASSES, run_passes
    from ppl.core.errors import UsageError

    names = [p.name for p in PASSES]
    if after is not None and after not in names:
        from ppl.runtime.data.suggest import suggest

        near = suggest(after, names)
        raise UsageError(
            f"there is no pass `{after}`" + (f"; did you mean `{near}`?" if near else ""),
            notes=("passes: " + ", ".join(names),),
        )
    program = load_module(file).program
    name = None
    if after is not None or model is not None:
        name = choose_model(program, model, file).name
    if after is not None and name is not None:
        program = run_passes(program, name, after=after).program
    click.echo(print_program(program, name), nl=False)
