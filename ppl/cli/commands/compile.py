"""``ppl compile FILE --data D --target T -o OUT``"""

from __future__ import annotations

import click

from ppl.cli.options import bits, data_option, file_argument, machine_options, model_option, out_options


@click.command(name="compile", short_help="write a compiled model")
@file_argument
@data_option
@model_option
@click.option(
    "--target", "form", type=click.Choice(["jaxpr", "stablehlo", "export"]), default="jaxpr", show_default=True
)
@out_options
@machine_options
def command(
    file: str,
    data: tuple[str, ...],
    model: str | None,
    form: str,
    out: str | None,
    force: bool,
    device: str,
    precision: str | None,
) -> None:
    """Write the log density of a model (on its unconstrained variables) and its gradient, compiled: as a jaxpr, as
    StableHLO text, or serialised by ``jax.export``. The file then needs no ppl to run."""
    from ppl.cli.failures import say
    from ppl.cli.loading import load_target
    from ppl.core.errors import UsageError
    from ppl.runtime.results.files import check_output, write_bytes

    if out is None and form == "export":
        raise UsageError("an exported function is binary and needs a file", helps=("-o model.bin",))
    if out is not None:
        check_output(out, force)
    target = load_target(file, data, model)
    from ppl.api.export import exported

    content = exported(target, form, device, bits(precision))
    if out is None:
        click.echo(content.decode(), nl=False)
    else:
        write_bytes(out, content)
        say(f"wrote {out}")
