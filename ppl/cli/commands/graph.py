"""``ppl graph FILE -o model.svg``"""

from __future__ import annotations

from pathlib import Path

import click

from ppl.cli.options import model_option, out_options


@click.command(name="graph", short_help="draw a model, as SVG or DOT")
@click.argument("file")
@model_option
@out_options
def command(file: str, model: str | None, out: str | None, force: bool) -> None:
    """Draw a model: latents open, data filled, plates as boxes. The suffix of the output says SVG or DOT; without one,
    DOT is printed."""
    from ppl.api.applied import choose_model
    from ppl.cli.failures import say
    from ppl.cli.loading import load_module
    from ppl.compiler.passes.schedule import run_passes
    from ppl.core.errors import UsageError
    from ppl.graph import build, to_dot, to_svg
    from ppl.runtime.results.files import check_output, write_bytes

    suffix = Path(out).suffix.lower() if out else ".dot"
    if suffix not in (".svg", ".dot", ".gv"):
        raise UsageError(f"graphs are written as .svg or .dot, not `{suffix}`", helps=("-o model.svg",))
    if out is not None:
        check_output(out, force)
    program = load_module(file).program
    name = choose_model(program, model, file).name
    graph = build(run_passes(program, name, after="inline").program.model(name))
    text = to_svg(graph) if suffix == ".svg" else to_dot(graph)
    if out is None:
        click.echo(text, nl=False)
    else:
        write_bytes(out, text.encode())
        say(f"wrote {out}")
