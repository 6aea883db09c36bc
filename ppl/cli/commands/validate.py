"""``ppl validate FILE``"""

from __future__ import annotations

import sys

import click

from ppl.cli.options import Alpha, data_option, file_argument, model_option, seed_option


@click.command(name="validate", short_help="statistical certificate of a method on a model")
@file_argument
@data_option
@model_option
@click.option("--method", default="auto", show_default=True)
@seed_option
@click.option("--alpha", type=Alpha(), default=1e-9, show_default=True, help="False-alarm rate of each check.")
@click.option(
    "--budget",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    default=60,
    show_default=True,
    help="Stop after this time; what is not decided by then is undecided.",
)
@click.option("--n", type=click.IntRange(min=20), help="Draws of the first stage; data sets with --sbc.")
@click.option("--sbc", is_flag=True, help="Also calibrate whole runs on simulated data, whatever the method claims.")
@click.option("--format", "style", type=click.Choice(["table", "json"]), default="table", show_default=True)
def command(
    file: str,
    data: tuple[str, ...],
    model: str | None,
    method: str,
    seed: int,
    alpha: float,
    budget: float,
    n: int | None,
    sbc: bool,
    style: str,
) -> int:
    """Test on a model that a method does what it claims. Exit code 7 where a claim is refuted."""
    from ppl.api.certificates import certificate_of, silent
    from ppl.cli.failures import say
    from ppl.cli.loading import load_query
    from ppl.core.errors import Refuted

    target, chosen = load_query(file, data, model, method)
    listener = say if sys.stderr.isatty() else silent
    certificate = certificate_of(chosen, target, sbc, seed, alpha, n, budget, listener)
    click.echo(certificate.to_json() if style == "json" else certificate.table())
    return Refuted.exit_code if certificate.refuted else 0
