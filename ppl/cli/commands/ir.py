"""``ppl ir FILE``"""

from __future__ import annotations

import click

from ppl.cli.options import model_option


@click.command(name="ir", short_help="the typed intermediate representation")
@click.argument("file")
@click.option("--after", metavar="PASS", help="Show the program after this pass (and those before it).")
@model_option
def command(file: str, after: str | None, model: str | None) -> None:
    """The typed intermediate representation of a file, as checked or after a pass."""
    from ppl.api.applied import choose_model
    from ppl.cli.loading import load_module
    from ppl.compiler.ir.printer import print_program
    from ppl.compiler.passes.schedule import after_pass

    program = load_module(file).program
    if after is not None:
        program = after_pass(program, choose_model(program, model, file).name, after)
    click.echo(print_program(program))
