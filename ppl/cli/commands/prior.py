"""``ppl prior FILE``"""

from __future__ import annotations

import click

from ppl.cli.options import (
    bits,
    data_option,
    file_argument,
    format_option,
    machine_options,
    model_option,
    out_options,
    seed_option,
)


@click.command(name="prior", short_help="draw from the prior, data sites included")
@file_argument
@data_option
@model_option
@click.option("--draws", type=click.IntRange(min=1), default=1000, show_default=True)
@seed_option
@out_options
@format_option
@machine_options
def command(
    file: str,
    data: tuple[str, ...],
    model: str | None,
    draws: int,
    seed: int,
    out: str | None,
    force: bool,
    style: str,
    device: str,
    precision: str | None,
) -> int:
    """Draw all random variables from their joint prior, data sites included. Data give parameters and sizes only."""
    from ppl.cli.finish import finish
    from ppl.cli.loading import load_target

    if out is not None:
        from ppl.runtime.results.files import check_output

        check_output(out, force)
    target = load_target(file, data, model)
    from ppl.api.inference import prior

    return finish(prior(target, draws, seed=seed, device=device, precision=bits(precision)), out, style)
