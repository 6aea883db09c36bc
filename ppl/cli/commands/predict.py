"""``ppl predict RUN.nc``"""

from __future__ import annotations

import click

from ppl.cli.options import data_option, format_option, out_options, seed_option


@click.command(name="predict", short_help="draw data and outputs from the posterior of a run")
@click.argument("run")
@data_option
@seed_option
@out_options
@format_option
def command(run: str, data: tuple[str, ...], seed: int, out: str | None, force: bool, style: str) -> int:
    """Draw data and outputs from the posterior of an earlier run, under its own parameters or new ones."""
    from ppl.api.prediction import predict_result
    from ppl.api.result import open_run
    from ppl.cli.finish import finish
    from ppl.runtime.data import load
    from ppl.runtime.results.files import check_output

    if out is not None:
        check_output(out, force)
    raws = load(data)
    return finish(predict_result(open_run(run), {}, seed, raws), out, style)
